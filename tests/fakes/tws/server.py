"""The loopback TWS itself: its socket, its switches for misbehaving, and how a test waits for it.

async with LoopbackTws(condor_scene()) as tws:
    await IB().connectAsync("127.0.0.1", tws.port, clientId=7)
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

from tests.fakes.channel.commands import command
from tests.fakes.tws import hours
from tests.fakes.tws.happenings import Happenings
from tests.fakes.tws.policy import CancelAnswer, OrderPolicy
from tests.fakes.tws.records import (
    ZERO,
    EndMark,
    Instrument,
    MarketDataAccess,
    MarketRule,
    OrderRecord,
    OrderView,
    Position,
    Quote,
    Scene,
)
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.session import Session


class LoopbackTws(Happenings):
    """A TWS on loopback. port is known once started; every @command is also a control command."""

    def __init__(
        self,
        scene: Scene | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        read_only: bool = False,
        execution_zone: str = "US/Eastern",
        master_client_id: int | None = None,
    ) -> None:
        super().__init__(
            scene,
            clock=clock,
            read_only=read_only,
            execution_zone=execution_zone,
            master_client_id=master_client_id,
        )
        self.host = host
        self.port = port
        self._server: asyncio.Server | None = None
        self._policies = {}
        self._cancel_answers = {}
        self._held_rows = []
        self._event_id = 0
        self._pending = {}

    # Life

    async def start(self) -> None:
        """Listen; port becomes the one in use."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Session(self), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything and return when it is closed."""
        self._stopping = True
        self.stop_accepting()
        self.drop_link(reset=True)
        await self.wait_for(lambda: not self._sessions)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    # The link

    @command
    def drop_link(self, *, reset: bool = False) -> None:
        """Close every client's socket, politely or by a reset."""
        for session in tuple(self._sessions):
            session.close(abort=reset)

    @command
    def stop_accepting(self) -> None:
        """Refuse new connections; those there are stay."""
        if self._server is not None:
            self._server.close()
            self._server = None

    @command
    async def resume_accepting(self) -> None:
        """Listen again on the same port."""
        if self._server is None:
            await self.start()

    @command
    def go_silent(self) -> None:
        """Keep sockets open, act on what arrives, and send nothing: what is unsaid stays unsaid."""
        self.faults.silent = True

    @command
    def speak(self) -> None:
        """End go_silent()."""
        self.faults.silent = False

    @command
    def mute_live_rows(self, muted: bool = True) -> None:
        """Push nothing unasked about positions and foreign executions, as after a 1100."""
        self.faults.live_rows = not muted

    @command
    def send_error(self, code: int, req_id: int = -1, text: str = "") -> None:
        """Send an error message to every client; without text, what TWS says with the code."""
        for started in self._started():
            self.say(started.session, req_id, code, text)

    @command
    def occupy_client_id(self, client_id: int) -> None:
        """Behave as though another program held this client id."""
        self._occupied.add(client_id)

    @command
    def free_client_id(self, client_id: int) -> None:
        """End occupy_client_id()."""
        self._occupied.discard(client_id)

    # Answers that go wrong

    @command
    def withhold_end(self, mark: EndMark) -> None:
        """Keep the end of such answers back."""
        self.faults.withheld.add(mark)

    @command
    def restore_end(self, mark: EndMark, *, send: bool = True) -> None:
        """Send ends again, and first those kept back unless told not to."""
        self.faults.withheld.discard(mark)
        if send:
            self.send_withheld(mark)
        self._withheld_ends = [one for one in self._withheld_ends if one[0] is not mark]

    @command
    def cut_snapshot(self, after_rows: int | None, *, drop_link: bool = False) -> None:
        """End position snapshots after so many rows, without the end mark; None undoes it."""
        self.faults.cut_after_rows = after_rows
        self.faults.cut_drops_link = drop_link

    @command
    def show_zero_rows(self, shown: bool = True) -> None:
        """Put holdings that were closed into snapshots, as rows of quantity 0."""
        self.faults.zero_rows = shown

    @command
    def repeat_rows(self, times: int) -> None:
        """Send every position row this many times, in snapshots and live."""
        self.faults.repeats = times

    @command
    def resend_positions(self) -> None:
        """Push a row for every holding, changed or not."""
        for account, con_id in tuple(self.book.holdings):
            self.push_position(account, con_id)

    @command
    def set_read_only(self, read_only: bool = True) -> None:
        """Put the API into read-only mode: orders, cancels and order enquiries get 321."""
        self.faults.read_only = read_only

    @command
    def preview_margin(self, told: bool = True) -> None:
        """Answer what-if orders with their margin, or with the unset double."""
        self.faults.previews_margin = told

    # Orders

    @command
    def set_order_policy(self, policy: OrderPolicy, con_id: int | None = None) -> None:
        """Say what becomes of the next orders, of one contract or of all without their own.

        A policy with `times` lies on top of the one before; one without replaces all before.
        """
        stack = self._policies.setdefault(con_id, [])
        if policy.times is None:
            stack.clear()
        stack.append((policy, policy.times))

    @command
    def clear_order_policies(self) -> None:
        """Go back to filling what the quote allows."""
        self._policies.clear()
        self._cancel_answers.clear()

    @command
    def set_cancel_answer(self, answer: CancelAnswer, con_id: int | None = None) -> None:
        """Say how cancels are answered, of one contract or of all without their own."""
        self._cancel_answers[con_id] = answer

    @command
    def release_answers(self) -> None:
        """Send the rows that held policies kept back."""
        due, self._held_rows = self._held_rows, []
        for act in due:
            act()

    # The book and the market

    @command
    def add_account(self, account: str) -> None:
        """Manage another account."""
        self.book.open_account(account)

    @command
    def set_instrument(self, one: Instrument) -> None:
        """Add a contract or replace it by conId; any of its texts may be hostile."""
        self.book.instruments[one.con_id] = one

    @command
    def set_position(self, position: Position, *, push: bool = True) -> None:
        """Make a holding so, and push its row unless told not to."""
        self.book.holdings[(position.account, position.con_id)] = position
        if push:
            self.push_position(position.account, position.con_id)
            self.push_portfolio(position.account, position.con_id)
        self.changed()

    @command
    def set_quote(self, con_id: int, quote: Quote) -> None:
        """Show another quote: its ticks go out and resting orders it reaches fill."""
        before = self.book.quotes.get(con_id, Quote())
        self.book.quotes[con_id] = quote
        self.push_quote(con_id, before)
        self.match_resting(con_id)
        self.changed()

    @command
    def set_market_rule(self, rule: MarketRule) -> None:
        """Add or replace a market rule."""
        self.book.market_rules[rule.rule_id] = rule

    @command
    def set_market_data_access(self, access: MarketDataAccess, con_id: int | None = None) -> None:
        """Permit live, only delayed, or no market data, of one contract or of all without own."""
        self._access[con_id] = access

    @command
    def set_hours(self, trading: str, liquid: str, con_id: int | None = None) -> None:
        """Set the hours strings of one contract, or of all."""
        for one in tuple(self.book.instruments.values()):
            if con_id in (None, one.con_id):
                self.set_instrument(replace(one, trading_hours=trading, liquid_hours=liquid))

    @command
    def open_markets(self, con_id: int | None = None, at: datetime | None = None) -> None:
        """Make hours open around an instant, now unless told."""
        text = hours.open_around(at or self.now())
        self.set_hours(text, text, con_id)

    @command
    def close_markets(
        self,
        con_id: int | None = None,
        at: datetime | None = None,
        reopens_in: timedelta = timedelta(hours=30),
    ) -> None:
        """Make hours closed at an instant, now unless told, with a session that begins later."""
        text = hours.closed_at(at or self.now(), reopens_in)
        self.set_hours(text, text, con_id)

    @command
    def midnight(self) -> None:
        """Forget executions, finished orders and closed holdings, as TWS does each day."""
        self.book.forget_yesterday()

    # What arrived

    @command
    def order_records(self) -> tuple[OrderRecord, ...]:
        """Every order that arrived, also those refused, in order of arrival."""
        return tuple(self.orders)

    @command
    def order_views(self) -> tuple[OrderView, ...]:
        """Every order TWS holds now, with its state."""
        return tuple(one.view for one in self.book.orders.values())

    @command
    def positions(self) -> tuple[Position, ...]:
        """What is held now."""
        return tuple(one for one in self.book.holdings.values() if one.quantity)

    @command
    def connected_clients(self) -> tuple[int, ...]:
        """The client ids connected now."""
        return self.clients()

    @command
    async def orders_reached(
        self, count: int, within_seconds: float = 5.0
    ) -> tuple[OrderRecord, ...]:
        """Return the orders once so many arrived, counting from the beginning."""
        await self.wait_for(lambda: len(self.orders) >= count, within_seconds=within_seconds)
        return tuple(self.orders)

    @command
    async def cancels_reached(self, count: int, within_seconds: float = 5.0) -> None:
        """Return once so many cancels arrived."""
        await self.wait_for(lambda: len(self.cancels) >= count, within_seconds=within_seconds)

    @command
    async def clients_reached(self, count: int, within_seconds: float = 5.0) -> None:
        """Return once exactly so many clients are connected and have started the API."""
        await self.wait_for(lambda: len(self.clients()) == count, within_seconds=within_seconds)

    @command
    def requests_of(self, kind: Ask) -> int:
        """How many messages of this kind arrived."""
        return sum(one.fields[0] == str(int(kind)) for one in self.received)

    @command
    async def requests_reached(self, kind: Ask, count: int, within_seconds: float = 5.0) -> None:
        """Return once so many messages of this kind arrived, counting from the beginning."""
        await self.wait_for(lambda: self.requests_of(kind) >= count, within_seconds=within_seconds)

    @command
    async def flat(
        self, con_id: int, account: str | None = None, within_seconds: float = 5.0
    ) -> None:
        """Return once an account holds none of a contract."""
        whose = self.book.holder(con_id, account)
        await self.wait_for(
            lambda: self.book.held(whose, con_id).quantity == ZERO, within_seconds=within_seconds
        )

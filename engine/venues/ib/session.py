"""One connection: its state, and everything it hears handed to the part that understands it.

Facts of one network packet go out as one batch. A session ends once and is never used again: the
next connection starts from nothing, so nothing old can survive into it.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from ib_insync.contract import Contract, ContractDetails
from ib_insync.objects import Execution as IbExecution
from ib_insync.objects import PriceIncrement
from ib_insync.order import OrderState as IbOrderState

from engine.desk.facts import VenueChanged, VenueFact, VenueState
from engine.desk.instruments import Instrument
from engine.desk.intents import PreviewOrder
from engine.desk.orders import is_ours
from engine.desk.text import clean_text
from engine.venues.ib import codes, words
from engine.venues.ib.accounts import Accounts
from engine.venues.ib.book import Book
from engine.venues.ib.coverage import Coverage
from engine.venues.ib.details import Details
from engine.venues.ib.lines import Lines
from engine.venues.ib.link import Link
from engine.venues.ib.orders import OrderBook
from engine.venues.ib.pacer import Lane, Pacer, Timer
from engine.venues.ib.previews import Previews
from engine.venues.ib.question import Part
from engine.venues.ib.sending import Sending
from engine.venues.ib.settings import IbSettings
from engine.venues.ib.translate import decimal_of
from engine.venues.ib.wire import IbOrder, make_connection
from engine.venues.ib.wrapper import Wrapper
from engine.venues.port import PricedOrder, VenueSink

# Messages without which the book is not known, and those that tell of orders.
_POSITION, _EXECUTION, _ORDERS = "61", "11", ("3", "5", "101")
# TWS tells whole seconds: on average it is half a second later.
_HALF_SECOND = 0.5
_REFRESH_AFTER_SECONDS = 0.05


class Session:
    """Lives from connect to disconnect; `live` returns the reason it ended."""

    def __init__(
        self,
        name: str,
        settings: IbSettings,
        sink: VenueSink,
        *,
        now: Callable[[], datetime],
        watched: Callable[[], Iterable[Instrument]],
    ) -> None:
        self._settings = settings
        self._sink = sink
        self._watched = watched
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[str] = self._loop.create_future()
        self._batch: list[VenueFact] = []
        self._in_packet = False
        self._delivery: asyncio.Handle | None = None
        self._refresh: asyncio.Handle | None = None
        self._tick_timer: Timer | None = None
        self._heard_at = self._loop.time()
        self._started = False
        self._link_lost = False
        self._broken_farms: set[str] = set()
        self._shown: VenueChanged | None = None
        self.was_ready = False
        self.clock_skew_seconds: float | None = None

        self._connection = make_connection(
            Wrapper(self),
            settings.login_zone,
            started=self._api_started,
            failed=self._api_failed,
            lost=self._lost,
            broken=self._broken,
        )
        self._client = self._connection.client
        self._link = Link(
            venue=name,
            client=self._client,
            pacer=Pacer(self._loop.time, self._loop.call_later),
            emit=self._emit,
            now=now,
            clock=self._loop.time,
        )
        self._orders = OrderBook(settings.client_id)
        self._book = Book(
            self._link,
            settings,
            self._orders,
            call_later=self._loop.call_later,
            changed=self._show,
            moved=self._refresh_soon,
        )
        self._sending = Sending(self._link, settings, self._orders, self._book, self._show)
        self._details = Details(self._link, self._refresh_now)
        self._lines = Lines(self._link, sink, settings.most_lines)
        self._previews = Previews(self._link)
        self._accounts = Accounts(self._link)
        self._coverage = Coverage(self._details, self._lines, self._sending)

    # Life

    async def live(self) -> str:
        """Connect and stay until the connection ends; say why it did."""
        settings = self._settings
        connecting = self._loop.create_task(
            self._client.connectAsync(settings.host, settings.port, settings.client_id, None)
        )
        either: set[asyncio.Future[Any]] = {connecting, self._over}
        try:
            await asyncio.wait(
                either,
                timeout=settings.connect_seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not connecting.done():
                self.end(words.for_silence(settings, connected=self._connection.is_open))
            elif (error := connecting.exception()) is not None:
                self.end(words.for_error(settings, error))
            # Waiting on it in any other way would cancel it with this task.
            await asyncio.wait({self._over})
            return self._over.result()
        finally:
            connecting.cancel()
            await asyncio.gather(connecting, return_exceptions=True)
            self.end("stopped")
            self._close()

    def end(self, reason: str) -> None:
        """End the session, once: say so, and what became of orders without an answer."""
        if self._over.done():
            return
        self._over.set_result(reason)
        self._link.pacer.close()
        self._book.close()
        self._sending.abandon(f"the link went down before an answer: {reason}")
        self._show()

    def _close(self) -> None:
        for handle in (self._refresh, self._tick_timer):
            if handle is not None:
                handle.cancel()
        self._connection.close()
        if self._delivery is not None:
            self._delivery.cancel()
        self._deliver()

    # The port

    @property
    def is_ready(self) -> bool:
        return self._book.is_known and not self._link_lost and not self._over.done()

    def ask(self) -> None:
        if self.is_ready:
            self._book.ask()

    def place(self, order: PricedOrder) -> None:
        if self.is_ready:
            self._sending.place(order)
        else:
            detail = self._shown.detail if self._shown else "not connected"
            self._sending.refuse(order.client_order_id, detail)

    def cancel(self, client_order_id: str) -> None:
        if self.is_ready:
            self._sending.cancel(client_order_id)

    def preview(self, order: PreviewOrder) -> None:
        if self.is_ready:
            self._previews.ask(order)

    def watch_changed(self) -> None:
        self._refresh_soon()

    # State

    def _show(self) -> None:
        """Report the state if it is another than last shown."""
        state, detail = self._state()
        if state in (VenueState.READY, VenueState.STALE):
            self.was_ready = True
        sending = self._sending
        if sending.can_trade is False and state is not VenueState.DOWN:
            detail = f"cannot act: {sending.refusal}" + (f"; {detail}" if detail else "")
        shown = VenueChanged(
            venue=self._link.venue, state=state, detail=detail, can_trade=sending.can_trade
        )
        before = self._shown
        if before and state is VenueState.DOWN and (before.state, before.detail) == (state, detail):
            return
        if shown != before:
            self._shown = shown
            self._emit(shown)

    def _state(self) -> tuple[VenueState, str]:
        if self._over.done():
            return VenueState.DOWN, self._over.result()
        if self._link_lost:
            return VenueState.DOWN, "link lost between TWS and Interactive Brokers: frozen"
        if not self._book.is_known:
            return VenueState.SYNCING, self._book.detail
        if self._broken_farms:
            farms = ", ".join(sorted(self._broken_farms))
            return VenueState.STALE, f"data farm broken: {farms}; quotes may be old"
        return VenueState.READY, ""

    def _api_started(self) -> None:
        managed = tuple(clean_text(account) for account in self._client.getAccounts())
        accounts = self._settings.accounts or managed
        foreign = [account for account in accounts if account not in managed]
        if foreign:
            self.end(words.for_accounts(foreign, managed))
            return
        self._started = True
        self._tick_timer = self._loop.call_later(self._settings.tick_seconds, self._tick)
        self._book.begin(accounts)
        self._link.ask(Lane.QUESTIONS, self._client.reqCurrentTime)
        self._show()

    def _tick(self) -> None:
        """Look after what takes long: a link that went silent, details nobody answered."""
        self._tick_timer = self._loop.call_later(self._settings.tick_seconds, self._tick)
        quiet = self._loop.time() - self._heard_at
        if quiet >= self._settings.dead_seconds:
            self.end(f"nothing heard from TWS for {quiet:.0f} seconds")
        elif quiet >= self._settings.quiet_seconds:
            self._link.ask(Lane.QUESTIONS, self._client.reqCurrentTime)
        if self.is_ready:
            self._details.tick()
            self._previews.tick()

    def _freeze(self) -> None:
        if not self._link_lost:
            self._link_lost = True
            self._book.freeze()
            self._sending.abandon("the link between TWS and Interactive Brokers was lost")
            self._show()

    def _restored(self, *, data_lost: bool) -> None:
        self._link_lost = False
        if not self._started:
            return
        self._book.is_known = False
        self._book.detail = "the link is back: asking for everything again"
        self._book.ask_anew()
        if data_lost:
            self._lines.resubscribe()
            self._accounts.want_anew()
        self._show()

    def _refresh_soon(self) -> None:
        if self._refresh is None and self.is_ready:
            # Not at once: what moved may be an assignment, and its close goes first.
            self._refresh = self._loop.call_later(_REFRESH_AFTER_SECONDS, self._do_refresh)

    def _refresh_now(self) -> None:
        if self._refresh is not None:
            self._refresh.cancel()
        self._refresh = self._loop.call_soon(self._do_refresh)

    def _do_refresh(self) -> None:
        """Keep details and quotes coming, and learn whether orders are taken."""
        self._refresh = None
        if not self.is_ready:
            return
        self._coverage.cover((*self._book.instruments(), *self._watched()))
        held = next(iter(self._book.held()), None)
        if self._settings.probe_orders and held is not None:
            self._sending.probe(held)
        self._accounts.want()

    # Facts

    def _emit(self, fact: VenueFact) -> None:
        self._batch.append(fact)
        if not self._in_packet and self._delivery is None:
            self._delivery = self._loop.call_soon(self._deliver)

    def _deliver(self) -> None:
        self._delivery = None
        if self._batch:
            batch, self._batch = self._batch, []
            self._sink.facts(batch)
        self._lines.flush()

    def packet_arrived(self) -> None:
        self._in_packet = True

    def packet_taken(self) -> None:
        self._in_packet = False
        self._heard_at = self._loop.time()
        self._deliver()
        self._sink.heard(self._link.venue)

    # The socket

    def _lost(self, detail: str) -> None:
        self.end(words.for_lost(self._settings, detail, started=self._started))

    def _api_failed(self, detail: str) -> None:
        if "version" in detail:
            self.end(clean_text(detail))

    def _broken(self, _source: object, error: BaseException) -> None:
        """What arrives cannot be followed any more: start over."""
        self._in_packet = False
        self._link.warn("fault", f"what TWS sends cannot be followed: {error!r}", critical=True)
        self.end(f"what TWS sends cannot be followed: {clean_text(repr(error))}")

    # What is heard

    def fault(self, fields: list[str], error: BaseException | None) -> None:
        """A message could not be read or taken."""
        kind = fields[0] if fields else ""
        of_book = kind in (_POSITION, _EXECUTION) or (kind in _ORDERS and any(map(is_ours, fields)))
        what = f"message {clean_text(kind)}: {clean_text(repr(error))}"
        self._link.warn("fault", f"a message could not be taken, {what}", critical=of_book)
        if of_book:
            self._book.unreadable(what)
        elif kind in _ORDERS:
            self._book.ask()

    def message(self, request: int, code: int, text: str) -> None:
        """Take an error, warning or notice of the broker's."""
        if request > 0 and (
            self._sending.error(request, code, text)
            or self._previews.error(request, code, text)
            or self._accounts.error(request, code, text)
            or self._details.error(request, code, text)
            or self._lines.error(request, code, text)
        ):
            return
        if code in codes.LINK_LOST and "has been restored" not in text:
            self._freeze()
        elif code in (codes.LINK_RESTORED, codes.LINK_RESTORED_DATA_LOST, *codes.LINK_LOST):
            self._restored(data_lost=code == codes.LINK_RESTORED_DATA_LOST)
        elif code == codes.CLIENT_ID_IN_USE:
            self.end(words.for_client_id(self._settings))
        elif code in codes.CANNOT_CONNECT:
            self.end(f"{code}: {clean_text(text)}")
        elif code in codes.FARM_BROKEN | codes.FARM_FINE:
            self._farm(code, clean_text(text.rpartition(":")[2]))
        elif codes.is_read_only(code, text):
            self._sending.deny(text)
            self._book.refused_orders()
        elif code == codes.LIQUIDATION_IMMINENT:
            self._link.warn(str(code), text, critical=True)
        elif not codes.is_informative(code) and code not in codes.NO_SUCH_TICKER:
            self._link.warn(str(code), text)

    def _farm(self, code: int, farm: str) -> None:
        if code in codes.FARM_BROKEN:
            self._broken_farms.add(farm)
        else:
            self._broken_farms.discard(farm)
        self._show()

    def position(self, account: str, contract: Contract, held: float, cost: float) -> None:
        self._book.position(account, contract, held, cost)

    def positions_end(self) -> None:
        self._book.ended(Part.POSITIONS)

    def open_order(self, order_id: int, order: IbOrder, state: IbOrderState) -> None:
        if self._previews.take(order_id, state) or self._sending.is_probe(order_id, order):
            return
        tracked = self._orders.opened(
            order.orderRef,
            order.clientId,
            order_id,
            order.permId,
            state.status,
            decimal_of(order.totalQuantity),
        )
        self._book.order(tracked)
        self._sending.accepted(tracked)

    def order_status(
        self, order_id: int, client_id: int, perm_id: int, status: str, filled: float, why: str
    ) -> None:
        self._book.order(
            self._orders.status(client_id, order_id, perm_id, status, decimal_of(filled), why)
        )

    def open_orders_end(self) -> None:
        self._book.ended(Part.OPEN_ORDERS)

    def completed_order(self, order: IbOrder, status: str, reason: str) -> None:
        filled = decimal_of(order.filledQuantity if order.filledQuantity < 1e300 else 0.0)
        self._book.order(
            self._orders.completed(order.orderRef, order.permId, status, filled, reason)
        )

    def completed_orders_end(self) -> None:
        self._book.ended(Part.COMPLETED_ORDERS)

    def execution(self, contract: Contract, execution: IbExecution) -> None:
        self._book.execution(contract, execution)

    def executions_end(self, request: int) -> None:
        self._book.executions_ended(request)

    def details_row(self, request: int, details: ContractDetails) -> None:
        self._details.take(request, details)

    def details_end(self, request: int) -> None:
        self._details.end(request)

    def market_rule(self, rule_id: int, increments: list[PriceIncrement]) -> None:
        self._details.rule(rule_id, increments)

    def tick(self, request: int, tick_type: int, price: float) -> None:
        self._lines.tick(request, tick_type, price)

    def current_time(self, seconds: int) -> None:
        self.clock_skew_seconds = seconds + _HALF_SECOND - self._link.now().timestamp()

    def account_value(
        self, request: int, account: str, tag: str, value: str, currency: str
    ) -> None:
        self._accounts.take(request, account, tag, value, currency)

    def account_values_end(self, request: int) -> None:
        self._accounts.end(request)

    def next_order_id(self, order_id: int) -> None:
        self._client.updateReqId(order_id)

"""The commands a test gives a stand-in, in-process as methods or over the control channel.

Venues add their own with @command; every argument and result must be what the codec can carry.
"""

from decimal import Decimal
from typing import Any

from tests.fakes.channel.commands import command
from tests.fakes.exchange.account import Account
from tests.fakes.exchange.faults import Fault, Faults, ScriptedFault
from tests.fakes.exchange.records import ZERO, Fill, Order, Position, Quote, Side, Why
from tests.fakes.exchange.wire import Request, Socket


class Commands:
    """What every stand-in can be told."""

    account: Account
    script: Faults
    journal: list[Request]
    heard: list[tuple[str, str]]
    clients: list[Socket]
    logins_refused: bool
    stepped_aside_seconds: float
    _held: dict[str, list[tuple[Socket, Any]]]
    _mute: bool
    _pongs: bool
    _accepting: bool

    # The market

    @command
    def set_quote(
        self,
        market: str,
        bid: Decimal,
        ask: Decimal,
        bid_size: Decimal | None = None,
        ask_size: Decimal | None = None,
        last: Decimal | None = None,
        mark: Decimal | None = None,
        index: Decimal | None = None,
    ) -> Quote:
        """Set prices (and how much they are good for), and let orders fill and trigger on them."""
        return self.account.set_quote(
            market,
            bid,
            ask,
            bid_size=bid_size,
            ask_size=ask_size,
            last=last,
            mark=mark,
            index=index,
        )

    @command
    def pause_matching(self) -> None:
        """Take orders but fill none."""
        self.account.pause_matching()

    @command
    def resume_matching(self) -> None:
        """Fill what waited."""
        self.account.resume_matching()

    # The account

    @command
    def set_position(self, market: str, quantity: Decimal, price: Decimal) -> Position:
        """Have a position (signed) without a fill; streams tell of it."""
        return self.account.set_position(market, quantity, price)

    @command
    def set_balance(self, currency: str, amount: Decimal) -> None:
        """Have that much of a currency."""
        self.account.set_balance(currency, amount)

    @command
    def force_fill(
        self,
        market: str,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        marker: str,
        client_id: str | None = None,
        fee_rate: Decimal = ZERO,
        with_order: bool = False,
    ) -> Fill:
        """A fill with the venue's marker that none of our orders made."""
        return self.account.force_fill(
            market,
            side,
            quantity,
            price,
            marker=marker,
            client_id=client_id,
            fee_rate=fee_rate,
            with_order=with_order,
        )

    @command
    def hand_trade(self, market: str, side: Side, quantity: Decimal, price: Decimal) -> Fill:
        """A trade by hand in the venue's own screen: an order without a client id, filled."""
        rules = self.account.rules
        return self.account.force_fill(
            market,
            side,
            quantity,
            price,
            marker=rules.taker_word,
            fee_rate=rules.taker_fee,
            with_order=True,
        )

    @command
    def refuse_next(self, why: Why, times: int = 1, market: str = "") -> None:
        """Refuse the next orders for a reason."""
        self.account.refuse_next(why, times, market)

    @command
    def orders(self, open_only: bool = False) -> tuple[Order, ...]:
        """The orders, oldest first."""
        return tuple(self.account.open_orders() if open_only else self.account.orders.values())

    @command
    def fills(self) -> tuple[Fill, ...]:
        """The fills, oldest first."""
        return tuple(self.account.fills)

    @command
    def positions(self) -> tuple[Position, ...]:
        """The positions that are not flat."""
        return tuple(self.account.held_positions())

    @command
    def held(self, market: str) -> Decimal:
        """The signed position of a market, 0 when flat."""
        return self.account.held(market)

    @command
    def balance(self, currency: str) -> Decimal:
        return self.account.balances.get(currency, ZERO)

    # What goes wrong

    @command
    def fault(
        self,
        fault: Fault,
        path: str = "",
        method: str = "",
        times: int = 1,
        retry_after_seconds: int = 1,
    ) -> None:
        """Make the next requests fail whose path contains `path`."""
        self.script.add(
            ScriptedFault(
                fault=fault,
                path=path,
                method=method,
                times=times,
                retry_after_seconds=retry_after_seconds,
            )
        )

    @command
    def clear_faults(self) -> None:
        self.script.clear()

    @command
    def drop_sockets(self) -> int:
        """Abort every WebSocket; returns how many there were."""
        dropped = list(self.clients)
        for socket in dropped:
            socket.abort()
        return len(dropped)

    @command
    def accept_sockets(self, accept: bool) -> None:
        """Whether new WebSockets are taken."""
        self._accepting = accept

    @command
    def mute_sockets(self, mute: bool = True, pongs: bool = True) -> None:
        """Keep sockets open and send nothing (what is sent meanwhile is lost); pongs=False
        leaves pings unanswered too."""
        self._mute, self._pongs = mute, pongs
        for socket in self.clients:
            socket.mute = mute

    @command
    def hold(self, channel: str) -> None:
        """Keep a stream's messages back until release(channel), to space or reorder them."""
        self._held.setdefault(channel, [])

    @command
    def release(self, channel: str) -> int:
        """Send what a held stream kept; returns how many messages."""
        kept = self._held.pop(channel, [])
        for socket, message in kept:
            socket.send(message)
        return len(kept)

    @command
    def refuse_logins(self, refuse: bool = True) -> None:
        """Take no key, right or wrong."""
        self.logins_refused = refuse

    @command
    def step_clock_aside(self, seconds: float) -> None:
        """Move the exchange's clock that far from the client's."""
        self.stepped_aside_seconds = seconds

    # What clients did

    @command
    def requests(self, path: str = "", method: str = "") -> tuple[Request, ...]:
        """The HTTP requests whose path contains `path`, oldest first."""
        return tuple(one for one in self.journal if path in one.path and method in ("", one.method))

    @command
    def messages(self, text: str = "") -> tuple[str, ...]:
        """The WebSocket messages of clients that contain a text, oldest first."""
        return tuple(one for _, one in self.heard if text in one)

    @command
    def forget_requests(self) -> None:
        """Start the journal anew."""
        self.journal.clear()
        self.heard.clear()

    @command
    def connections(self) -> int:
        """How many WebSockets are open."""
        return len(self.clients)

    @command
    def subscribers(self, channel: str) -> int:
        """How many WebSockets have subscribed to a channel."""
        return sum(channel in one.subscriptions for one in self.clients)

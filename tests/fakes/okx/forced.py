"""What happens to an OKX account without its asking: the commands for it.

An ordinary account is never assigned a position: deleveraging, liquidation and delivery shrink
what it has, under an order of OKX's own whose `category` names them. A block trade changes the
position with neither an order nor a fill, only a bill.
"""

from decimal import Decimal

from tests.fakes.channel.commands import command
from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import ZERO, Cause, Fill, Side
from tests.fakes.okx.rows import Row
from tests.fakes.okx.streams import Streams
from tests.fakes.okx.trading import Trading

LIQUIDATION_FEE = Decimal("0.0005")


class ForcedEvents:
    """Commands of the stand-in beyond those every exchange has."""

    account: Account
    _trading: Trading
    _streams: Streams

    @command
    def adl(self, market: str, quantity: Decimal, price: Decimal) -> Fill:
        """Deleverage: take contracts off a position at a price, free of fee."""
        return self._shrink(market, quantity, price, "adl", ZERO)

    @command
    def liquidate(self, market: str, price: Decimal, quantity: Decimal | None = None) -> Fill:
        """Liquidate a position, in full or (quantity) in part; open orders go first, if in full."""
        if quantity is not None:
            return self._shrink(market, quantity, price, "partial_liquidation", LIQUIDATION_FEE)
        for order in self.account.open_orders():
            if order.market == market:
                self.account.cancel(order.id, cause=Cause.WITHDRAWN)
        whole = abs(self.account.held(market))
        return self._shrink(market, whole, price, "full_liquidation", LIQUIDATION_FEE)

    @command
    def deliver(self, market: str, price: Decimal) -> Fill:
        """Close a position because its contract is delisted."""
        return self._shrink(market, abs(self.account.held(market)), price, "delivery", ZERO)

    @command
    def block_trade(self, market: str, side: Side, quantity: Decimal, price: Decimal) -> Fill:
        """Trade a block off the book: no order and no fill is told of, only a bill."""
        return self.account.force_fill(market, side, quantity, price, marker="block")

    @command
    def fund(self, market: str, rate: Decimal) -> Decimal:
        """Pay (or, with a negative rate, receive) funding on a position; returns what came in."""
        quote = self.account.quotes[market]
        worth = self.account.market(market).value(self.account.held(market), quote.mark)
        self._book_funding(market, -worth * rate)
        return -worth * rate

    @command
    def refuse_code_next(self, code: str, message: str = "", times: int = 1) -> None:
        """Refuse the next orders, algo orders too, with an sCode."""
        self._trading.refuse_next(code, message, times)

    @command
    def replay(self, channel: str) -> None:
        """Tell once more: `positions` and `account` what a subscription begins with, `orders` every
        push that brought a fill, oldest first."""
        if channel == "orders":
            self._replay_orders(list(self.account.fills))
        else:
            self._streams.replay(channel)

    def _shrink(
        self, market: str, quantity: Decimal, price: Decimal, category: str, fee_rate: Decimal
    ) -> Fill:
        held = self.account.held(market)
        if not ZERO < quantity <= abs(held):
            raise ValueError(f"cannot take {quantity} off a position of {held}")
        return self.account.force_fill(
            market,
            Side.SELL if held > 0 else Side.BUY,
            quantity,
            price,
            marker=category,
            fee_rate=fee_rate,
            with_order=True,
            words=(("category", category), ("ordType", "market"), ("tdMode", "cross")),
        )

    def _replay_orders(self, fills: list[Fill]) -> None:
        raise NotImplementedError

    def _book_funding(self, market: str, amount: Decimal) -> Row:
        raise NotImplementedError

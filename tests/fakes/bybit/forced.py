"""What happens to a Bybit account without its asking: the commands for it.

Each is an execution with an execType of its own and an order of Bybit's making. An ordinary
account is never assigned a position: all but block trades and moved positions shrink what it has,
and funding changes no position at all.
"""

from decimal import Decimal

from tests.fakes.bybit.streams import Streams
from tests.fakes.bybit.trading import Trading
from tests.fakes.channel.commands import command
from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import ZERO, Cause, Fill, Side

_TAKEN_OVER = "CreateByTakeOver_PassThrough"


class ForcedEvents:
    """Commands of the stand-in beyond those every exchange has."""

    account: Account
    _trading: Trading
    _streams: Streams

    @command
    def adl(self, market: str, quantity: Decimal, price: Decimal) -> Fill:
        """Deleverage: take off a position at a price, free of fee (AdlTrade)."""
        return self._shrink(market, quantity, price, "AdlTrade", "CreateByAdl_PassThrough")

    @command
    def liquidate(self, market: str, price: Decimal, quantity: Decimal | None = None) -> Fill:
        """Liquidate a position in full, or (quantity) by a step of the ladder (BustTrade); the
        market's open orders go first."""
        for order in self.account.open_orders():
            if order.market == market:
                self.account.cancel(order.id, cause=Cause.WITHDRAWN)
        created = _TAKEN_OVER if quantity is None else "CreateByLiq"
        quantity = abs(self.account.held(market)) if quantity is None else quantity
        rate = self.account.rules.taker_fee
        return self._shrink(market, quantity, price, "BustTrade", created, rate)

    @command
    def settle(self, market: str, price: Decimal) -> Fill:
        """Close a position at settlement, its contract being delisted (Settle)."""
        whole = abs(self.account.held(market))
        return self._shrink(market, whole, price, "Settle", "CreateBySettle")

    @command
    def deliver(self, market: str, price: Decimal) -> Fill:
        """Close a position by delivery (Delivery)."""
        whole = abs(self.account.held(market))
        return self._shrink(market, whole, price, "Delivery", "CreateBySettle")

    @command
    def block_trade(self, market: str, side: Side, quantity: Decimal, price: Decimal) -> Fill:
        """Trade a block off the book (BlockTrade)."""
        block = ("blockTradeId", f"block-{len(self.account.fills)}")
        words = (("createType", "CreateByBlock_PassThrough"), block)
        return self._force(market, side, quantity, price, "BlockTrade", words)

    @command
    def move_position(self, market: str, side: Side, quantity: Decimal, price: Decimal) -> Fill:
        """Move a position between accounts: to this one with BUY, from it with SELL, where it is
        long (MovePosition)."""
        words = (("createType", "CreateByBlockTradeMovePosition_PassThrough"),)
        return self._force(market, side, quantity, price, "MovePosition", words)

    @command
    def fund(self, market: str, rate: Decimal) -> Fill:
        """Pay (or, with a negative rate, receive) funding on a position (Funding)."""
        held, quote = self.account.held(market), self.account.quotes[market]
        if not held:
            raise ValueError("no position pays no funding")
        return self._book_funding(market, held, quote.mark, rate)

    @command
    def refuse_code_next(self, code: int, message: str = "", times: int = 1) -> None:
        """Refuse the next orders with a retCode."""
        self._trading.refuse_next(code, message, times)

    @command
    def replay(self, topic: str) -> None:
        """Push once more what a private topic told: `execution` every execution, oldest first,
        `order` and `position` each as it now stands, `wallet` the wallet."""
        self._replay(topic)

    def _shrink(
        self,
        market: str,
        quantity: Decimal,
        price: Decimal,
        kind: str,
        created: str,
        fee_rate: Decimal = ZERO,
    ) -> Fill:
        held = self.account.held(market)
        if not ZERO < quantity <= abs(held):
            raise ValueError(f"cannot take {quantity} off a position of {held}")
        side = Side.SELL if held > 0 else Side.BUY
        words = (("createType", created),)
        return self._force(market, side, quantity, price, kind, words, fee_rate)

    def _force(
        self,
        market: str,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        kind: str,
        words: tuple[tuple[str, str], ...],
        fee_rate: Decimal = ZERO,
    ) -> Fill:
        return self.account.force_fill(
            market,
            side,
            quantity,
            price,
            marker=kind,
            fee_rate=fee_rate,
            with_order=True,
            words=words,
        )

    def _book_funding(self, market: str, held: Decimal, price: Decimal, rate: Decimal) -> Fill:
        raise NotImplementedError

    def _replay(self, topic: str) -> None:
        raise NotImplementedError

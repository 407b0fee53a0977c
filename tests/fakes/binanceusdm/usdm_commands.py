"""The commands only Binance USD-M knows: deleveraging, liquidation, settlement, listen keys.

Quantities are positive; what Binance does to a position goes against its side.
"""

from decimal import Decimal
from itertools import count

from tests.fakes.binance_spot.errors import Refused
from tests.fakes.binance_spot.venue import USER, BinanceVenue
from tests.fakes.binanceusdm.account import CALCULATED, TRADE, UsdmAccount
from tests.fakes.binanceusdm.happenings import account_update
from tests.fakes.binanceusdm.private import PrivateApi
from tests.fakes.channel.commands import command
from tests.fakes.exchange.records import ZERO, Fill, Order, Position, Refusal, Side, Why

_NUMBERS = count(1)


class UsdmCommands(BinanceVenue):
    """What a Binance USD-M can be told besides what every stand-in can."""

    usdm: UsdmAccount
    private: PrivateApi
    account_first: bool = True

    # What Binance does to a position

    @command
    def adl(
        self,
        market: str,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        status: str = "FILLED",
        execution: str = CALCULATED,
        pending: bool = True,
    ) -> Fill:
        """Deleverage: take off that much (all unless given). pending: a row of quantity 0 and
        status NEW_ADL goes ahead; status may be NEW_ADL on the execution too, and execution TRADE
        shows it as a trade of ours as well."""
        return self._force(
            market,
            quantity,
            price,
            client_id="adl_autoclose",
            execution=execution,
            words=(
                ("type", "LIMIT"),
                ("pending", "NEW_ADL"),
                ("done", status),
                ("told", "yes" if pending else ""),
            ),
        )

    @command
    def liquidate(
        self,
        market: str,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        insurance: bool = False,
    ) -> Fill:
        """Liquidate a position; insurance: the insurance fund takes it over (NEW_INSURANCE)."""
        return self._force(
            market,
            quantity,
            price,
            client_id=f"autoclose-{self.now_ms()}{next(_NUMBERS):06d}",
            execution=CALCULATED,
            words=(
                ("type", "LIQUIDATION"),
                ("listed_type", "LIMIT"),
                ("pending", "NEW"),
                ("done", "NEW_INSURANCE" if insurance else "FILLED"),
                ("told", "yes"),
            ),
        )

    @command
    def settle(self, market: str, price: Decimal | None = None) -> Fill:
        """Close a position because its symbol is settled."""
        return self._close(market, price, "settlement_autoclose")

    @command
    def deliver(self, market: str, price: Decimal | None = None) -> Fill:
        """Close a position because its contract is delivered."""
        return self._close(market, price, "delivery_autoclose")

    @command
    def hand_trade(self, market: str, side: Side, quantity: Decimal, price: Decimal) -> Fill:
        """A market order in Binance's own screen, filled at a price."""
        return self.usdm.book_forced(
            market,
            side,
            quantity,
            price,
            client_id=f"web_{next(_NUMBERS):020d}",
            execution=TRADE,
            words=(("type", "MARKET"), ("told", "yes")),
        )

    # The account

    @command
    def set_balance(self, currency: str, amount: Decimal) -> None:
        """Have that much of a currency; the stream tells of a deposit."""
        change = amount - self.usdm.wallet(currency)
        self.usdm.set_balance(currency, amount)
        self._tell_account("DEPOSIT", currency, change=change)

    @command
    def set_position(self, market: str, quantity: Decimal, price: Decimal) -> Position:
        """Have a position (signed) without order or fill; the stream tells of an adjustment."""
        position = self.usdm.set_position(market, quantity, price)
        self._tell_account("ADJUSTMENT", self.usdm.market(market).settle, market_id=market)
        return position

    @command
    def account_update_first(self, first: bool) -> None:
        """Whether a fill's ACCOUNT_UPDATE goes ahead of its ORDER_TRADE_UPDATE, as it usually
        does, or comes after it."""
        self.account_first = first

    @command
    def fill_order(
        self, order: str, quantity: Decimal | None = None, price: Decimal | None = None
    ) -> Fill:
        """Fill a resting order (id or client id), all that is left unless quantity is given."""
        return self.usdm.fill(self._named(order).id, quantity, price)

    @command
    def cancel_by_hand(self, order: str) -> Order:
        """Cancel an order (id or client id) as its owner would in Binance's own screen."""
        return self.usdm.cancel(self._named(order).id)

    # What goes wrong

    @command
    def refuse_next_order(self, code: int, text: str, status: int = 400) -> None:
        """Answer the next new order, plain or conditional, with an error of Binance's."""
        self.usdm.order_refusals.append(Refused(code=code, text=text, status=status))

    @command
    def expire_listen_key(self) -> None:
        """End the user data stream: Binance says so once and then nothing more."""
        self.private.listen_key_lives = False
        self.publish({"e": "listenKeyExpired", "E": self.now_ms()}, channel=USER)
        for socket in self.clients:
            socket.subscriptions.discard(USER)

    # Inside

    def _tell_account(
        self,
        reason: str,
        currency: str,
        *,
        change: Decimal = ZERO,
        market_id: str | None = None,
    ) -> None:
        message = account_update(
            self.usdm,
            self.now_ms(),
            reason=reason,
            currency=currency,
            change=change,
            market_id=market_id,
        )
        self.publish(message, channel=USER)

    def _close(self, market: str, price: Decimal | None, prefix: str) -> Fill:
        return self._force(
            market,
            None,
            price,
            client_id=f"{prefix}-{self.now_ms()}{next(_NUMBERS):06d}",
            execution=CALCULATED,
            words=(("type", "MARKET"), ("told", "yes")),
        )

    def _force(
        self,
        market: str,
        quantity: Decimal | None,
        price: Decimal | None,
        *,
        client_id: str,
        execution: str,
        words: tuple[tuple[str, str], ...],
    ) -> Fill:
        held = self.usdm.held(market)
        if not held:
            raise Refusal(Why.WOULD_NOT_REDUCE, f"no position in {market}")
        return self.usdm.book_forced(
            market,
            Side.SELL if held > 0 else Side.BUY,
            abs(held) if quantity is None else quantity,
            self.usdm.quotes[market].mark if price is None else price,
            client_id=client_id,
            execution=execution,
            words=words,
        )

    def _named(self, name: str) -> Order:
        found = self.usdm.find(order_id=name) or self.usdm.find(client_id=name)
        if found is None:
            raise Refusal(Why.UNKNOWN_ORDER, name)
        return found

"""The commands only Binance spot knows: fills, commissions, refusals.

Orders are named by their id or client id, order lists by their client id.
"""

from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from tests.fakes.binance_spot import errors
from tests.fakes.binance_spot.account import SpotAccount
from tests.fakes.binance_spot.asked import made_up_id
from tests.fakes.binance_spot.errors import Refused
from tests.fakes.binance_spot.happenings import account_position, balance_update
from tests.fakes.binance_spot.lists import OrderList
from tests.fakes.binance_spot.venue import USER, BinanceVenue
from tests.fakes.channel.commands import command
from tests.fakes.exchange.records import ZERO, BalanceChanged, Fill, Order, Refusal, Side, Why


class SpotCommands(BinanceVenue):
    """What a Binance spot can be told besides what every stand-in can."""

    spot: SpotAccount
    _web_numbers = count(1)

    def tell_user(self, event: dict[str, Any]) -> None:
        raise NotImplementedError

    # The account

    @command
    def set_balance(self, currency: str, amount: Decimal) -> None:
        """Have that much of a currency (free and locked together); streams tell of it."""
        before = self.spot.balances.get(currency, ZERO)
        self.spot.set_balance(currency, amount)
        change = BalanceChanged(currency=currency, amount=amount, change=amount - before)
        self.tell_user(balance_update(change, self.now_ms()))
        self.tell_user(account_position(self.spot, (currency,), self.now_ms()))

    @command
    def free(self, currency: str) -> Decimal:
        return self.spot.free(currency)

    @command
    def locked(self, currency: str) -> Decimal:
        return self.spot.locked(currency)

    @command
    def set_commission(
        self, maker: Decimal | None = None, taker: Decimal | None = None, in_bnb: bool = False
    ) -> None:
        """What fills cost, as a share, and whether it is taken in BNB (a quarter less) while there
        is some, else out of what the fill brings."""
        rules = self.spot.rules
        self.spot.rules = replace(
            rules,
            maker_fee=rules.maker_fee if maker is None else maker,
            taker_fee=rules.taker_fee if taker is None else taker,
        )
        self.spot.pay_in_bnb = in_bnb

    @command
    def set_average_price(self, market: str, price: Decimal) -> None:
        """The average the price and notional filters go by; the last price unless set."""
        self.spot.set_average(market, price)

    @command
    def split_fills(self, pieces: int) -> None:
        """Deal every taking order's quantity in that many fills."""
        self.spot.fills_each = pieces

    # Orders

    @command
    def fill_order(
        self, order: str, quantity: Decimal | None = None, price: Decimal | None = None
    ) -> Fill:
        """Fill a live order, all that is left unless quantity is given, at its own price unless
        price is. A stop is triggered first; what a market order leaves expires."""
        return self.spot.fill(self._named(order).id, quantity, price)

    @command
    def fill_leg(
        self,
        order_list: str,
        stop: bool,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> Fill:
        """Fill the stop or the other leg of an order list, as fill_order does."""
        legs = [self.spot.orders[one] for one in self._list(order_list).order_ids]
        (leg,) = (one for one in legs if one.kind.waits is stop)
        return self.spot.fill(leg.id, quantity, price)

    @command
    def cancel_by_hand(self, order: str) -> Order:
        """Cancel an order as its owner would in Binance's own screen."""
        return self.spot.cancel(self._named(order).id, cancel_id=f"web_{made_up_id()}")

    @command
    def hand_trade(self, market: str, side: Side, quantity: Decimal, price: Decimal) -> Fill:
        """A market order in Binance's own screen, filled at a price."""
        return self.spot.force_fill(
            market,
            side,
            quantity,
            price,
            marker=self.spot.rules.taker_word,
            client_id=f"web_{next(self._web_numbers):032x}",
            fee_rate=self.spot.rules.taker_fee,
            with_order=True,
            words=(("type", "MARKET"),),
        )

    @command
    def order_lists(self, live_only: bool = False) -> tuple[OrderList, ...]:
        """The order lists, oldest first."""
        return tuple(one for one in self.spot.lists.values() if one.live or not live_only)

    # What goes wrong

    @command
    def refuse_next_order(
        self, code: int = -2010, text: str = errors.INSUFFICIENT_BALANCE, status: int = 400
    ) -> None:
        """Answer the next new order with an error of Binance's."""
        self.spot.order_refusals.append(Refused(code=code, text=text, status=status))

    @command
    def refuse_next_oco(
        self, code: int = -2010, text: str = errors.OCO_BAD_PRICES, status: int = 400
    ) -> None:
        """Answer the next OCO with an error of Binance's."""
        self.spot.list_refusals.append(Refused(code=code, text=text, status=status))

    @command
    def end_user_stream(self) -> None:
        """Terminate the user data stream, as Binance does when a subscription runs out."""
        self.tell_user({"e": "eventStreamTerminated", "E": self.now_ms()})
        for socket in self.clients:
            socket.subscriptions.discard(USER)

    # Inside

    def _named(self, name: str) -> Order:
        found = self.spot.find(order_id=name) or self.spot.find(client_id=name)
        if found is None:
            raise Refusal(Why.UNKNOWN_ORDER, name)
        return found

    def _list(self, client_id: str) -> OrderList:
        found = [one for one in self.spot.lists.values() if one.client_id == client_id]
        if not found:
            raise Refusal(Why.UNKNOWN_ORDER, client_id)
        return found[-1]

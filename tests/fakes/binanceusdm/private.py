"""What Binance USD-M does and answers for the owner of the account.

Each method takes a request's parameters and returns what is answered; refusals are raised. Plain
orders and conditional ones have endpoints of their own and do not see each other.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.fakes.binance_spot.asked import number, word
from tests.fakes.binance_spot.bars import milliseconds
from tests.fakes.binance_spot.errors import (
    Rejected,
    invalid_symbol,
    no_such_order,
    one_of,
    unknown_order,
)
from tests.fakes.binance_spot.paging import limited, within
from tests.fakes.binance_spot.venue import Params
from tests.fakes.binance_spot.wallet import coin_rows, restrictions
from tests.fakes.binanceusdm.account import UsdmAccount
from tests.fakes.binanceusdm.asked import algo_order_of, order_of
from tests.fakes.binanceusdm.rows import Rows, eight
from tests.fakes.exchange.records import ZERO, Order, State

LISTEN_KEY = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
_FORCED = {
    "LIQUIDATION": ("autoclose-",),
    "ADL": ("adl_autoclose",),
}
_TOTALS = (
    "initialMargin",
    "maintMargin",
    "walletBalance",
    "unrealizedProfit",
    "marginBalance",
    "positionInitialMargin",
    "openOrderInitialMargin",
    "crossWalletBalance",
    "crossUnPnl",
)


class PrivateApi:
    """The trading interface of one account."""

    def __init__(self, account: UsdmAccount, now_ms: Callable[[], int]) -> None:
        self._account = account
        self._now_ms = now_ms
        self.rows = Rows(account)
        self.listen_key_lives = False

    # Orders

    def place(self, params: Params) -> Any:
        order = self._account.place(order_of(params))
        return self.rows.order(order)

    def order(self, params: Params) -> Any:
        found = self._find(params, self._plain_orders())
        if found is None:
            raise no_such_order()
        return self.rows.order(found)

    def cancel(self, params: Params) -> Any:
        found = self._find(params, [one for one in self._plain_orders() if one.state.live])
        if found is None:
            raise unknown_order()
        return self.rows.order(self._account.cancel(found.id))

    def edit(self, params: Params) -> Any:
        """PUT order: price and quantity of a resting limit order."""
        found = self._find(params, [one for one in self._plain_orders() if one.state.live])
        if found is None:
            raise unknown_order()
        quantity, price = number(params, "quantity"), number(params, "price")
        return self.rows.order(self._account.edit(found.id, quantity=quantity, limit_price=price))

    def open_orders(self, params: Params) -> Any:
        found = [one for one in self._plain_orders() if one.state.live]
        return [self.rows.order(order) for order in self._of_symbol(params, found)]

    def cancel_open(self, params: Params) -> Any:
        self._symbol(params)
        live = [one for one in self._plain_orders() if one.state.live]
        for order in self._of_symbol(params, live):
            self._account.cancel(order.id)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def all_orders(self, params: Params) -> Any:
        found = [
            one
            for one in self._of_symbol(params, self._plain_orders())
            if int(one.id) >= int(params.get("orderId", 0))
            and within(params, milliseconds(one.created_at))
        ]
        return [self.rows.order(order) for order in limited(params, found)]

    def user_trades(self, params: Params) -> Any:
        symbol = params.get("symbol")
        found = [
            one
            for one in self._account.fills
            if symbol in (None, "", one.market)
            and str(params.get("orderId", one.order_id)) == one.order_id
            and int(one.id) >= int(params.get("fromId", 0))
            and within(params, milliseconds(one.at))
        ]
        return [self.rows.trade(fill) for fill in limited(params, found)]

    def force_orders(self, params: Params) -> Any:
        """Liquidations and deleveragings of this account."""
        kind = params.get("autoCloseType")
        if kind is not None and kind not in _FORCED:
            raise Rejected(-1130, "Data sent for parameter 'autoCloseType' is not valid.")
        every = [prefix for prefixes in _FORCED.values() for prefix in prefixes]
        prefixes = tuple(every if kind is None else _FORCED[str(kind)])
        found = [
            one
            for one in self._of_symbol(params, self._plain_orders())
            if (one.client_id or "").startswith(prefixes)
            and one.filled
            and within(params, milliseconds(one.created_at))
        ]
        return [self.rows.order(order) for order in limited(params, found)]

    # Conditional orders

    def place_algo(self, params: Params) -> Any:
        order = self._account.place(algo_order_of(params))
        return self.rows.algo_order(self._account.orders[order.id])

    def algo(self, params: Params) -> Any:
        found = self._find_algo(params, self._algo_orders())
        if found is None:
            raise no_such_order()
        return self.rows.algo_order(found)

    def cancel_algo(self, params: Params) -> Any:
        live = [one for one in self._algo_orders() if one.state is State.WAITING]
        found = self._find_algo(params, live)
        if found is None:
            raise unknown_order()
        self._account.cancel(found.id)
        return {
            "algoId": int(found.id),
            "clientAlgoId": found.client_id,
            "code": "200",
            "msg": "success",
        }

    def open_algos(self, params: Params) -> Any:
        live = [one for one in self._algo_orders() if one.state is State.WAITING]
        return [self.rows.algo_order(order) for order in self._of_symbol(params, live)]

    def cancel_open_algos(self, params: Params) -> Any:
        self._symbol(params)
        live = [one for one in self._algo_orders() if one.state is State.WAITING]
        for order in self._of_symbol(params, live):
            self._account.cancel(order.id)
        return {"code": 200, "msg": "The operation of cancel all open order is done."}

    def all_algos(self, params: Params) -> Any:
        found = [
            one
            for one in self._of_symbol(params, self._algo_orders())
            if int(one.id) >= int(params.get("algoId", 0))
            and within(params, milliseconds(one.created_at))
        ]
        return [self.rows.algo_order(order) for order in limited(params, found)]

    # The account

    def positions(self, params: Params) -> Any:
        """positionRisk, version 3: what is held or has orders."""
        busy = {one.market for one in self._account.open_orders()}
        names = [name for name in self._account.listed if self._account.held(name) or name in busy]
        return [self.rows.position(name, version=3) for name in self._asked(params, names)]

    def positions_v2(self, params: Params) -> Any:
        """positionRisk, version 2: every symbol."""
        names = self._asked(params, list(self._account.listed))
        return [self.rows.position(name, version=2) for name in names]

    def account(self, params: Params) -> Any:
        assets = [self.rows.asset(one, self._now_ms()) for one in self._account.balances]

        def total(name: str) -> str:
            return eight(sum((Decimal(asset[name]) for asset in assets), ZERO))

        held = self._account.held_positions()
        return {
            **{f"total{name[0].upper()}{name[1:]}": total(name) for name in _TOTALS},
            "availableBalance": total("availableBalance"),
            "maxWithdrawAmount": total("maxWithdrawAmount"),
            "assets": assets,
            "positions": [self.rows.account_position(position) for position in held],
        }

    def balance(self, params: Params) -> Any:
        rows = []
        for currency in self._account.balances:
            asset = self.rows.asset(currency, self._now_ms())
            rows.append(
                {
                    "accountAlias": "SgsR",
                    "asset": currency,
                    "balance": asset["walletBalance"],
                    "crossWalletBalance": asset["crossWalletBalance"],
                    "crossUnPnl": asset["crossUnPnl"],
                    "availableBalance": asset["availableBalance"],
                    "maxWithdrawAmount": asset["maxWithdrawAmount"],
                    "marginAvailable": True,
                    "updateTime": asset["updateTime"],
                }
            )
        return rows

    def brackets(self, params: Params) -> Any:
        """One bracket a symbol: ten thousand million at 0.4 per cent."""
        bracket = {
            "bracket": 1,
            "initialLeverage": 125,
            "notionalCap": 10_000_000_000,
            "notionalFloor": 0,
            "maintMarginRatio": 0.004,
            "cum": 0,
        }
        names = self._asked(params, list(self._account.listed))
        return [{"symbol": name, "brackets": [bracket]} for name in names]

    def income(self, params: Params) -> Any:
        rows = [
            {
                "symbol": fill.market,
                "incomeType": kind,
                "income": eight(amount),
                "asset": fill.fee_currency,
                "time": milliseconds(fill.at),
                "info": fill.id,
                "tranId": int(fill.id),
                "tradeId": fill.id,
            }
            for fill in self._account.fills
            for kind, amount in (("REALIZED_PNL", fill.realised), ("COMMISSION", -fill.fee))
            if amount
            and params.get("incomeType") in (None, "", kind)
            and params.get("symbol") in (None, "", fill.market)
            and within(params, milliseconds(fill.at))
        ]
        return limited(params, rows)

    def set_leverage(self, params: Params) -> Any:
        symbol = self._symbol(params)
        self._account.leverage[symbol] = int(word(params, "leverage"))
        return {
            "leverage": self._account.leverage[symbol],
            "maxNotionalValue": "40000000",
            "symbol": symbol,
        }

    def position_mode(self, params: Params) -> Any:
        return {"dualSidePosition": False}

    def coins(self, params: Params) -> Any:
        markets = self._account.markets.values()
        names = [name for one in markets for name in (one.base, one.quote)]
        return coin_rows(names, self._account.wallet)

    def restrictions(self, params: Params) -> Any:
        return restrictions(spot=False, futures=True)

    # The user data stream

    def begin_stream(self, params: Params) -> Any:
        self.listen_key_lives = True
        return {"listenKey": LISTEN_KEY}

    def keep_stream(self, params: Params) -> Any:
        if not self.listen_key_lives:
            raise Rejected(-1125, "This listenKey does not exist.")
        return {"listenKey": LISTEN_KEY}

    def end_stream(self, params: Params) -> Any:
        self.listen_key_lives = False
        return {}

    # Inside

    def _symbol(self, params: Params) -> str:
        name = word(params, "symbol")
        if name not in self._account.listed:
            raise invalid_symbol()
        return name

    def _plain_orders(self) -> list[Order]:
        return [one for one in self._account.orders.values() if not _conditional(one)]

    def _algo_orders(self) -> list[Order]:
        return [one for one in self._account.orders.values() if _conditional(one)]

    def _of_symbol(self, params: Params, orders: list[Order]) -> list[Order]:
        return [one for one in orders if params.get("symbol") in (None, "", one.market)]

    def _asked(self, params: Params, names: list[str]) -> list[str]:
        if params.get("symbol"):
            return [self._symbol(params)]
        return names

    def _find(self, params: Params, orders: list[Order]) -> Order | None:
        symbol = self._symbol(params)
        if params.get("orderId"):
            found = [one for one in orders if one.id == str(params["orderId"])]
        elif params.get("origClientOrderId"):
            found = [one for one in orders if one.client_id == params["origClientOrderId"]]
        else:
            raise one_of("origClientOrderId", "orderId")
        found = [one for one in found if one.market == symbol]
        return found[-1] if found else None

    def _find_algo(self, params: Params, orders: list[Order]) -> Order | None:
        if params.get("algoId"):
            found = [one for one in orders if one.id == str(params["algoId"])]
        elif params.get("clientAlgoId"):
            found = [one for one in orders if one.client_id == params["clientAlgoId"]]
        else:
            raise one_of("algoId", "clientAlgoId")
        return found[-1] if found else None


def _conditional(order: Order) -> bool:
    return order.kind.waits

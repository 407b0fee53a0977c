"""The user data stream of Binance spot: account events as executionReport and its siblings."""

from decimal import Decimal
from typing import Any

from tests.fakes.binance_spot.account import SpotAccount
from tests.fakes.binance_spot.bars import milliseconds
from tests.fakes.binance_spot.lists import OrderList
from tests.fakes.binance_spot.rows import (
    MODE,
    force_of,
    list_id_of,
    status_of,
    type_of,
    working_ms,
)
from tests.fakes.binance_spot.symbols import eight
from tests.fakes.exchange.records import ZERO, BalanceChanged, Cause, Fill, Order, OrderChanged


def execution_report(account: SpotAccount, event: OrderChanged, now_ms: int) -> dict[str, Any]:
    """What became of an order. c is the cancel's own id where a cancel ended it, C the order's."""
    order, fill = event.order, event.fill
    cancelled = order.cause is Cause.CANCELLED
    row: dict[str, Any] = {
        "e": "executionReport",
        "E": now_ms,
        "s": order.market,
        "c": account.cancel_ids.get(order.id) if cancelled else order.client_id,
        "S": order.side.value.upper(),
        "o": type_of(order),
        "f": force_of(order),
        "q": eight(order.quantity),
        "p": eight(order.limit_price or ZERO),
        "P": eight(order.stop_price or ZERO),
        "F": eight(0),
        "g": list_id_of(order),
        "C": order.client_id if cancelled else "",
        "x": _execution_type(order, fill),
        "X": status_of(order),
        "r": "NONE",
        "i": int(order.id),
        **_last(fill),
        "z": eight(order.filled),
        "T": milliseconds(order.updated_at),
        "I": 8641984 + int(order.id),
        "w": order.state.live and working_ms(order) != -1,
        "O": milliseconds(order.created_at),
        "Z": eight(account.spent.get(order.id, ZERO)),
        "Q": eight(Decimal(order.word("quoteOrderQty", "0"))),
        "V": MODE,
    }
    if working_ms(order) != -1:
        row["W"] = working_ms(order)
    if order.cause is Cause.NO_LIQUIDITY:
        row["eR"] = "INSUFFICIENT_LIQUIDITY"
    return row


def list_status(account: SpotAccount, made: OrderList, now_ms: int) -> dict[str, Any]:
    """An order list begins or is done."""
    return {
        "e": "listStatus",
        "E": now_ms,
        "s": made.market,
        "g": made.id,
        "c": "OCO",
        "l": made.status_type,
        "L": made.status.value,
        "r": "NONE",
        "C": made.client_id,
        "T": milliseconds(made.updated_at),
        "O": [
            {
                "s": made.market,
                "i": int(order_id),
                "c": account.orders[order_id].client_id,
            }
            for order_id in made.order_ids
        ],
    }


def account_position(
    account: SpotAccount, currencies: tuple[str, ...], now_ms: int
) -> dict[str, Any]:
    """Free and locked of the currencies an order or fill may have moved."""
    return {
        "e": "outboundAccountPosition",
        "E": now_ms,
        "u": now_ms,
        "B": [
            {
                "a": currency,
                "f": eight(account.free(currency)),
                "l": eight(account.locked(currency)),
            }
            for currency in currencies
        ],
    }


def balance_update(event: BalanceChanged, now_ms: int) -> dict[str, Any]:
    """A deposit, withdrawal or transfer: what trading does not move."""
    return {
        "e": "balanceUpdate",
        "E": now_ms,
        "a": event.currency,
        "d": eight(event.change),
        "T": now_ms,
    }


def _execution_type(order: Order, fill: Fill | None) -> str:
    if fill is not None:
        return "TRADE"
    return "NEW" if order.state.live else status_of(order)


def _last(fill: Fill | None) -> dict[str, Any]:
    if fill is None:
        return {
            "l": eight(0),
            "L": eight(0),
            "Y": eight(0),
            "n": "0",
            "N": None,
            "t": -1,
            "m": False,
            "M": False,
        }
    return {
        "l": eight(fill.quantity),
        "L": eight(fill.price),
        "Y": eight(fill.quantity * fill.price),
        "n": eight(fill.fee),
        "N": fill.fee_currency,
        "t": int(fill.id),
        "m": fill.maker,
        "M": True,
    }

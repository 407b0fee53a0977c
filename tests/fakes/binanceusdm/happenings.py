"""The user data stream of Binance USD-M: what became of orders, algo orders and the account."""

from decimal import Decimal
from typing import Any

from tests.fakes.binance_spot.bars import milliseconds
from tests.fakes.binanceusdm.account import UsdmAccount
from tests.fakes.binanceusdm.rows import (
    MODE,
    algo_status_of,
    eight,
    force_of,
    status_of,
    type_of,
    working_type,
)
from tests.fakes.exchange.records import ZERO, Cause, Fill, Order

_EXPIRY = {Cause.NO_LIQUIDITY: "2", Cause.WOULD_NOT_REDUCE: "4", Cause.WITHDRAWN: "6"}


def order_update(order: Order, fill: Fill | None, now_ms: int) -> dict[str, Any]:
    """ORDER_TRADE_UPDATE. The execution type of a fill is its marker (TRADE, CALCULATED)."""
    row: dict[str, Any] = {
        "s": order.market,
        "c": order.client_id,
        "S": order.side.value.upper(),
        "o": type_of(order),
        "f": force_of(order),
        "q": _plain(order.quantity),
        "p": _plain(order.limit_price or ZERO),
        "ap": _plain(order.average_price or ZERO),
        "sp": "0",
        "x": _execution_type(order, fill),
        "X": status_of(order),
        "i": int(order.id),
        "l": "0",
        "z": _plain(order.filled),
        "L": "0",
        "T": milliseconds(order.updated_at),
        "t": 0,
        "b": "0",
        "a": "0",
        "m": False,
        "R": order.reduce_only,
        "wt": working_type(order),
        "ot": type_of(order),
        "ps": "BOTH",
        "cp": order.close_position,
        "rp": "0",
        "pP": False,
        "si": 0,
        "ss": 0,
        "V": MODE,
        "pm": "NONE",
        "gtd": 0,
        "er": _EXPIRY.get(order.cause, "0"),
    }
    if fill is not None:
        row |= {
            "l": _plain(fill.quantity),
            "L": _plain(fill.price),
            "N": fill.fee_currency,
            "n": eight(fill.fee),
            "t": int(fill.id),
            "m": fill.maker,
            "rp": eight(fill.realised),
        }
    return {"e": "ORDER_TRADE_UPDATE", "T": milliseconds(order.updated_at), "E": now_ms, "o": row}


def algo_update(
    order: Order, now_ms: int, *, status: str = "", child: Order | None = None
) -> dict[str, Any]:
    """ALGO_UPDATE of a conditional order; child is the order its trigger made."""
    row: dict[str, Any] = {
        "caid": order.client_id,
        "aid": int(order.id),
        "at": "CONDITIONAL",
        "o": order.word("type"),
        "s": order.market,
        "S": order.side.value.upper(),
        "ps": "BOTH",
        "f": force_of(order),
        "q": _plain(order.quantity),
        "X": status or algo_status_of(order),
        "ai": "" if child is None else child.id,
        "tp": _plain(order.stop_price or ZERO),
        "p": _plain(order.limit_price or ZERO),
        "V": MODE,
        "wt": working_type(order),
        "pm": "NONE",
        "cp": order.close_position,
        "pP": False,
        "R": order.reduce_only or order.close_position,
        "tt": milliseconds(order.updated_at) if order.triggered else 0,
        "gtd": 0,
    }
    if child is not None:
        row["ap"] = _plain(child.average_price or ZERO)
        row["aq"] = _plain(child.filled)
        row["act"] = type_of(child)
    if order.cause is Cause.WOULD_NOT_REDUCE:
        row["rm"] = "Reduce Only reject"
    return {"e": "ALGO_UPDATE", "T": milliseconds(order.updated_at), "E": now_ms, "o": row}


def account_update(
    account: UsdmAccount,
    now_ms: int,
    *,
    reason: str,
    currency: str,
    change: Decimal = ZERO,
    market_id: str | None = None,
) -> dict[str, Any]:
    """ACCOUNT_UPDATE of a currency and, where one is named, a position."""
    wallet = eight(account.wallet(currency))
    positions = [] if market_id is None else [_position(account, market_id)]
    return {
        "e": "ACCOUNT_UPDATE",
        "T": now_ms,
        "E": now_ms,
        "a": {
            "m": reason,
            "B": [{"a": currency, "wb": wallet, "cw": wallet, "bc": eight(change)}],
            "P": positions,
        },
    }


def _position(account: UsdmAccount, market_id: str) -> dict[str, Any]:
    position = account.positions[market_id]
    return {
        "s": market_id,
        "pa": _plain(position.quantity),
        "ep": _plain(position.entry_price),
        "bep": _plain(position.entry_price),
        "cr": eight(position.realised),
        "up": eight(account.unrealised(market_id)),
        "mt": "cross",
        "iw": "0",
        "ps": "BOTH",
        "ma": account.markets[market_id].settle,
    }


def _execution_type(order: Order, fill: Fill | None) -> str:
    if fill is not None:
        return fill.marker
    if order.cause is Cause.EDITED:
        return "AMENDMENT"
    return "NEW" if order.state.live else status_of(order)


def _plain(value: Decimal) -> str:
    """A number without trailing zeros or exponent."""
    return f"{value.normalize():f}"

"""Orders as requests ask for them: parameters to the exchange's own records, or why not.

What is missing, too much or of the wrong form is refused here, before any filter is asked.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from typing import Any

from tests.fakes.binance_spot.account import OcoLegs
from tests.fakes.binance_spot.errors import (
    Rejected,
    missing,
    not_required,
    one_of,
    too_precise,
)
from tests.fakes.exchange.records import Force, Kind, NewOrder, Side

_CLIENT_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_numbers = count(1)

KINDS: dict[str, Kind] = {
    "LIMIT": Kind.LIMIT,
    "LIMIT_MAKER": Kind.LIMIT,
    "MARKET": Kind.MARKET,
    "STOP_LOSS": Kind.STOP_MARKET,
    "STOP_LOSS_LIMIT": Kind.STOP_LIMIT,
    "TAKE_PROFIT": Kind.TAKE_PROFIT_MARKET,
    "TAKE_PROFIT_LIMIT": Kind.TAKE_PROFIT_LIMIT,
}
_FORCES: dict[str, Force] = {"GTC": Force.GTC, "IOC": Force.IOC, "FOK": Force.FOK}
_ABOVE_SELLS = ("LIMIT_MAKER", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
_BELOW_SELLS = ("STOP_LOSS", "STOP_LOSS_LIMIT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An order as asked for; cost is quoteOrderQty, with which its quantity is still open."""

    order: NewOrder
    cost: Decimal | None = None


def made_up_id() -> str:
    """A client id as Binance makes one up where none is given."""
    return f"{next(_numbers):022d}"


def word(params: Mapping[str, Any], name: str) -> str:
    """A mandatory parameter."""
    value = params.get(name)
    if value in (None, ""):
        raise missing(name)
    return str(value)


def number(params: Mapping[str, Any], name: str) -> Decimal | None:
    """A number, None where it is not sent. Raises Rejected."""
    if params.get(name) in (None, ""):
        return None
    text = str(params[name])
    if not _NUMBER.fullmatch(text):
        raise Rejected(
            -1100,
            f"Illegal characters found in parameter '{name}'; legal range is"
            " '^([0-9]{1,20})(\\.[0-9]{1,20})?$'.",
        )
    value = Decimal(text)
    if value != round(value, 8):
        raise too_precise(name)
    return value


def order_of(params: Mapping[str, Any]) -> Asked:
    """POST /api/v3/order. Raises Rejected."""
    kind_name = word(params, "type")
    if kind_name not in KINDS:
        raise Rejected(-1116, "Invalid orderType.")
    kind = KINDS[kind_name]
    quantity, cost = number(params, "quantity"), number(params, "quoteOrderQty")
    price, stop = number(params, "price"), number(params, "stopPrice")
    if kind is Kind.MARKET:
        if price is not None:
            raise not_required("price")
        if quantity is None and cost is None:
            raise one_of("quantity", "quoteOrderQty")
        if quantity is not None and cost is not None:
            raise Rejected(-1128, "Combination of optional parameters invalid.")
    elif quantity is None:
        raise missing("quantity")
    words = [("type", kind_name)]
    if cost is not None:
        words.append(("quoteOrderQty", str(cost)))
    order = _order(
        params,
        kind_name,
        quantity=quantity or Decimal(0),
        price=price,
        stop=stop,
        force=params.get("timeInForce"),
        client_id=params.get("newClientOrderId"),
        words=tuple(words),
    )
    return Asked(order=order, cost=cost)


def oco_of(params: Mapping[str, Any]) -> OcoLegs:
    """POST /api/v3/orderList/oco. Raises Rejected."""
    side = side_of(params)
    quantity = number(params, "quantity")
    if quantity is None:
        raise missing("quantity")
    above, below = word(params, "aboveType"), word(params, "belowType")
    _check_types(side, above, below)
    return OcoLegs(
        above=_leg(params, "above", above, quantity),
        below=_leg(params, "below", below, quantity),
        client_id=client_id_of(params.get("listClientOrderId"), "listClientOrderId"),
    )


def side_of(params: Mapping[str, Any]) -> Side:
    try:
        return Side(word(params, "side").lower())
    except ValueError:
        raise Rejected(-1117, "Invalid side.") from None


def client_id_of(given: object, name: str) -> str:
    """A client id as given, or one made up. Raises Rejected."""
    if given in (None, ""):
        return made_up_id()
    if not _CLIENT_ID.fullmatch(str(given)):
        raise Rejected(
            -1100,
            f"Illegal characters found in parameter '{name}'; legal range is"
            " '^[a-zA-Z0-9-_]{1,36}$'.",
        )
    return str(given)


def _leg(params: Mapping[str, Any], place: str, kind: str, quantity: Decimal) -> NewOrder:
    return _order(
        params,
        kind,
        quantity=quantity,
        price=number(params, f"{place}Price"),
        stop=number(params, f"{place}StopPrice"),
        force=params.get(f"{place}TimeInForce"),
        client_id=params.get(f"{place}ClientOrderId"),
        words=(("type", kind),),
        prefix=place,
    )


def _order(
    params: Mapping[str, Any],
    kind_name: str,
    *,
    quantity: Decimal,
    price: Decimal | None,
    stop: Decimal | None,
    force: object,
    client_id: object,
    words: tuple[tuple[str, str], ...],
    prefix: str = "",
) -> NewOrder:
    kind = KINDS[kind_name]
    if kind.limited and price is None:
        raise missing(f"{prefix}Price" if prefix else "price")
    if not kind.limited and price is not None:
        raise not_required(f"{prefix}Price" if prefix else "price")
    if kind.waits and stop is None:
        raise missing(f"{prefix}StopPrice" if prefix else "stopPrice")
    if not kind.waits and stop is not None:
        raise not_required(f"{prefix}StopPrice" if prefix else "stopPrice")
    return NewOrder(
        market=word(params, "symbol"),
        side=side_of(params),
        kind=kind,
        quantity=quantity,
        client_id=client_id_of(
            client_id, f"{prefix}ClientOrderId" if prefix else "newClientOrderId"
        ),
        limit_price=price,
        stop_price=stop,
        force=_force(kind_name, force, f"{prefix}TimeInForce" if prefix else "timeInForce"),
        words=words,
    )


def _force(kind_name: str, given: object, name: str) -> Force:
    if kind_name == "LIMIT_MAKER":
        if given not in (None, ""):
            raise not_required(name)
        return Force.POST_ONLY
    if not KINDS[kind_name].limited:
        return Force.GTC
    if given in (None, ""):
        raise missing(name)
    if given not in _FORCES:
        raise Rejected(-1115, "Invalid timeInForce.")
    return _FORCES[str(given)]


def _check_types(side: Side, above: str, below: str) -> None:
    for kind in (above, below):
        if kind not in (*_ABOVE_SELLS, *_BELOW_SELLS):
            raise Rejected(-1158, "Order type not supported in OCO.")
    profit, stop = (above, below) if side is Side.SELL else (below, above)
    if stop == "LIMIT_MAKER":
        if profit == "LIMIT_MAKER":
            raise Rejected(-1168, "At least one OCO order must be contingent.")
        if side is Side.SELL:
            raise Rejected(-1166, "A limit order in a sell OCO must be above.")
        raise Rejected(-1165, "A limit order in a buy OCO must be below.")
    if profit in _BELOW_SELLS:
        if side is Side.SELL:
            raise Rejected(-1197, "A stop loss order in a sell OCO must be below.")
        raise Rejected(-1196, "A stop loss order in a buy OCO must be above.")
    if stop in _ABOVE_SELLS:
        if side is Side.SELL:
            raise Rejected(-1199, "A take profit order in a sell OCO must be above.")
        raise Rejected(-1198, "A take profit order in a buy OCO must be below.")

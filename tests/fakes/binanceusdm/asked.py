"""Orders as requests ask for them: parameters to the exchange's own records, or why not."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tests.fakes.binance_spot.asked import client_id_of, number, side_of, word
from tests.fakes.binance_spot.errors import Rejected, missing, not_required
from tests.fakes.exchange.records import Force, Kind, NewOrder, Signal

Params = Mapping[str, Any]
BOOK_KINDS: dict[str, Kind] = {"LIMIT": Kind.LIMIT, "MARKET": Kind.MARKET}
ALGO_KINDS: dict[str, Kind] = {
    "STOP": Kind.STOP_LIMIT,
    "STOP_MARKET": Kind.STOP_MARKET,
    "TAKE_PROFIT": Kind.TAKE_PROFIT_LIMIT,
    "TAKE_PROFIT_MARKET": Kind.TAKE_PROFIT_MARKET,
}
_FORCES: dict[str, Force] = {
    "GTC": Force.GTC,
    "IOC": Force.IOC,
    "FOK": Force.FOK,
    "GTX": Force.POST_ONLY,
}


def order_of(params: Params) -> NewOrder:
    """POST /fapi/v1/order. Raises Rejected."""
    name = word(params, "type")
    if name in ALGO_KINDS or name == "TRAILING_STOP_MARKET":
        raise Rejected(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints"
            " instead.",
        )
    if name not in BOOK_KINDS:
        raise Rejected(-1116, "Invalid orderType.")
    if number(params, "stopPrice") is not None:
        raise not_required("stopPrice")
    return _order(params, name, BOOK_KINDS[name], params.get("newClientOrderId"))


def algo_order_of(params: Params) -> NewOrder:
    """POST /fapi/v1/algoOrder. Raises Rejected."""
    if word(params, "algoType") != "CONDITIONAL":
        raise Rejected(-1102, "Mandatory parameter 'algoType' was malformed.")
    name = word(params, "type")
    if name not in ALGO_KINDS:
        raise Rejected(-1116, "Invalid orderType.")
    if number(params, "triggerPrice") is None:
        raise missing("triggerPrice")
    return _order(params, name, ALGO_KINDS[name], params.get("clientAlgoId"))


def yes(params: Params, name: str) -> bool:
    """Whether a flag is sent as true."""
    return str(params.get(name, "false")).lower() == "true"


def _order(params: Params, name: str, kind: Kind, client_id: object) -> NewOrder:
    quantity, price = number(params, "quantity"), number(params, "price")
    closes, reduces = yes(params, "closePosition"), yes(params, "reduceOnly")
    if str(params.get("positionSide", "BOTH")) != "BOTH":
        raise Rejected(-4061, "Order's position side does not match user's setting.")
    if closes and quantity is not None:
        raise Rejected(-4137, "Quantity must be zero with closePosition equals true")
    if closes and reduces:
        raise not_required("reduceOnly")
    if quantity is None and not closes:
        raise missing("quantity")
    if kind.limited and price is None:
        raise missing("price")
    if not kind.limited and price is not None:
        raise not_required("price")
    if client_id is not None and len(str(client_id)) > 36:
        raise Rejected(-4015, "Client order id length should be less than 36 chars")
    return NewOrder(
        market=word(params, "symbol"),
        side=side_of(params),
        kind=kind,
        quantity=quantity or Decimal(0),
        client_id=client_id_of(client_id, "newClientOrderId"),
        limit_price=price,
        stop_price=number(params, "triggerPrice"),
        force=_force(params, kind),
        reduce_only=reduces,
        close_position=closes,
        signal=Signal.MARK if params.get("workingType") == "MARK_PRICE" else Signal.LAST,
        words=(("type", name),),
    )


def _force(params: Params, kind: Kind) -> Force:
    given = params.get("timeInForce")
    if not kind.limited:
        return Force.GTC
    if given in (None, "") and not kind.waits:
        raise missing("timeInForce")
    if given not in (None, "", *_FORCES):
        raise Rejected(-1115, "Invalid timeInForce.")
    return _FORCES[str(given or "GTC")]

"""How an order meets the market: which of its legs is reached, what it fills, when it is over.

Pure, and the same for every paper account. It changes nothing; whoever keeps the book carries a
plan out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import assert_never

from engine.desk.facts import CloseType, OrderReport, OrderType, Side, TimeInForce
from engine.desk.instruments import ContractSpec, PriceStep, SpotPair
from engine.venues.paper.book import PaperOrder
from engine.venues.port import PricedOrder

_ZERO = Decimal(0)
_SMALLEST = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """A price that is offered; size None is as much as anybody wants."""

    price: Decimal
    size: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens to a working order now: its trades, then its end where ends says one. leg as in
    PaperOrder, after the trades."""

    trades: tuple[Trade, ...] = ()
    leg: CloseType | None = None
    ends: OrderReport | None = None
    reason: str = ""

    def changes(self, known: PaperOrder) -> bool:
        return bool(self.trades) or self.ends is not None or self.leg is not known.leg


def plan(
    known: PaperOrder, levels: Sequence[Level], *, spec: ContractSpec | None, held: Decimal
) -> Plan:
    """Plan what a working order does against the other side of the market, the best level first.

    levels is empty where nothing can be traded now. held is the signed position, for reduce_only.
    """
    order = known.order
    leg = known.leg or reached(order, levels)
    if order.order_type in (OrderType.STOP, OrderType.OCO) and leg is None:
        return Plan()
    wanted = None if order.spend is not None else known.remaining
    if wanted is not None and order.reduce_only:
        wanted = min(wanted, max(_ZERO, -held * order.side.sign))
        if not wanted:
            reason = "nothing is held that it could reduce"
            return Plan(leg=leg, ends=OrderReport.CANCELLED, reason=reason)
    trades = tuple(_walk(known, levels, leg, wanted, _step(spec)))
    ends, reason = _end(known, levels, leg, wanted, trades, _step(spec))
    return Plan(trades=trades, leg=leg, ends=ends, reason=reason)


def reached(order: PricedOrder, levels: Sequence[Level]) -> CloseType | None:
    """Tell which leg of a stop or an OCO the touch reaches, None where it reaches none.

    Both look at the price the order would trade at: the bid for a sale, the ask for a buy.
    """
    if not levels:
        return None
    touch, sign = levels[0].price, order.side.sign
    stop, limit = order.stop_price, order.limit_price
    match order.order_type:
        case OrderType.STOP | OrderType.OCO if stop is not None and (touch - stop) * sign >= 0:
            return CloseType.STOP_LOSS
        case OrderType.OCO if limit is not None and (limit - touch) * sign >= 0:
            return CloseType.TAKE_PROFIT
        case OrderType.STOP | OrderType.OCO | OrderType.MARKET | OrderType.LIMIT:
            return None
        case _:
            assert_never(order.order_type)


def refusal(order: PricedOrder, spec: ContractSpec | None, levels: Sequence[Level]) -> str:
    """Say why a venue would not take an order, empty where it would. Without a spec its steps and
    minimums are not known and not asked for."""
    if order.quantity <= 0:
        return f"{order.quantity} is no quantity to trade"
    if fault := _price_fault(order, () if spec is None else spec.price_steps):
        return fault
    if spec is not None and (fault := _rule_broken(order, spec, levels)):
        return fault
    match order.order_type, reached(order, levels):
        case OrderType.STOP, CloseType.STOP_LOSS:
            return f"The stop at {order.stop_price} would trigger immediately"
        case OrderType.OCO, CloseType():
            return "The price is through the bracket already"
        case _:
            return ""


def funds_needed(order: PricedOrder, levels: Sequence[Level]) -> tuple[str, Decimal] | None:
    """Give the currency an order on a spot pair takes, and how much of it at least. None for other
    instruments, and for a buy nobody can put a price on."""
    pair = order.instrument
    if not isinstance(pair, SpotPair):
        return None
    if order.side is Side.SELL:
        return pair.base, order.quantity
    if order.spend is not None:
        return pair.quote, order.spend
    price = order.limit_price or order.stop_price or (levels[0].price if levels else None)
    return None if price is None else (pair.quote, order.quantity * price)


def _price_fault(order: PricedOrder, steps: Sequence[PriceStep]) -> str:
    """Find what is wrong with the prices an order of its type needs; steps may be unknown."""
    limit, stop = order.limit_price, order.stop_price
    needed = {
        OrderType.LIMIT: {"limit order": limit},
        OrderType.STOP: {"stop": stop},
        OrderType.OCO: {"limit order": limit, "stop": stop},
        OrderType.MARKET: {},
    }[order.order_type]
    for word, price in needed.items():
        if price is None or price <= 0:
            return f"A {word} needs a price above zero"
        increment = next((it.increment for it in reversed(steps) if it.from_price <= price), None)
        # Source: IB API, error 110; Binance, PRICE_FILTER.
        if increment and price % increment:
            return f"The price {price} is no multiple of {increment}"
    return ""


def _rule_broken(order: PricedOrder, spec: ContractSpec, levels: Sequence[Level]) -> str:
    if order.spend is None and order.quantity % spec.quantity_step:
        return f"{order.quantity} is no multiple of {spec.quantity_step}"
    if order.spend is None and order.quantity < spec.minimum_quantity:
        return f"{order.quantity} is below the smallest order of {spec.minimum_quantity}"
    # An OCO is worth what its worse leg brings.
    touch = levels[0].price if levels else None
    price = order.stop_price or order.limit_price or touch
    worth = order.spend if price is None or order.spend is not None else price * order.quantity
    if worth is not None and worth < spec.minimum_notional and not order.reduce_only:
        return f"{worth} is below the smallest order of {spec.minimum_notional}"
    return ""


def _walk(
    known: PaperOrder,
    levels: Sequence[Level],
    leg: CloseType | None,
    wanted: Decimal | None,
    step: Decimal,
) -> Iterator[Trade]:
    """Take what is offered, level by level. A target leg is a maker's: it gets its own price."""
    order, left, unspent = known.order, wanted, known.unspent
    maker = leg is CloseType.TAKE_PROFIT
    limit = order.limit_price if maker or order.order_type is OrderType.LIMIT else None
    for level in levels:
        if limit is not None and (level.price - limit) * order.side.sign > 0:
            return
        price = limit if maker and limit is not None else level.price
        quantity = left
        if unspent is not None:
            quantity = (unspent / price / step).to_integral_value(ROUND_FLOOR) * step
        if level.size is not None and quantity is not None:
            quantity = min(quantity, level.size)
        if not quantity:
            return
        yield Trade(quantity=quantity, price=price)
        left = None if left is None else left - quantity
        unspent = None if unspent is None else unspent - quantity * price


def _end(
    known: PaperOrder,
    levels: Sequence[Level],
    leg: CloseType | None,
    wanted: Decimal | None,
    trades: Sequence[Trade],
    step: Decimal,
) -> tuple[OrderReport | None, str]:
    """Say how an order ends beside being filled whole."""
    order = known.order
    done = sum((trade.quantity for trade in trades), _ZERO)
    if known.unspent is not None:
        left = known.unspent - sum((trade.quantity * trade.price for trade in trades), _ZERO)
        if not levels or left >= levels[-1].price * step:
            return None, ""
        if done or known.filled:
            return OrderReport.FILLED, ""
        return OrderReport.CANCELLED, f"{known.unspent} buys less than {step}"
    if done == known.remaining:
        return None, ""
    if order.reduce_only and done == wanted:
        return OrderReport.CANCELLED, "nothing more is held that it could reduce"
    if order.time_in_force is TimeInForce.IOC:
        return OrderReport.CANCELLED, "no more was offered at its price"
    if known.leg is CloseType.TAKE_PROFIT and leg is CloseType.TAKE_PROFIT:
        # Its stop is gone since the target began to fill: what is left needs a bracket of its own.
        return OrderReport.CANCELLED, "its target filled in part, the stop expired"
    return None, ""


def _step(spec: ContractSpec | None) -> Decimal:
    return spec.quantity_step if spec is not None and spec.quantity_step else _SMALLEST

"""The price an order goes out with, from the live quote: terms, or the reason there are none.

An order says how it wants to be priced (engine.desk.intents.Pricing); here that meets the quote and
the instrument's steps. Nothing is ever priced blind.
"""

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import assert_never

from engine.desk.facts import OrderPriced, OrderType, OrderUnpriced, Side, TimeInForce
from engine.desk.hours import is_open
from engine.desk.instruments import ContractSpec, PriceStep, Stock
from engine.desk.intents import (
    AtMarket,
    AtTouch,
    Bracket,
    Marketable,
    PlaceOrder,
    StopAt,
    Sweep,
)
from engine.desk.market import Quote

ONE = Decimal(1)


def price(
    order: PlaceOrder, quote: Quote | None, spec: ContractSpec, now: datetime
) -> OrderPriced | OrderUnpriced:
    """Put terms on an order."""
    bid, ask = _decimal(quote.bid if quote else None), _decimal(quote.ask if quote else None)
    steps, pricing = spec.price_steps, order.pricing

    def terms(
        order_type: OrderType,
        *,
        limit: Decimal | None = None,
        stop: Decimal | None = None,
        outside_rth: bool = False,
        lasts: TimeInForce = TimeInForce.GTC,
    ) -> OrderPriced:
        return OrderPriced(
            client_order_id=order.client_order_id,
            order_type=order_type,
            limit_price=limit,
            outside_rth=outside_rth,
            bid=bid,
            ask=ask,
            stop_price=stop,
            time_in_force=lasts,
        )

    # What needs no quote.
    match pricing:
        case AtMarket():
            return terms(OrderType.MARKET)
        case StopAt():
            stop = round_to_step(pricing.trigger, steps, order.side, floor_at_step=True)
            return terms(OrderType.STOP, stop=stop)
        case Bracket():
            above = round_to_step(pricing.above, steps, Side.SELL, floor_at_step=True)
            below = round_to_step(pricing.below, steps, Side.SELL, floor_at_step=True)
            return terms(OrderType.OCO, limit=above, stop=below)
        case Marketable() if isinstance(order.instrument, Stock) and is_open(spec.liquid, now):
            return terms(OrderType.MARKET, lasts=TimeInForce.DAY)
        case Marketable() | Sweep() | AtTouch():
            pass
        case _:
            assert_never(pricing)

    touch = ask if order.side is Side.BUY else bid
    problem = _problem(order, quote, touch)
    if problem or touch is None:
        return OrderUnpriced(client_order_id=order.client_order_id, reason=problem)
    match pricing:
        case Marketable():
            reach = touch * (ONE + pricing.max_slippage * order.side.sign)
            if pricing.max_slippage:
                # A fraction of a cheap option is less than its price step: one step at least.
                step = _increment(touch, steps) * order.side.sign
                reach = max(reach, touch + step) if step > 0 else min(reach, touch + step)
            stock, lasts = isinstance(order.instrument, Stock), TimeInForce.DAY
        case Sweep():
            reach = touch * (ONE + pricing.buffer * order.side.sign)
            stock, lasts = False, TimeInForce.IOC
        case AtTouch():
            reach, stock, lasts = touch, False, TimeInForce.GTC
    limit = round_to_step(reach, steps, order.side, floor_at_step=True)
    return terms(OrderType.LIMIT, limit=limit, outside_rth=stock, lasts=lasts)


def round_to_step(
    value: Decimal, steps: tuple[PriceStep, ...], side: Side, *, floor_at_step: bool = False
) -> Decimal:
    """Round to a valid price without reaching further than asked: buys down, sells up.

    floor_at_step lifts a price that is not positive to the smallest valid one.
    """
    increment = _increment(value, steps)
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    rounded = (value / increment).to_integral_value(rounding) * increment
    return max(rounded, steps[0].increment) if floor_at_step else rounded


def _increment(value: Decimal, steps: tuple[PriceStep, ...]) -> Decimal:
    """By how much a price at value may move."""
    increment = steps[0].increment
    for step in steps:
        if value >= step.from_price:
            increment = step.increment
    return increment


def _problem(order: PlaceOrder, quote: Quote | None, touch: Decimal | None) -> str:
    name = order.instrument.name
    side = "ask" if order.side is Side.BUY else "bid"
    if quote is None:
        return f"no quote for {name}: no price is put on it blind"
    if quote.crossed:
        return f"the quote of {name} is crossed ({quote.bid} over {quote.ask})"
    if touch is None:
        return f"no {side} for {name}: no price is put on it blind"
    return ""


def _decimal(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value))

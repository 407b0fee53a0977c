"""The price an order goes out with, from the live quote: terms, or the reason there are none.

Options and stock outside regular hours go as limits that can be filled now; stock in regular hours
goes to market. Nothing is ever priced blind.
"""

from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from engine.desk.facts import OrderPriced, OrderType, OrderUnpriced, Side
from engine.desk.hours import is_open
from engine.desk.instruments import ContractSpec, PriceStep, Stock
from engine.desk.intents import PlaceOrder
from engine.desk.market import Quote


def price(
    order: PlaceOrder,
    quote: Quote | None,
    spec: ContractSpec,
    now: datetime,
    max_slippage: Decimal,
) -> OrderPriced | OrderUnpriced:
    """Put terms on an order. max_slippage: how far past the touch a limit may reach, in price."""
    regular = is_open(spec.liquid, now)
    bid, ask = _decimal(quote.bid if quote else None), _decimal(quote.ask if quote else None)
    if isinstance(order.instrument, Stock) and regular:
        return OrderPriced(
            client_order_id=order.client_order_id,
            order_type=OrderType.MARKET,
            limit_price=None,
            outside_rth=False,
            bid=bid,
            ask=ask,
        )
    touch = ask if order.side is Side.BUY else bid
    problem = _problem(order, quote, touch)
    if problem or touch is None:
        return OrderUnpriced(client_order_id=order.client_order_id, reason=problem)
    limit = round_to_step(
        touch + max_slippage * order.side.sign, spec.price_steps, order.side, floor_at_step=True
    )
    return OrderPriced(
        client_order_id=order.client_order_id,
        order_type=OrderType.LIMIT,
        limit_price=limit,
        outside_rth=isinstance(order.instrument, Stock),
        bid=bid,
        ask=ask,
    )


def round_to_step(
    value: Decimal, steps: tuple[PriceStep, ...], side: Side, *, floor_at_step: bool = False
) -> Decimal:
    """Round to a valid price without reaching further than asked: buys down, sells up.

    floor_at_step lifts a price that is not positive to the smallest valid one.
    """
    increment = steps[0].increment
    for step in steps:
        if value >= step.from_price:
            increment = step.increment
    rounding = ROUND_FLOOR if side is Side.BUY else ROUND_CEILING
    rounded = (value / increment).to_integral_value(rounding) * increment
    return max(rounded, steps[0].increment) if floor_at_step else rounded


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

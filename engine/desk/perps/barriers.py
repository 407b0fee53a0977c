"""The arithmetic of the triple barriers: fractions of the entry value become absolute prices.

net = (side x (price - entry) x quantity - fees) / (entry x quantity). It is solved for the price
once; a tick is then a comparison. Nothing here knows what a barrier leads to.
"""

from dataclasses import dataclass
from decimal import Decimal

from engine.desk.facts import Side
from engine.desk.instruments import Perpetual
from engine.desk.perps.definitions import BarrierSettings
from engine.desk.text import amount

ZERO, ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Where a position's barriers stand, in the quote currency; None where unset.

    stop and take fire when the price reaches them. The trailing stop turns on beyond activation and
    fires further than distance behind the best price since; both comparisons are strict.
    """

    stop: Decimal | None = None
    take: Decimal | None = None
    activation: Decimal | None = None
    distance: Decimal | None = None

    @property
    def any(self) -> bool:
        return not (self.stop is None and self.take is None and self.activation is None)

    def trailing_trigger(self, side: Side, peak: Decimal) -> Decimal | None:
        """The price beyond which the trailing stop fires, its best price being peak."""
        return None if self.distance is None else peak - side.sign * self.distance


def solve(settings: BarrierSettings, *, side: Side, entry: Decimal, fee: Decimal) -> Levels:
    """Solve the barriers of a position for their prices. side BUY is long; fee is what was paid so
    far for each unit of price and quantity (see fee_in_price)."""
    even = entry + side.sign * fee

    def away(fraction: Decimal | None) -> Decimal | None:
        return None if fraction is None else even + side.sign * fraction * entry

    stop, delta = settings.stop_loss, settings.trailing_delta
    trails = settings.trailing_activation is not None and delta is not None
    return Levels(
        stop=None if stop is None else even - side.sign * stop * entry,
        take=away(settings.take_profit),
        activation=away(settings.trailing_activation) if trails else None,
        distance=delta * entry if trails and delta is not None else None,
    )


def value(instrument: Perpetual, price: Decimal, quantity: Decimal) -> Decimal:
    """What a quantity is worth in the quote currency; an inverse contract is worth its size."""
    return quantity * (instrument.contract_size if instrument.inverse else price)


def gross(
    instrument: Perpetual, *, side: Side, entry: Decimal, price: Decimal, quantity: Decimal
) -> Decimal:
    """What a quantity won (negative: lost) between entry and price, in the quote currency."""
    return side.sign * (price - entry) / entry * value(instrument, entry, quantity)


def fee_in_price(
    instrument: Perpetual, *, entry: Decimal, quantity: Decimal, fees: Decimal
) -> Decimal:
    """By how much fees (quote currency) move the price at which a position breaks even."""
    worth = value(instrument, entry, quantity)
    return fees * entry / worth if worth else ZERO


def fee_in_quote(instrument: Perpetual, fee: Decimal, currency: str, price: Decimal) -> Decimal:
    """A fee in the quote currency; one in a third coin, whose price is unknown, counts zero."""
    if currency in ("", instrument.quote):
        return fee
    return fee * price if currency == instrument.base else ZERO


def fault(settings: BarrierSettings, side: Side) -> str:
    """What is wrong with barriers that a person asks for, in his words; empty when nothing is."""
    fractions = {
        "stop loss": settings.stop_loss,
        "take profit": settings.take_profit,
        "trailing activation": settings.trailing_activation,
        "trailing delta": settings.trailing_delta,
    }
    if not any(fractions.values()) and not settings.time_limit_seconds:
        return "Say at least one barrier."
    for name, fraction in fractions.items():
        below_one = name in ("stop loss", "trailing delta") or side is Side.SELL
        if fraction is not None and (fraction <= 0 or (below_one and fraction >= 1)):
            most = " and below 1" if below_one else ""
            return f"The {name} is a fraction above 0{most}, {amount(fraction)} is not."
    if (settings.trailing_activation is None) is not (settings.trailing_delta is None):
        return "A trailing stop needs both its activation and its delta."
    if settings.time_limit_seconds is not None and settings.time_limit_seconds <= 0:
        return "The time limit is a number of seconds above 0."
    return ""

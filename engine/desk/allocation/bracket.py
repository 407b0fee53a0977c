"""The bracket around a position: its two prices, what can be sold under it, and whether the venue
would take it. Pure arithmetic; sends nothing.
"""

from decimal import ROUND_FLOOR, Decimal

from engine.desk.allocation.definitions import ParameterSet
from engine.desk.facts import CloseType, Side
from engine.desk.instruments import ContractSpec
from engine.desk.intents import Bracket
from engine.desk.pricing import round_to_step

HUNDRED = Decimal(100)
ONE = Decimal(1)
_COMMISSION = Decimal("0.001")
"""What a buy is expected to lose of its quantity at most. Source: Binance, spot fees."""


def bracket_of(price: Decimal, parameters: ParameterSet) -> Bracket:
    """Return the bracket of a position bought at price, before it is rounded to steps."""
    return Bracket(
        above=price * (ONE + parameters.profit_percent / HUNDRED),
        below=price * (ONE - parameters.stop_loss_percent / HUNDRED),
    )


def floored(quantity: Decimal, spec: ContractSpec) -> Decimal:
    """Return the quantity rounded down to the instrument's step, never negative."""
    step = spec.quantity_step
    if quantity <= 0:
        return Decimal(0)
    return quantity if not step else (quantity / step).to_integral_value(ROUND_FLOOR) * step


def sellable(quantity: Decimal, price: Decimal, spec: ContractSpec) -> Decimal:
    """Return what the venue would take of a sale at about this price: zero where it is too little
    in quantity or in worth."""
    found = floored(quantity, spec)
    if found < spec.minimum_quantity or found * price < spec.minimum_notional:
        return Decimal(0)
    return found


def refusal(amount: Decimal, price: Decimal, parameters: ParameterSet, spec: ContractSpec) -> str:
    """Say why a buy for amount could not be put into its bracket, empty when it could."""
    expected = floored(amount / price * (ONE - _COMMISSION), spec)
    if expected < max(spec.minimum_quantity, spec.quantity_step):
        return f"${amount:.2f} buys less than the smallest order of {_plain(_smallest(spec))}"
    bracket = bracket_of(price, parameters)
    below = round_to_step(bracket.below, spec.price_steps, Side.SELL)
    worth = below * expected
    if worth < spec.minimum_notional:
        return (
            f"its stop loss would sell {_plain(expected)} for ${worth:.2f}, under the venue's "
            f"minimum of ${_plain(spec.minimum_notional)}"
        )
    band = spec.sell_band
    if band is not None and bracket.above > price * band.highest:
        return (
            f"its take-profit at +{_plain(parameters.profit_percent)}% lies outside the venue's "
            f"limit of {_plain(band.highest)} times the price"
        )
    return ""


def close_type_at(price: Decimal, bracket: Bracket) -> CloseType:
    """Tell which barrier a price is through; EMERGENCY for one between them."""
    if price >= bracket.above:
        return CloseType.TAKE_PROFIT
    return CloseType.STOP_LOSS if price <= bracket.below else CloseType.EMERGENCY


def _smallest(spec: ContractSpec) -> Decimal:
    return max(spec.minimum_quantity, spec.quantity_step)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"

"""The markets of one exchange as the desk knows them: instruments, their steps and minimums.

Venues count some perpetuals in contracts; a Market turns those into the desk's quantities and back.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal, InvalidOperation
from typing import Any

from engine.desk.instruments import (
    ContractSpec,
    Instrument,
    Perpetual,
    PriceBand,
    PriceStep,
    SpotPair,
)

ZERO, ONE = Decimal(0), Decimal(1)
_SMALLEST = Decimal("0.00000001")
_MOST_DECIMALS = 30


class UnknownMarket(LookupError):
    """The venue speaks of a market that was not in its list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """One market. symbol is ccxt's; lot is what one of the venue's units is in desk quantities;
    step is the venue's, in its own units."""

    symbol: str
    instrument: Perpetual | SpotPair
    spec: ContractSpec
    lot: Decimal
    step: Decimal

    @property
    def ref(self) -> str:
        return self.instrument.ref

    def desk_quantity(self, units: Decimal) -> Decimal:
        return units * self.lot

    def venue_units(self, quantity: Decimal) -> Decimal:
        """Turn a desk quantity into the venue's units, rounded down to its step."""
        return (quantity / self.lot / self.step).to_integral_value(ROUND_DOWN) * self.step


class Markets:
    """ref -> Market. others: the venue's markets of kinds that are not traded here."""

    def __init__(self, markets: Iterable[Market] = (), others: Iterable[str] = ()) -> None:
        self._by_ref = {market.ref: market for market in markets}
        self._others = set(others) - self._by_ref.keys()

    def __iter__(self) -> Iterator[Market]:
        return iter(self._by_ref.values())

    def __contains__(self, ref: object) -> bool:
        return ref in self._by_ref

    def __len__(self) -> int:
        return len(self._by_ref)

    def knows(self, ref: str) -> bool:
        """Whether a market is one of these, and not of another kind. Raises UnknownMarket where
        the venue never listed it."""
        if ref in self._by_ref:
            return True
        if ref in self._others:
            return False
        raise UnknownMarket(ref)

    def ignore(self, refs: Iterable[str]) -> None:
        """Take markets for ones of another kind."""
        self._others.update(refs)

    def of(self, ref: str) -> Market:
        """Find a market. Raises UnknownMarket."""
        found = self._by_ref.get(ref)
        if found is None:
            raise UnknownMarket(ref)
        return found

    def whole_steps(self, instrument: Instrument, quantity: Decimal) -> Decimal:
        """Round a desk quantity down to what can be ordered; one of a market that is not listed
        stays as it is."""
        market = self._by_ref.get(instrument.ref)
        return quantity if market is None else market.desk_quantity(market.venue_units(quantity))

    def named(self, names: Iterable[str]) -> list[Market]:
        """Those whose ref or BASE-QUOTE pair is among the names."""
        wanted = set(names)
        return [it for it in self if it.ref in wanted or it.instrument.symbol in wanted]


def perpetuals_of(listed: Iterable[Mapping[str, Any]]) -> Markets:
    """Read ccxt's market structures, numbers as text; leave out what is no perpetual."""
    listed = list(listed)
    found = [_perpetual(it) for it in listed if it["swap"] and it["contract"]]
    return Markets(found, [it["id"] for it in listed])


def spot_of(
    listed: Iterable[Mapping[str, Any]], bands: Mapping[str, PriceBand] | None = None
) -> Markets:
    """Read ccxt's market structures. bands: market id -> where a sell order's price may lie."""
    listed = list(listed)
    found = [_spot(it, (bands or {}).get(it["id"])) for it in listed if it["spot"]]
    return Markets(found, [it["id"] for it in listed])


def _perpetual(listed: Mapping[str, Any]) -> Market:
    inverse = bool(listed["inverse"])
    size = number(listed["contractSize"]) or ONE
    instrument = Perpetual(
        ref=listed["id"],
        symbol=f"{listed['base']}-{listed['quote']}",
        base=listed["base"],
        quote=listed["quote"],
        contract_size=size,
        inverse=inverse,
    )
    return _market(listed, instrument, lot=ONE if inverse else size)


def _spot(listed: Mapping[str, Any], band: PriceBand | None) -> Market:
    instrument = SpotPair(
        ref=listed["id"],
        symbol=listed["id"],
        base=listed["base"],
        quote=listed["quote"],
    )
    return _market(listed, instrument, lot=ONE, band=band)


def _market(
    listed: Mapping[str, Any],
    instrument: Perpetual | SpotPair,
    *,
    lot: Decimal,
    band: PriceBand | None = None,
) -> Market:
    precision, limits = listed["precision"], listed["limits"]
    step = number(precision["amount"]) or _SMALLEST
    tick = number(precision["price"]) or _SMALLEST
    spec = ContractSpec(
        ref=instrument.ref,
        price_steps=(PriceStep(from_price=ZERO, increment=tick),),
        quantity_step=step * lot,
        minimum_quantity=(number(limits["amount"]["min"]) or step) * lot,
        minimum_notional=number(limits["cost"]["min"]) or ZERO,
        sell_band=band,
    )
    return Market(symbol=listed["symbol"], instrument=instrument, spec=spec, lot=lot, step=step)


def number(value: object) -> Decimal | None:
    """Read a venue's number exactly: text, or a JSON number by its shortest spelling.

    Zeros at its end are dropped: they would stand behind every price and quantity made of it. None
    where there is none, or no finite one.
    """
    if value is None or value == "":
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return _short(found) if found.is_finite() else None


def _short(found: Decimal) -> Decimal:
    """Drop zeros at the end of what has decimals."""
    exponent = found.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) else 0
    return Decimal(plain(found)) if 0 < decimals <= _MOST_DECIMALS else found


def exact(value: object) -> Decimal:
    """Read a number that must be there. Raises ValueError."""
    found = number(value)
    if found is None:
        raise ValueError(f"{value!r} is no number")
    return found


def plain(value: Decimal) -> str:
    """Write a number as venues take it: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text

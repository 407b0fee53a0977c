"""Whether an exchange would take what the parameter sets ask for, by its rules, prices and balance.

The desk asks the same at each signal; here it is told before there is one. Sends nothing.
"""

from collections.abc import Iterator, Mapping
from decimal import ROUND_DOWN, Decimal

from engine.desk.allocation.bracket import refusal
from engine.desk.allocation.definitions import AllocationSettings
from engine.desk.instruments import ContractSpec

_CENT, _HUNDRED = Decimal("0.01"), Decimal(100)


def misfits(
    settings: AllocationSettings,
    specs: Mapping[str, ContractSpec],
    prices: Mapping[str, Decimal],
    total: Decimal | None,
) -> Iterator[str]:
    """Say of each parameter set that could not be traded why not.

    specs, prices: symbol -> ...; total is the account in the quote currency, None where unknown.
    """
    for one in settings.sets:
        spec, price = specs.get(one.symbol), prices.get(one.symbol)
        if spec is None:
            yield f"{one.symbol}: there is no such market"
        elif not one.symbol.endswith(settings.quote_currency):
            yield f"{one.symbol}: it is not quoted in {settings.quote_currency}"
        elif price is not None and total is not None:
            share = (total * one.allocation_percent / _HUNDRED).quantize(_CENT, ROUND_DOWN)
            reason = refusal(share, price, one, spec)
            if reason:
                yield f"{one.symbol}: a buy signal would not be taken, {reason}"

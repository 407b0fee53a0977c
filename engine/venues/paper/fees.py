"""What a paper trade costs, by the kind of instrument."""

from dataclasses import dataclass
from decimal import Decimal

from engine.desk.facts import Side
from engine.desk.instruments import Instrument, Perpetual, SpotPair

_SMALLEST = Decimal("0.00000001")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeRates:
    """Fractions of a trade's value. Source: about what takers without a discount pay; brokers of
    stocks and options cost nothing here."""

    perpetual: Decimal = Decimal("0.0005")
    spot: Decimal = Decimal("0.001")

    def of(
        self, instrument: Instrument, side: Side, quantity: Decimal, price: Decimal
    ) -> tuple[Decimal, str]:
        """Give the fee of a trade and its currency, empty where nothing is charged.

        A spot trade pays in what it receives. Source: Binance spot, commissions without BNB.
        """
        match instrument:
            case SpotPair() if side is Side.BUY:
                fee, currency = quantity * self.spot, instrument.base
            case SpotPair():
                fee, currency = quantity * price * self.spot, instrument.quote
            case Perpetual() if instrument.inverse:
                coins = quantity * instrument.contract_size / price
                fee, currency = coins * self.perpetual, instrument.base
            case Perpetual():
                fee, currency = quantity * price * self.perpetual, instrument.quote
            case _:
                return Decimal(0), ""
        fee = fee.quantize(_SMALLEST)
        return (fee, currency) if fee else (Decimal(0), "")


USUAL_FEES = FeeRates()
NO_FEES = FeeRates(perpetual=Decimal(0), spot=Decimal(0))

"""What trades at the paper exchange: coins, and the perpetuals and spot pairs in them."""

from dataclasses import dataclass
from decimal import Decimal

from engine.desk.instruments import ContractSpec, Perpetual, PriceStep, SpotPair

DOLLARS, TETHER = "USD", "USDT"
_MINIMUM_NOTIONAL = Decimal(5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coin:
    """price is where a coin starts and what it is drawn back to; volatility the deviation of a
    minute's return, without jumps. tick is its price step, lot what one assignment brings."""

    name: str
    price: float
    volatility: float
    tick: Decimal
    lot: Decimal


BTC = Coin(name="BTC", price=64_000.0, volatility=0.007, tick=Decimal("0.1"), lot=Decimal("0.050"))
ETH = Coin(name="ETH", price=3_200.0, volatility=0.008, tick=Decimal("0.01"), lot=Decimal("0.80"))
SOL = Coin(name="SOL", price=150.0, volatility=0.011, tick=Decimal("0.01"), lot=Decimal("20.0"))
BNB = Coin(name="BNB", price=600.0, volatility=0.007, tick=Decimal("0.01"), lot=Decimal("5.0"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One market of the exchange."""

    coin: Coin
    instrument: Perpetual | SpotPair
    spec: ContractSpec

    @property
    def ref(self) -> str:
        return self.instrument.ref


def perpetual(coin: Coin, *, step: str) -> Listing:
    """List a linear perpetual, BASE-USD, that never closes."""
    name = f"{coin.name}-{DOLLARS}"
    instrument = Perpetual(ref=name, symbol=name, base=coin.name, quote=DOLLARS)
    return _listing(coin, instrument, step=step, minimum_notional=Decimal(0))


def spot(coin: Coin, *, step: str) -> Listing:
    """List a spot pair, BASEUSDT, that never closes."""
    name = f"{coin.name}{TETHER}"
    instrument = SpotPair(ref=name, symbol=name, base=coin.name, quote=TETHER)
    return _listing(coin, instrument, step=step, minimum_notional=_MINIMUM_NOTIONAL)


def _listing(
    coin: Coin, instrument: Perpetual | SpotPair, *, step: str, minimum_notional: Decimal
) -> Listing:
    spec = ContractSpec(
        ref=instrument.ref,
        price_steps=(PriceStep(from_price=Decimal(0), increment=coin.tick),),
        quantity_step=Decimal(step),
        minimum_quantity=Decimal(step),
        minimum_notional=minimum_notional,
    )
    return Listing(coin=coin, instrument=instrument, spec=spec)


PERPETUALS = (
    perpetual(BTC, step="0.001"),
    perpetual(ETH, step="0.01"),
    perpetual(SOL, step="0.1"),
)
PAIRS = (
    spot(BTC, step="0.00001"),
    spot(BNB, step="0.001"),
    spot(ETH, step="0.0001"),
)

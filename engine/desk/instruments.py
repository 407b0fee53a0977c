"""What can be held: stocks, options, perpetuals and spot pairs.

An instrument is identified within its venue by `ref`, the venue's own identity (IB: contract id as
text; crypto: the exchange's market id). Everything else describes it to people and to rules.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from engine.desk.journaled import Journaled, JournaledKind


class Right(StrEnum):
    CALL = "C"
    PUT = "P"


class Stock(JournaledKind, frozen=True, kw_only=True):
    ref: str
    symbol: str
    currency: str = "USD"

    @property
    def name(self) -> str:
        return self.symbol

    @property
    def underlying(self) -> str:
        return self.symbol


class OptionContract(JournaledKind, frozen=True, kw_only=True):
    """One listed option. multiplier is units of the underlying a contract, as the venue states it.

    An adjusted contract may deliver something else than its multiplier says: compare with what
    appeared in the account, never multiply blindly.
    """

    ref: str
    underlying: str
    right: Right
    strike: Decimal
    expiry: date
    multiplier: Decimal = Decimal(100)
    currency: str = "USD"
    trading_class: str = ""

    @property
    def name(self) -> str:
        return f"{self.underlying} {self.expiry:%d%b%y} {self.strike.normalize():f} {self.right}"


class Perpetual(JournaledKind, frozen=True, kw_only=True):
    """A perpetual future. symbol is BASE-QUOTE, as the managers name pairs.

    Quantities of a linear one are base currency, whatever the venue counts in (the venue multiplies
    by contract_size); of an inverse one they are the venue's contracts, each worth contract_size of
    the quote currency.
    """

    ref: str
    symbol: str
    base: str
    quote: str
    contract_size: Decimal = Decimal(1)
    inverse: bool = False

    @property
    def name(self) -> str:
        return self.symbol

    @property
    def underlying(self) -> str:
        return self.base


class SpotPair(JournaledKind, frozen=True, kw_only=True):
    ref: str
    symbol: str
    base: str
    quote: str

    @property
    def name(self) -> str:
        return self.symbol

    @property
    def underlying(self) -> str:
        return self.base


Instrument = Stock | OptionContract | Perpetual | SpotPair


class Session(Journaled, frozen=True, kw_only=True):
    """One stretch of trading; both instants are aware UTC, closes_at is exclusive."""

    opens_at: datetime
    closes_at: datetime


class PriceStep(Journaled, frozen=True, kw_only=True):
    """From from_price upwards, prices move in increments. Source: IB API, PriceIncrement."""

    from_price: Decimal
    increment: Decimal


class PriceBand(Journaled, frozen=True, kw_only=True):
    """Between which multiples of the market price an order's price may lie.

    Source: Binance, PERCENT_PRICE_BY_SIDE.
    """

    lowest: Decimal
    highest: Decimal


class ContractSpec(Journaled, frozen=True, kw_only=True):
    """How a contract trades: its hours, its ticks, how it settles.

    trading is every hour the venue takes orders (outside_rth for stock), liquid the regular
    session. Both are in time order and cover the days the venue told; empty at venues that never
    close. Source: IB API, ContractDetails and PriceIncrement. underlying_ref is set for options:
    whose quotes to show. Minimums are per order, in the instrument's quantity and quote currency.
    """

    ref: str
    trading: tuple[Session, ...] = ()
    liquid: tuple[Session, ...] = ()
    time_zone: str = "UTC"
    price_steps: tuple[PriceStep, ...] = (
        PriceStep(from_price=Decimal(0), increment=Decimal("0.01")),
    )
    cash_settled: bool = False
    quantity_step: Decimal = Decimal(1)
    underlying_ref: str | None = None
    minimum_quantity: Decimal = Decimal(0)
    minimum_notional: Decimal = Decimal(0)
    sell_band: PriceBand | None = None

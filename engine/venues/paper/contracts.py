"""How stocks and options trade on paper: their hours and their ticks."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from engine.desk.facts import OrderType
from engine.desk.instruments import ContractSpec, Instrument, OptionContract, Session
from engine.venues.paper.market import OPTION_STEPS, STOCK_STEPS, SyntheticMarket, expires_at
from engine.venues.port import PricedOrder

_TIME_ZONE = "America/New_York"

# (instrument, now) -> the trading sessions and the liquid ones, as ContractSpec has them
Hours = Callable[[Instrument, datetime], tuple[tuple[Session, ...], tuple[Session, ...]]]


def round_the_clock(
    instrument: Instrument, now: datetime
) -> tuple[tuple[Session, ...], tuple[Session, ...]]:
    """Keep every market open, from yesterday to a week ahead, whole UTC days. An option's hours
    end with it."""
    today = datetime.combine(now.astimezone(UTC), time(), UTC)
    opens_at, closes_at = today - timedelta(days=1), today + timedelta(days=8)
    if isinstance(instrument, OptionContract):
        closes_at = min(closes_at, expires_at(instrument))
    if opens_at >= closes_at:
        return (), ()
    sessions = (Session(opens_at=opens_at, closes_at=closes_at),)
    return sessions, sessions


def describe(
    instrument: Instrument, *, market: SyntheticMarket, hours: Hours, now: datetime
) -> ContractSpec:
    """Tell how an instrument trades."""
    trading, liquid = hours(instrument, now)
    option = isinstance(instrument, OptionContract)
    return ContractSpec(
        ref=instrument.ref,
        trading=trading,
        liquid=liquid,
        time_zone=_TIME_ZONE,
        price_steps=OPTION_STEPS if option else STOCK_STEPS,
        cash_settled=option and market.underlying(instrument.underlying).cash_settled,
    )


def tradable(spec: ContractSpec, order: PricedOrder, now: datetime) -> bool:
    """Say whether an order may trade now: in the regular session, or in the wider one where it
    asks for that and limits its price."""
    if is_open(spec.liquid, now):
        return True
    wider = order.outside_rth and order.order_type is OrderType.LIMIT
    return wider and is_open(spec.trading, now)


def is_open(sessions: tuple[Session, ...], now: datetime) -> bool:
    return any(it.opens_at <= now < it.closes_at for it in sessions)


def closed_to(order: PricedOrder, spec: ContractSpec, now: datetime) -> str:
    """Give the reason a contract cannot be traded at this hour, empty where it can."""
    if isinstance(order.instrument, OptionContract) and now >= expires_at(order.instrument):
        return "The contract has expired"
    # Source: IB answers 201 to an order outside the hours of its contract.
    return "" if is_open(spec.trading, now) else "The market is closed"

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.desk.instruments import OptionContract, Right, Stock
from engine.venues.paper.market import (
    MarketSettings,
    SyntheticMarket,
    Underlying,
    black_scholes,
    expires_at,
    option_spread,
    smile,
)

NOW = datetime(2026, 3, 10, 15, 0, tzinfo=UTC)
SPY = Stock(ref="SPY", symbol="SPY")


def contract(
    right: Right, strike: int | Decimal, expiry: date = date(2026, 4, 10)
) -> OptionContract:
    return OptionContract(
        ref=f"{right}{strike}", underlying="SPY", right=right, strike=Decimal(strike), expiry=expiry
    )


def path(seed: int, steps: int = 50, *, also: str | None = None) -> list[float]:
    market = SyntheticMarket(seed=seed)
    market.learn((SPY,))
    if also is not None:
        market.add(Underlying(symbol=also, spot=10.0))
    prices = []
    for _ in range(steps):
        market.advance(0.25)
        prices.append(market.spot("SPY"))
    return prices


def test_the_same_seed_takes_the_same_path():
    assert path(7) == path(7)
    assert path(7) != path(8)


def test_a_path_does_not_depend_on_what_else_is_traded():
    assert path(7) == path(7, also="XYZ")


def test_a_resumed_market_goes_on_along_the_same_path():
    whole = path(3, 40)
    market = SyntheticMarket(seed=3)
    market.learn((SPY,))
    for _ in range(20):
        market.advance(0.25)
    again = SyntheticMarket()
    again.resume(market.state())
    for expected in whole[20:]:
        again.advance(0.25)
        assert again.spot("SPY") == expected


def test_the_price_moves_but_stays_within_reason_over_a_day_of_the_demo():
    prices = path(11, 4 * 60 * 60 * 8)
    assert min(prices) > 350
    assert max(prices) < 550
    assert len({round(price, 2) for price in prices[:240]}) > 50


@pytest.mark.parametrize(
    ("right", "spot", "strike", "years", "volatility", "rate", "expected"),
    [
        # Source: Hull, Options, Futures and Other Derivatives, example 15.6.
        (Right.CALL, 42, 40, 0.5, 0.20, 0.10, 4.7594),
        (Right.PUT, 42, 40, 0.5, 0.20, 0.10, 0.8086),
        (Right.CALL, 100, 100, 1.0, 0.20, 0.05, 10.4506),
        (Right.PUT, 100, 100, 1.0, 0.20, 0.05, 5.5735),
        (Right.CALL, 110, 100, 0.0, 0.20, 0.05, 10.0),
        (Right.PUT, 110, 100, -1.0, 0.20, 0.05, 0.0),
    ],
)
def test_the_model_gives_the_known_values(right, spot, strike, years, volatility, rate, expected):
    value = black_scholes(
        right=right, spot=spot, strike=strike, years=years, volatility=volatility, rate=rate
    )
    assert value == pytest.approx(expected, abs=1e-4)


@given(st.floats(0.01, 1.0), st.floats(-3, 3))
def test_the_smile_is_positive_everywhere(volatility, distance):
    settings = MarketSettings()
    assert 0 < smile(volatility, distance, skew=settings.skew, curvature=settings.curvature) <= 2


def test_the_wings_of_the_smile_are_dearer_than_its_middle():
    middle, left, right = (
        smile(0.2, distance, skew=-0.8, curvature=6.0) for distance in (0.0, -0.2, 0.2)
    )
    assert left > right > middle


@given(st.floats(0, 500), st.floats(0, 500), st.floats(0, 2), st.floats(0, 2))
def test_the_spread_widens_with_price_and_with_distance(low, high, near, far):
    low, high = sorted((low, high))
    near, far = sorted((near, far))
    assert option_spread(low, near) <= option_spread(high, near)
    assert option_spread(low, near) <= option_spread(low, -far)


@given(
    right=st.sampled_from(Right),
    strike=st.integers(200, 900),
    days=st.integers(0, 400),
    spot=st.floats(150, 1200),
)
def test_no_quote_is_crossed_or_off_its_tick(right, strike, days, spot):
    market = SyntheticMarket()
    market.learn((SPY,))
    market.move("SPY", spot)
    quote = market.quote(contract(right, strike, NOW.date() + timedelta(days=days)), NOW)
    stock = market.quote(SPY, NOW)
    assert stock.bid is not None
    assert stock.ask is not None
    assert stock.bid < stock.ask
    assert quote.ask is not None
    assert quote.bid is None or quote.bid < quote.ask
    for price in (quote.bid, quote.ask, quote.last):
        if price is not None:
            cents = Decimal(f"{price:.4f}") * 100
            assert cents % (5 if price >= 3 else 1) == 0


@given(strike=st.integers(380, 520), spot=st.floats(400, 500), days=st.integers(1, 200))
def test_calls_and_puts_keep_parity_within_their_spreads(strike, spot, days):
    market = SyntheticMarket()
    market.learn((SPY,))
    market.move("SPY", spot)
    expiry = NOW.date() + timedelta(days=days)
    call, put, stock = (
        market.quote(it, NOW)
        for it in (contract(Right.CALL, strike, expiry), contract(Right.PUT, strike, expiry), SPY)
    )
    assert call.ask is not None
    assert put.ask is not None
    tolerance = sum((it.ask - (it.bid or 0.0)) / 2 for it in (call, put)) + 0.02
    mids = [((it.bid or 0.0) + it.ask) / 2 for it in (call, put)]
    assert mids[0] - mids[1] == pytest.approx(stock.mid - strike, abs=tolerance)


def test_near_the_money_parity_holds_to_a_few_cents():
    market = SyntheticMarket()
    call, put, stock = (
        market.quote(it, NOW) for it in (contract(Right.CALL, 450), contract(Right.PUT, 450), SPY)
    )
    assert call.mid - put.mid == pytest.approx(stock.mid - 450, abs=0.06)


def test_options_age_with_the_calendar_unless_the_days_are_scaled():
    slow = SyntheticMarket(settings=MarketSettings(pace=0))
    fast = SyntheticMarket(settings=MarketSettings(pace=0, days_per_minute=1))
    put = contract(Right.PUT, 450)
    fresh = slow.quote(put, NOW).mid
    fast.learn((put,))
    slow.advance(600)
    fast.advance(600)
    later = NOW + timedelta(minutes=10)
    assert slow.quote(put, later).mid == pytest.approx(fresh, abs=0.06)
    assert fast.quote(put, later).mid < fresh * 0.9


def test_an_expired_option_shows_what_exercise_pays():
    market = SyntheticMarket()
    put = contract(Right.PUT, 460)
    quote = market.quote(put, expires_at(put) + timedelta(hours=1))
    assert quote.last == pytest.approx(10.0)
    assert market.quote(contract(Right.CALL, 460), expires_at(put)).bid is None


def test_expiry_is_the_new_york_close_in_winter_and_summer():
    assert expires_at(contract(Right.PUT, 1, date(2026, 1, 16))).hour == 21
    assert expires_at(contract(Right.PUT, 1, date(2026, 7, 17))).hour == 20


def test_an_unfamiliar_underlying_starts_amid_its_strikes():
    market = SyntheticMarket()
    market.learn(
        OptionContract(
            ref=str(strike),
            underlying="ABC",
            right=Right.PUT,
            strike=Decimal(strike),
            expiry=date(2026, 4, 10),
        )
        for strike in (40, 50)
    )
    assert market.spot("ABC") == 45.0
    assert math.isfinite(market.quote(Stock(ref="ABC", symbol="ABC"), NOW).bid)

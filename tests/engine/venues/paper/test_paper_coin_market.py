from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from engine.desk.facts import Side
from engine.venues.paper.bars import BarMaker
from engine.venues.paper.coin_market import CoinMarket, CoinMarketSettings
from engine.venues.paper.coins import BTC, ETH, PAIRS, PERPETUALS, SOL

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PERP = PERPETUALS[0]


def path(seed, cuts, coins=(BTC,), **settings):
    market = CoinMarket(coins, seed=seed, settings=CoinMarketSettings(**settings))
    prices = []
    for seconds in cuts:
        market.advance(seconds)
        prices.append(market.price(BTC))
    return prices


def test_the_same_seed_takes_the_same_path_however_time_is_cut():
    whole = path(3, [60.0])
    assert path(3, [0.1] * 599 + [0.2])[-1] == whole[-1]
    assert path(3, [0.25] * 240)[-1] == whole[-1]
    assert path(4, [60.0]) != whole


def test_a_coin_does_not_care_what_else_is_traded():
    assert path(3, [60.0], coins=(ETH, SOL, BTC)) == path(3, [60.0])


def test_prices_stay_near_where_they_began_for_days():
    prices = path(5, [3600.0] * 24)
    assert 0.6 * BTC.price < min(prices) <= max(prices) < 1.6 * BTC.price


def test_without_jumps_a_minute_moves_about_its_volatility():
    prices = path(6, [60.0] * 400, jumps_per_minute=0.0, pull=0.0)
    moves = [after / before - 1 for before, after in pairwise(prices)]
    deviation = (sum(it * it for it in moves) / len(moves)) ** 0.5
    assert deviation == pytest.approx(BTC.volatility, rel=0.15)


def test_jumps_come_as_often_as_they_are_asked_for_up_and_down():
    prices = path(7, [0.25] * 24_000, jumps_per_minute=2.0, pull=0.0)
    moves = [after / before - 1 for before, after in pairwise(prices)]
    jumps = [it for it in moves if abs(it) > 0.008]
    assert len(jumps) == pytest.approx(200, rel=0.25)
    assert 60 < sum(it > 0 for it in jumps) < 140


@pytest.mark.parametrize("listing", [*PERPETUALS, *PAIRS])
def test_a_quote_and_its_levels_are_on_ticks_and_steps(listing):
    market = CoinMarket((it.coin for it in (*PERPETUALS, *PAIRS)), seed=2)
    for _ in range(50):
        market.advance(0.25)
        quote = market.quote(listing, NOON)
        asks, bids = (market.levels(listing, side) for side in (Side.BUY, Side.SELL))
        assert float(asks[0].price) == quote.ask
        assert float(bids[0].price) == quote.bid
        assert quote.bid < quote.ask
        assert [it.price for it in asks] == sorted({it.price for it in asks})
        assert [it.price for it in bids] == sorted({it.price for it in bids}, reverse=True)
        for level in (*asks, *bids):
            assert level.price % listing.spec.price_steps[0].increment == 0
            assert level.size % listing.spec.quantity_step == 0
            assert level.size >= listing.spec.minimum_quantity


def test_the_touch_is_thin_and_more_is_offered_behind_it():
    market = CoinMarket((BTC,), settings=CoinMarketSettings(displayed=1_000.0))
    first, second, *_ = market.levels(PERP, Side.BUY)
    assert first.size * first.price == pytest.approx(Decimal(1_000), rel=Decimal("0.6"))
    assert first.size < second.size
    assert first.price < second.price


# --- bars ----------------------------------------------------------------------------------------


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def test_a_bar_closes_with_the_first_price_after_it():
    maker = BarMaker(2)
    told = [
        bar
        for price, seconds in ((100.0, 0.5), (103.0, 1.0), (99.0, 1.9), (101.0, 2.0), (102.0, 4.1))
        for bar in maker.take(price, at(seconds))
    ]
    assert [(it.at, it.open, it.high, it.low, it.close) for it in told] == [
        (at(0), 100.0, 103.0, 99.0, 99.0),
        (at(2), 101.0, 101.0, 101.0, 101.0),
    ]


def test_a_stretch_without_a_price_is_bars_that_stood_still():
    maker = BarMaker(2)
    maker.take(100.0, at(0))
    told = maker.take(105.0, at(7))
    assert [(it.at, it.open, it.close) for it in told] == [
        (at(0), 100.0, 100.0),
        (at(2), 100.0, 100.0),
        (at(4), 100.0, 100.0),
    ]
    assert [(it.at, it.open) for it in maker.take(106.0, at(8))] == [(at(6), 105.0)]


def test_a_night_without_a_price_is_left_out():
    maker = BarMaker(2)
    maker.take(100.0, at(0))
    assert [it.at for it in maker.take(105.0, at(50_000))] == [at(0)]
    assert [it.at for it in maker.take(105.0, at(50_002))] == [at(50_000)]

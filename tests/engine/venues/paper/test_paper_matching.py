from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk.facts import CloseType, OrderReport, Side
from engine.desk.instruments import Perpetual
from engine.venues.paper.book import PaperOrder
from engine.venues.paper.fees import FeeRates
from engine.venues.paper.matching import Level, plan, refusal
from tests.engine.venues.paper.paper_coins import (
    BTC,
    PERP,
    PERP_RULES,
    SPOT_RULES,
    ioc,
    limit,
    market,
    oco,
    spend,
    stop,
)

ZERO = Decimal(0)
NOBODY_OFFERS = ()


def levels(*offers):
    """Write offers as "price" or "price size"."""
    found = []
    for offer in offers:
        price, _, size = offer.partition(" ")
        found.append(Level(price=Decimal(price), size=Decimal(size) if size else None))
    return tuple(found)


def known(order, **state):
    return PaperOrder(order=order, venue_order_id="1", placed_at=None, **state)


def planned(order, offers, *, held=ZERO, spec=PERP_RULES, **state):
    found = plan(known(order, **state), levels(*offers), spec=spec, held=Decimal(held))
    return [f"{it.quantity} at {it.price}" for it in found.trades], found


@pytest.mark.parametrize(
    ("order", "offers", "trades", "ends"),
    [
        (market("a", PERP, Side.BUY, "3"), ["100 1", "101 5"], ["1 at 100", "2 at 101"], None),
        (market("a", PERP, Side.BUY, "3"), ["100 1", "101 1"], ["1 at 100", "1 at 101"], None),
        (market("a", PERP, Side.BUY, "3"), [], [], None),
        (limit("a", PERP, Side.BUY, "3", "100"), ["100 1", "101 5"], ["1 at 100"], None),
        (limit("a", PERP, Side.SELL, "3", "99"), ["100 1", "98 5"], ["1 at 100"], None),
        (limit("a", PERP, Side.SELL, "3", "101"), ["100"], [], None),
        (ioc("a", PERP, Side.BUY, "3", "100"), ["100 1", "101 5"], ["1 at 100"], "CANCELLED"),
        (ioc("a", PERP, Side.BUY, "3", "101"), ["100 1", "101 5"], ["1 at 100", "2 at 101"], None),
        (ioc("a", PERP, Side.SELL, "3", "101"), ["100"], [], "CANCELLED"),
        (ioc("a", PERP, Side.BUY, "3", "100"), [], [], "CANCELLED"),
        (stop("a", PERP, Side.SELL, "3", "95"), ["95.1"], [], None),
        (stop("a", PERP, Side.SELL, "3", "95"), ["95", "94"], ["3 at 95"], None),
        (stop("a", PERP, Side.BUY, "3", "105"), ["104.9"], [], None),
        (stop("a", PERP, Side.BUY, "3", "105"), ["106"], ["3 at 106"], None),
    ],
)
def test_what_an_order_takes_of_what_is_offered(order, offers, trades, ends):
    told, found = planned(order, offers)
    assert told == trades
    assert found.ends == (None if ends is None else OrderReport(ends))


@pytest.mark.parametrize(
    ("offers", "trades", "leg"),
    [
        (["100"], [], None),
        (["110"], ["2 at 110"], CloseType.TAKE_PROFIT),
        (["112"], ["2 at 110"], CloseType.TAKE_PROFIT),
        (["95"], ["2 at 95"], CloseType.STOP_LOSS),
        (["90 1", "89 5"], ["1 at 90", "1 at 89"], CloseType.STOP_LOSS),
    ],
)
def test_an_oco_sells_at_its_target_or_at_market_below_its_stop(offers, trades, leg):
    told, found = planned(oco("a", "2", "110", "95"), offers, spec=SPOT_RULES)
    assert (told, found.leg, found.ends) == (trades, leg, None)


def test_a_target_that_fills_in_part_gets_one_more_try_and_gives_up_its_rest():
    bracket = oco("a", "2", "110", "95")
    told, first = planned(bracket, ["110 0.5"], spec=SPOT_RULES)
    assert (told, first.ends) == (["0.5 at 110"], None)
    begun = {"leg": first.leg, "filled": Decimal("0.5"), "spec": SPOT_RULES}
    assert planned(bracket, ["110 9"], **begun)[0] == ["1.5 at 110"]
    told, second = planned(bracket, ["94"], **begun)
    assert told == []
    assert second.ends is OrderReport.CANCELLED


def test_a_stop_that_was_triggered_sells_its_rest_wherever_the_price_went():
    order = stop("a", PERP, Side.SELL, "3", "95")
    told, found = planned(order, ["95 1"])
    assert told == ["1 at 95"]
    again, _ = planned(order, ["97"], leg=found.leg, filled=Decimal(1))
    assert again == ["2 at 97"]


@pytest.mark.parametrize(
    ("offers", "trades", "ends"),
    [
        (["30"], ["3.333 at 30"], OrderReport.FILLED),
        (["30 1", "40 9"], ["1 at 30", "1.75 at 40"], OrderReport.FILLED),
        (["30 1"], ["1 at 30"], None),
        (["100001"], [], OrderReport.CANCELLED),
        ([], [], None),
    ],
)
def test_a_buy_for_an_amount_spends_it_down_to_a_step(offers, trades, ends):
    told, found = planned(spend("a", "100"), offers, spec=SPOT_RULES)
    assert (told, found.ends) == (trades, ends)
    assert sum(it.quantity * it.price for it in found.trades) <= 100


@pytest.mark.parametrize(
    ("held", "trades", "ends"),
    [
        ("5", ["3 at 100"], None),
        ("2", ["2 at 100"], OrderReport.CANCELLED),
        ("0", [], OrderReport.CANCELLED),
        ("-2", [], OrderReport.CANCELLED),
    ],
)
def test_reduce_only_never_goes_beyond_flat(held, trades, ends):
    order = ioc("a", PERP, Side.SELL, "3", "99", reduce_only=True)
    told, found = planned(order, ["100"], held=held)
    assert (told, found.ends) == (trades, ends)


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (limit("a", PERP, Side.SELL, "1", "100"), ""),
        (limit("a", PERP, Side.SELL, "1", "100.05"), "no multiple of 0.1"),
        (limit("a", PERP, Side.SELL, "0.0005", "100"), "no multiple of 0.001"),
        (limit("a", PERP, Side.SELL, "0", "100"), "no quantity"),
        (stop("a", PERP, Side.SELL, "1", "100"), "would trigger immediately"),
        (stop("a", PERP, Side.SELL, "1", "99"), ""),
        (stop("a", PERP, Side.BUY, "1", "99"), "would trigger immediately"),
        (replace(stop("a", PERP, Side.BUY, "1", "99"), stop_price=None), "needs a price"),
        (oco("a", "1", "110", "95"), ""),
        (oco("a", "1", "100", "95"), "through the bracket"),
        (oco("a", "1", "110", "101"), "through the bracket"),
        (oco("a", "0.05", "110", "95"), "below the smallest order of 5"),
        (spend("a", "4.99"), "below the smallest order of 5"),
        (spend("a", "5"), ""),
    ],
)
def test_what_a_venue_would_refuse(order, words):
    rules = SPOT_RULES if order.instrument is BTC else PERP_RULES
    found = refusal(order, rules, levels("100"))
    assert words in found
    assert bool(found) is bool(words)


@pytest.mark.parametrize(
    ("instrument", "side", "fee"),
    [
        (BTC, Side.BUY, (Decimal("0.002"), "BTC")),
        (BTC, Side.SELL, (Decimal("0.2"), "USDT")),
        (PERP, Side.SELL, (Decimal("0.1"), "USD")),
        (
            Perpetual(ref="x", symbol="BTC-USD", base="BTC", quote="USD", inverse=True),
            Side.BUY,
            (Decimal("0.00001"), "BTC"),
        ),
    ],
)
def test_a_fee_is_paid_in_what_the_trade_is_settled_in(instrument, side, fee):
    assert FeeRates().of(instrument, side, Decimal(2), Decimal(100)) == fee

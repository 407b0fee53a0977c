"""From a signal to the release of its money: one trade a symbol, whatever the exchange does."""

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk.allocation.picture import allocation
from engine.desk.desk import Desk
from engine.desk.facts import (
    ArmedChanged,
    CloseRequested,
    CloseType,
    ConfigApplied,
    ContractDescribed,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderRow,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import PriceBand
from engine.desk.intents import AtMarket, Bracket, Purpose, Severity
from engine.desk.orders import is_ours
from engine.desk.snapshot import OrderState, SetState
from tests.engine.desk.allocation.spot_exchange import VENUE, SpotExchange
from tests.engine.desk.allocation.spot_world import OWNERS, SpotWorld, parameters

BTC, ETH, BNB = "BTCUSDT", "ETHUSDT", "BNBUSDT"


def only(percent: str = "100", stop: str = "2", symbol: str = BTC) -> SpotWorld:
    return SpotWorld(sets=[parameters(symbol, percent, "5", "15", stop)])


# --- 1, 2: who gets money -------------------------------------------------------------------------


def test_three_signals_at_once_are_three_reservations_buys_and_brackets() -> None:
    world = SpotWorld()
    world.tell(*(world.signal_of(symbol, 9.0) for symbol in (BTC, ETH, BNB)))
    assert [o.pricing for o in world.of(Purpose.ENTRY)] == [AtMarket(spend=Decimal("333.00"))] * 3
    world.deliver()
    assert world.told() == [
        "ENTRY 0.00666 BTCUSDT",
        "ENTRY 0.1332 ETHUSDT",
        "ENTRY 0.666 BNBUSDT",
        "BRACKET 0.00666 BTCUSDT",
        "BRACKET 0.1332 ETHUSDT",
        "BRACKET 0.666 BNBUSDT",
    ]
    brackets = {o.instrument.ref: o.pricing for o in world.of(Purpose.BRACKET)}
    assert brackets[BTC] == Bracket(above=Decimal(57500), below=Decimal(49000))
    assert brackets[ETH] == Bracket(above=Decimal(3050), below=Decimal(2350))
    assert brackets[BNB] == Bracket(above=Decimal(600), below=Decimal(350))
    view = world.allocation
    assert (view.totalBalance, view.totalReserved, view.availableBalance) == (1000.0, 999.0, 1.0)
    assert view.allocationPercentage == 99.9
    assert [one.state for one in view.sets] == [SetState.IN_POSITION] * 3


def test_a_fourth_signal_finds_insufficient_funds_and_sends_nothing() -> None:
    world = SpotWorld(
        sets=[*OWNERS, parameters("SOLUSDT", "33.3", "5", "10", "5")],
        prices={BTC: Decimal(50000), ETH: Decimal(2500), BNB: Decimal(500), "SOLUSDT": Decimal(99)},
    )
    for symbol in (BTC, ETH, BNB, "SOLUSDT"):
        world.signal(symbol)
    assert len(world.of(Purpose.ENTRY)) == 3
    assert "Failed to reserve funds for SOLUSDT: Insufficient funds" in world.lines
    assert world.set("SOLUSDT").reason.endswith("Insufficient funds")


def test_the_log_says_what_its_users_know() -> None:
    world = only("33.33")
    world.signal(BTC)
    assert "Reserved $333.30 (33.33%) for BTCUSDT" in world.lines
    assert "Total reserved: $333.30 / $1000.00" in world.lines
    world.signal(BTC)
    assert world.lines[-1] == "Already have position in BTCUSDT, skipping buy signal"
    assert len(world.of(Purpose.ENTRY)) == 1


def test_fifty_signals_over_budget_are_decided_one_at_a_time() -> None:
    names = [f"C{number:02d}USDT" for number in range(50)]
    world = SpotWorld(
        sets=[parameters(name, "7", "5", "10", "5") for name in names],
        prices=dict.fromkeys(names, Decimal(10)),
    )
    world.tell(*(world.signal_of(name, 9.0) for name in names))
    assert len(world.of(Purpose.ENTRY)) == 14
    assert sum("Insufficient funds" in line for line in world.lines) == 36
    world.deliver()
    assert len(world.of(Purpose.BRACKET)) == 14


def test_shares_of_99_percent_fill_the_account_when_scaled() -> None:
    world = SpotWorld(scale_to_full=True)
    for symbol in (BTC, ETH, BNB):
        world.signal(symbol)
    assert [r.reservedAmount for r in world.allocation.reservations] == [333.33] * 3


def test_the_total_after_a_loss_is_what_the_next_share_is_taken_of() -> None:
    world = only()
    world.signal(BTC)
    world.move(BTC, "40000")
    world.signal(BTC)
    assert world.of(Purpose.ENTRY)[1].pricing == AtMarket(spend=Decimal("800.00"))


def test_nothing_is_reserved_before_the_balance_the_rules_and_the_link_are_known() -> None:
    world = only()
    world.unlink()
    world.signal(BTC)
    world.link()
    world.tell(ArmedChanged(request_id="r", armed=False, by="me"))
    world.signal(BTC)
    assert world.sent == []
    assert "disarmed" in world.lines[-1]
    desk = Desk()
    desk.apply(
        [fact for _, facts in world.journal[:1] for fact in facts]
        + [VenueChanged(venue=VENUE, state=VenueState.READY)],
        world.now,
    )
    assert desk.apply([world.signal_of(BTC, 9.0)], world.now).intents
    assert not desk.allocation.episodes


# --- 3: partial fills -----------------------------------------------------------------------------


def test_a_buy_filled_in_part_is_protected_and_the_unspent_rest_released() -> None:
    world = only()
    world.exchange.fill_part = Decimal("0.25")
    world.signal(BTC)
    assert world.told()[-1] == "BRACKET 0.005 BTCUSDT"
    view = world.allocation
    assert (view.totalReserved, view.availableBalance, view.totalBalance) == (250.0, 750.0, 1000.0)
    world.move(BTC, "57500")
    assert world.allocation.totalReserved == 0.0
    assert world.allocation.availableBalance == 1037.5


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ("no liquidity", "no liquidity."),
        ("No liquidity.", "No liquidity."),
        ("", "the book ran dry."),
    ],
)
def test_a_buy_that_bought_nothing_gives_everything_back_once(refused: str, said: str) -> None:
    world = only()
    if refused:
        world.exchange.refuse[Purpose.ENTRY] = refused
    else:
        world.exchange.fill_part = Decimal(0)
    world.signal(BTC)
    assert world.allocation.totalReserved == 0.0
    assert world.allocation.availableBalance == 1000.0
    assert world.set(BTC).state is SetState.WAITING
    assert world.lines.count("Released $1000.00 for BTCUSDT") == 1
    assert [alert.body for alert in world.alerts] == [said]
    world.signal(BTC)
    assert world.set(BTC).state is SetState.IN_POSITION


def test_a_buy_reported_filled_before_its_fills_waits_for_them() -> None:
    world = only()
    world.signal(BTC, run=False)
    fill, balance, done = world.answers
    world.answers.clear()
    world.tell(done)
    assert world.of(Purpose.BRACKET) == []
    world.tell(fill)
    world.tell(balance)
    assert len(world.of(Purpose.BRACKET)) == 1
    assert world.allocation.availableBalance == 0.0


def test_fills_the_venue_never_shows_are_asked_for() -> None:
    world = only()
    world.signal(BTC, run=False)
    done = world.answers.pop()
    world.answers.clear()
    world.tell(done)
    world.later(5)
    assert len(world.of(Purpose.BRACKET)) == 1


# --- 4: commissions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fee_in", "fee", "sellable"),
    [("base", "0.001", "0.99"), ("quote", "0.001", "1"), ("BNB", "0.001", "1")],
)
def test_the_bracket_holds_what_commissions_left(fee_in: str, fee: str, sellable: str) -> None:
    world = SpotWorld(
        exchange=SpotExchange(fee=Decimal(fee), fee_in=fee_in, step=Decimal("0.01")),
        sets=[parameters(BTC, "80", "5", "15", "2")],
        prices={BTC: Decimal(800)},
    )
    world.signal(BTC)
    assert world.told()[-1] == f"BRACKET {sellable} BTCUSDT"
    world.move(BTC, "920")
    assert world.set(BTC).state is SetState.WAITING
    assert Decimal(repr(world.allocation.availableBalance)) == world.exchange.cash


def test_bnb_bought_and_commission_paid_in_bnb_is_a_commission_in_the_base() -> None:
    world = SpotWorld(
        exchange=SpotExchange(fee=Decimal("0.001"), fee_in="base", step=Decimal("0.01")),
        sets=[parameters(BNB, "50", "5", "15", "2")],
    )
    world.signal(BNB)
    assert world.told()[-1] == "BRACKET 0.99 BNBUSDT"


# --- 5: prices and filters ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "close_type"),
    [("58000", CloseType.TAKE_PROFIT), ("48000", CloseType.STOP_LOSS)],
)
def test_a_price_already_through_is_sold_at_market(price: str, close_type: CloseType) -> None:
    world = only()
    world.signal(BTC, run=False)
    world.exchange.prices[BTC] = Decimal(price)
    world.deliver()
    assert world.told() == [
        "ENTRY 0.02 BTCUSDT",
        "BRACKET 0.02 BTCUSDT",
        "SELL_POSITION 0.02 BTCUSDT",
    ]
    assert world.exchange.coins[BTC] == 0
    assert [t.close_type for t in world.desk.allocation.trades] == [close_type]
    assert world.allocation.totalReserved == 0.0


def test_a_bracket_refused_for_any_reason_leaves_nothing_naked() -> None:
    world = only()
    world.exchange.refuse[Purpose.BRACKET] = "Filter failure: MAX_NUM_ORDER_LISTS."
    world.signal(BTC)
    assert world.told()[-1] == "SELL_POSITION 0.02 BTCUSDT"
    assert [a.severity for a in world.alerts] == [Severity.CRITICAL, Severity.INFO]
    for alert in world.alerts:
        assert alert.body.endswith("MAX_NUM_ORDER_LISTS.")


def test_a_refused_sale_is_tried_again_until_it_goes() -> None:
    world = only()
    world.exchange.refuse |= {Purpose.BRACKET: "no", Purpose.SELL_POSITION: "try later"}
    world.signal(BTC)
    assert world.set(BTC).state is SetState.ATTENTION
    assert world.set(BTC).reason == "sale rejected: try later"
    world.later(6)
    assert world.set(BTC).state is SetState.WAITING
    ids = [order.client_order_id for order in world.sent]
    assert len(set(ids)) == 4
    assert all(map(is_ours, ids))


def test_a_stop_worth_less_than_the_minimum_is_refused_before_the_buy() -> None:
    world = SpotWorld(
        exchange=SpotExchange(cash=Decimal("5.20")),
        sets=[parameters(BNB, "100", "7", "20", "30")],
    )
    world.signal(BNB)
    assert world.sent == []
    assert "stop loss" in world.lines[-1]
    assert world.allocation.totalReserved == 0.0


def test_a_take_profit_outside_the_venues_band_is_refused_before_the_buy() -> None:
    band = PriceBand(lowest=Decimal("0.5"), highest=Decimal("1.1"))
    world = SpotWorld(
        exchange=SpotExchange(band=band), sets=[parameters(BTC, "50", "5", "15", "2")]
    )
    world.signal(BTC)
    assert world.sent == []
    assert "take-profit" in world.lines[-1]


# --- 6: how it ends -------------------------------------------------------------------------------


def test_the_rest_is_sold_when_the_price_stays_above_its_target() -> None:
    world = only()
    world.signal(BTC)
    world.move(BTC, "57500", part=Decimal("0.4"))
    # At the target itself the new bracket cannot stand: it is sold.
    assert world.exchange.coins[BTC] == 0
    assert [t.close_type for t in world.desk.allocation.trades] == [CloseType.TAKE_PROFIT]


def test_the_rest_waits_in_a_new_bracket_when_the_price_came_back() -> None:
    world = only()
    world.signal(BTC)
    said = world.exchange.move(BTC, Decimal(57500), world.now, Decimal("0.4"))
    world.exchange.prices[BTC] = Decimal(56000)
    world.answers += said
    world.deliver()
    assert world.set(BTC).state is SetState.IN_POSITION
    assert world.set(BTC).quantity == Decimal("0.012")
    first, second = world.of(Purpose.BRACKET)
    assert first.pricing == second.pricing
    world.move(BTC, "48900")
    assert world.set(BTC).state is SetState.WAITING
    assert sum("Released $1000.00" in line for line in world.lines) == 1


def test_a_rest_too_small_for_a_bracket_is_sold_at_once() -> None:
    world = only()
    world.signal(BTC)
    world.exchange.minimum_notional = Decimal(40)
    world.tell(ContractDescribed(venue=VENUE, spec=world.exchange.spec(BTC)))
    said = world.exchange.move(BTC, Decimal(57500), world.now, Decimal("0.96"))
    world.exchange.prices[BTC] = Decimal(56000)
    world.answers += said
    world.deliver()
    assert world.told()[-1] == "SELL_POSITION 0.0008 BTCUSDT"


def test_the_stop_is_the_reason_shown_and_money_comes_back_once() -> None:
    world = only()
    world.signal(BTC)
    world.move(BTC, "48000")
    [trade] = world.desk.allocation.trades
    assert trade.close_type is CloseType.STOP_LOSS
    assert (trade.spent, trade.earned) == (Decimal(1000), Decimal(960))
    assert world.alerts[-1].title == "BTCUSDT: closed, stop loss, -40.00 USDT"
    assert world.allocation.availableBalance == 960.0


def test_a_reversal_cancels_the_bracket_first_then_sells_then_releases() -> None:
    world = only()
    world.signal(BTC)
    world.signal(BTC, -0.2, run=False)
    assert [c.client_order_id for c in world.cancels] == [world.sent[1].client_order_id]
    assert world.of(Purpose.SELL_POSITION) == []
    assert world.allocation.totalReserved == 1000.0
    assert world.set(BTC).state is SetState.SELLING
    world.deliver()
    assert world.told()[-1] == "SELL_POSITION 0.02 BTCUSDT"
    assert world.allocation.totalReserved == 0.0
    assert [t.close_type for t in world.desk.allocation.trades] == [CloseType.REVERSAL]


def test_a_reversal_while_the_bracket_fills_sells_nothing_twice() -> None:
    world = only()
    world.signal(BTC)
    said = world.exchange.move(BTC, Decimal(57500), world.now)
    world.signal(BTC, -0.2, run=False)
    world.answers += said
    world.deliver()
    assert world.of(Purpose.SELL_POSITION) == []
    assert [t.close_type for t in world.desk.allocation.trades] == [CloseType.TAKE_PROFIT]


def test_a_reversal_during_the_buy_sells_what_it_bought() -> None:
    world = only()
    world.signal(BTC, run=False)
    world.signal(BTC, -0.2)
    assert world.told() == ["ENTRY 0.02 BTCUSDT", "SELL_POSITION 0.02 BTCUSDT"]
    assert world.allocation.totalReserved == 0.0


def test_a_cancel_nobody_answered_is_asked_for_and_sent_again() -> None:
    world = only()
    world.signal(BTC)
    world.linked = False
    world.signal(BTC, -0.2)
    world.linked = True
    assert len(world.cancels) == 1
    world.later(11)
    assert len(world.cancels) == 2
    assert world.set(BTC).state is SetState.WAITING


def test_a_person_closes_one_symbol_or_all() -> None:
    world = SpotWorld()
    for symbol in (BTC, ETH, BNB):
        world.signal(symbol)
    ask = CloseRequested(request_id="a", strategy_id=ETH, emergency=True, by="me")
    assert world.tell(ask).answers[0].message == "Closing ETHUSDT."
    world.deliver()
    assert [t.close_type for t in world.desk.allocation.trades] == [CloseType.EMERGENCY]
    everything = CloseRequested(request_id="b", strategy_id=None, emergency=True, by="me")
    assert world.tell(everything).answers[0].message == "Closing BTCUSDT, BNBUSDT."
    world.deliver()
    assert world.exchange.coins == dict.fromkeys((BTC, ETH, BNB), 0)
    again = CloseRequested(request_id="c", strategy_id=BTC, emergency=True, by="me")
    answer = world.tell(again).answers[0]
    assert (answer.ok, answer.message) == (False, "Nothing is held of BTCUSDT.")


def test_the_next_signal_after_a_release_trades_again_with_ids_of_its_own() -> None:
    world = only()
    world.signal(BTC)
    world.move(BTC, "57500")
    world.signal(BTC)
    assert world.set(BTC).state is SetState.IN_POSITION
    assert len({o.client_order_id for o in world.sent}) == 4


def test_a_bracket_cancelled_by_a_stranger_is_put_back() -> None:
    world = only()
    world.signal(BTC)
    world.answers += world.exchange.cancel(world.sent[-1].client_order_id)
    world.deliver()
    assert world.set(BTC).state is SetState.IN_POSITION
    assert len(world.of(Purpose.BRACKET)) == 2


def test_a_bracket_that_never_stays_ends_in_a_sale() -> None:
    world = only()
    world.signal(BTC)
    for _ in range(3):
        world.answers += world.exchange.cancel(world.of(Purpose.BRACKET)[-1].client_order_id)
        world.deliver()
    assert world.told()[-1] == "SELL_POSITION 0.02 BTCUSDT"
    assert world.set(BTC).state is SetState.WAITING


def test_a_sale_by_hand_is_counted_and_the_money_released() -> None:
    world = only()
    world.signal(BTC)
    # The exchange tells of the sale first, then that the bracket had been cancelled before it.
    cancelled = world.exchange.cancel(world.sent[-1].client_order_id)
    sold = world.exchange.sell_by_hand(BTC, Decimal("0.02"), world.now)
    world.tell(*cancelled, *sold)
    world.deliver()
    assert world.of(Purpose.SELL_POSITION) == []
    assert world.set(BTC).state is SetState.WAITING
    assert world.allocation.availableBalance == 1000.0


# --- 7: answers that do not come ------------------------------------------------------------------


@pytest.mark.parametrize("purpose", [Purpose.ENTRY, Purpose.BRACKET, Purpose.SELL_POSITION])
@pytest.mark.parametrize("arrived", [True, False])
def test_an_answer_that_never_came_is_asked_for_and_nothing_is_done_twice(
    purpose: Purpose, arrived: bool
) -> None:
    world = only()
    (world.lose if arrived else world.vanish).add(purpose)
    world.signal(BTC)
    world.signal(BTC, -0.2)
    assert world.set(BTC).state is SetState.WAITING
    assert world.exchange.coins[BTC] == 0
    sent = world.of(purpose)
    assert len(sent) == (1 if arrived else 2)
    assert len({order.client_order_id for order in sent}) == 1
    assert len(world.desk.allocation.trades) == 1


def test_money_is_not_released_because_an_answer_timed_out() -> None:
    world = only()
    world.lose.add(Purpose.ENTRY)
    world.signal(BTC, run=False)
    world.linked = False
    world.later(300)
    assert world.desk.floor.orders[world.sent[0].client_order_id].state is OrderState.UNKNOWN
    assert world.allocation.totalReserved == 1000.0
    world.linked = True
    world.later(11)
    assert world.set(BTC).state is SetState.IN_POSITION
    assert len(world.of(Purpose.ENTRY)) == 1


def test_a_signal_that_grew_old_while_its_buy_was_lost_is_not_bought() -> None:
    world = only()
    world.vanish.add(Purpose.ENTRY)
    world.signal(BTC, run=False)
    world.unlink()
    world.later(600)
    world.link()
    world.deliver()
    assert len(world.sent) == 1
    assert world.allocation.totalReserved == 0.0
    assert "the signal is too old" in " ".join(world.lines)


def test_a_buy_given_up_and_filled_after_all_is_protected() -> None:
    world = only()
    world.lose.add(Purpose.ENTRY)
    world.signal(BTC, run=False)
    world.answers.clear()
    rejected = OrderRow(
        client_order_id=world.sent[0].client_order_id,
        venue_order_id="7",
        report=OrderReport.REJECTED,
        filled=Decimal(0),
        reason="no",
    )
    world.tell(OrderReported(venue=VENUE, row=rejected))
    assert world.allocation.totalReserved == 0.0
    world.tell(world.exchange.snapshot(world.now + timedelta(seconds=1)), world.exchange.balance())
    world.deliver()
    assert world.told()[-1] == "BRACKET 0.02 BTCUSDT"
    assert world.allocation.availableBalance == 0.0
    world.move(BTC, "57500")
    assert world.allocation.availableBalance == 1150.0


def test_a_position_that_cannot_be_protected_now_is_said_and_protected_when_it_can() -> None:
    world = only()
    world.signal(BTC, run=False)
    world.tell(ArmedChanged(request_id="r", armed=False, by="me"))
    world.deliver()
    assert world.of(Purpose.BRACKET) == []
    assert world.set(BTC).state is SetState.ATTENTION
    assert any("not protected" in alert.title for alert in world.alerts)
    world.tell(ArmedChanged(request_id="r2", armed=True, by="me"))
    world.deliver()
    assert world.set(BTC).state is SetState.IN_POSITION


def test_what_the_venue_says_was_filled_and_cannot_show_is_protected_and_counted_once() -> None:
    world = only()
    world.signal(BTC, run=False)
    fill, _, done = world.answers
    world.answers.clear()
    world.tell(done)
    world.now += timedelta(seconds=1)
    without_fills = replace(world.exchange.snapshot(world.now), executions=())
    world.tell(without_fills)
    assert world.told()[-1] == "BRACKET 0.02 BTCUSDT"
    world.tell(fill)
    assert world.set(BTC).quantity == Decimal("0.02")
    world.deliver()
    world.move(BTC, "57500")
    [trade] = world.desk.allocation.trades
    assert (trade.bought, trade.spent, trade.earned) == (Decimal("0.02"), 1000, 1150)
    assert world.allocation.totalBalance == 1150.0


def test_a_corrected_fill_has_the_bracket_made_anew() -> None:
    world = only()
    world.signal(BTC)
    corrected = replace(world.exchange.executions[0], revision=2, quantity=Decimal("0.015"))
    world.exchange.coins[BTC] = Decimal("0.015")
    world.tell(ExecutionReported(venue=VENUE, execution=corrected))
    world.deliver()
    assert world.told()[-1] == "BRACKET 0.015 BTCUSDT"
    assert world.set(BTC).state is SetState.IN_POSITION
    assert world.exchange.locked(BTC) == Decimal("0.015")


def test_a_symbol_the_config_dropped_keeps_its_trade_until_it_is_over() -> None:
    world = SpotWorld()
    world.signal(BTC)
    world.configure(OWNERS[1:])
    assert [one.symbol for one in world.allocation.sets] == [BNB, ETH, BTC]
    assert world.set(BTC).take_profit == 57500
    world.move(BTC, "57500")
    assert [one.symbol for one in world.allocation.sets] == [BNB, ETH]
    assert world.allocation.totalBalance == 1049.95


def test_another_venue_is_taken_when_the_last_trade_at_the_old_one_is_over() -> None:
    world = SpotWorld()
    world.signal(BTC)
    world.configure(OWNERS, venue="kraken")
    assert world.allocation.venue == VENUE
    assert world.allocation.totalReserved == 333.0
    world.signal(ETH)
    assert len(world.of(Purpose.ENTRY)) == 1
    world.move(BTC, "57500")
    assert world.allocation.venue == "kraken"
    assert world.allocation.totalBalance == 0.0


def test_allocation_taken_out_of_the_config_ends_with_its_last_trade() -> None:
    world = SpotWorld()
    world.signal(BTC)
    world.tell(ConfigApplied(armed=True, options=None, strategies=()))
    assert world.set(BTC).state is SetState.IN_POSITION
    world.move(BTC, "48000")
    assert world.exchange.coins[BTC] == 0
    assert allocation(world.desk.allocation, {}) is None

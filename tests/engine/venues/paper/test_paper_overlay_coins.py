from datetime import timedelta
from decimal import Decimal

import pytest

from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    CloseType,
    ExecutionReported,
    OrderReport,
    OrderReported,
    PositionReported,
    PositionRow,
    Side,
    VenueState,
)
from engine.desk.market import Bar
from engine.venues.paper.fees import NO_FEES
from tests.engine.venues.paper.overlay_stage import Stage
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


def spot_stage(rig, **options):
    real = {
        "account": "main",
        "kind": "ccxt",
        "balances": {"USDT": Decimal(1000)},
        "specs": (SPOT_RULES,),
    }
    return Stage(rig, real=real, **options)


def perp_stage(rig, held="0", **options):
    row = PositionRow(
        account="main", instrument=PERP, quantity=Decimal(held), average_cost=Decimal(100)
    )
    rows = [row] if row.quantity else []
    real = {"account": "main", "kind": "ccxt", "specs": (PERP_RULES,)}
    return Stage(rig, *rows, real=real, **options)


def free(stage):
    """Give what was last told of each currency: free / total."""
    told = {it.currency: it for it in stage.sink.of(BalanceReported)}
    return {code: f"{it.free.normalize():f}/{it.total.normalize():f}" for code, it in told.items()}


def fills(stage):
    told = [it.execution for it in stage.sink.of(ExecutionReported)]
    return [f"{it.side} {it.quantity.normalize():f} at {it.price.normalize():f}" for it in told]


def ends(stage):
    return [(it.row.report.value, it.row.filled) for it in stage.sink.of(OrderReported)]


# --- spot ----------------------------------------------------------------------------------------


async def test_a_buy_for_an_amount_then_its_oco_to_the_target(rig):
    async with spot_stage(rig).running() as stage:
        assert free(stage) == {"USDT": "1000/1000"}
        await stage.quote(BTC, 99.9, 100.0)
        await stage.place(spend("buy", "333"))
        assert fills(stage) == ["BUY 3.33 at 100"]
        (bought,) = stage.sink.of(ExecutionReported)
        assert (bought.execution.fee, bought.execution.fee_currency) == (Decimal("0.00333"), "BTC")
        assert free(stage) == {"USDT": "667/667", "BTC": "3.32667/3.32667"}
        await stage.place(oco("bracket", "3.326", "110", "95"))
        assert free(stage)["BTC"] == "0.00067/3.32667"
        await stage.quote(BTC, 109.9, 110.0)
        assert len(fills(stage)) == 1
        await stage.quote(BTC, 111.0, 111.1)
        (_, sold) = stage.sink.of(ExecutionReported)
        assert sold.execution.exit_leg is CloseType.TAKE_PROFIT
        assert sold.execution.price == 110
        assert (sold.execution.fee, sold.execution.fee_currency) == (Decimal("0.36586"), "USDT")
        assert free(stage) == {"USDT": "1032.49414/1032.49414", "BTC": "0.00067/0.00067"}
        assert ends(stage) == [
            ("WORKING", 0),
            ("FILLED", Decimal("3.33")),
            ("WORKING", 0),
            ("FILLED", Decimal("3.326")),
        ]
        assert stage.sink.of(PositionReported) == []
        assert stage.book().positions == ()


async def test_an_oco_sells_below_its_stop_at_the_bid(rig):
    async with spot_stage(rig, fees=NO_FEES).running() as stage:
        await stage.quote(BTC, 99.9, 100.0)
        await stage.place(spend("buy", "333"))
        await stage.place(oco("bracket", "3.33", "110", "95"))
        await stage.quote(BTC, 94.5, 94.6)
        sold = stage.sink.of(ExecutionReported)[-1].execution
        assert (sold.price, sold.exit_leg) == (Decimal("94.5"), CloseType.STOP_LOSS)
        assert sold.fee == 0
        assert free(stage) == {"USDT": "981.685/981.685", "BTC": "0/0"}


async def test_a_cancelled_oco_sets_its_coins_free_for_the_sale(rig):
    async with spot_stage(rig, fees=NO_FEES).running() as stage:
        await stage.quote(BTC, 99.9, 100.0)
        await stage.place(spend("buy", "333"))
        await stage.place(oco("bracket", "3.33", "110", "95"))
        await stage.place(market("early", BTC, Side.SELL, "3.33"))
        stage.paper.cancel(oco("bracket", "3.33", "110", "95"))
        await stage.place(market("sale", BTC, Side.SELL, "3.33"))
        by_id = {it.row.client_order_id: it.row for it in stage.sink.of(OrderReported)}
        assert by_id["early"].report is OrderReport.REJECTED
        assert "Insufficient balance" in by_id["early"].reason
        assert by_id["bracket"].report is OrderReport.CANCELLED
        assert by_id["sale"].report is OrderReport.FILLED
        assert stage.real.sent == []


async def test_a_bracket_whose_price_is_through_is_refused(rig):
    async with spot_stage(rig).running() as stage:
        await stage.quote(BTC, 99.9, 100.0)
        await stage.place(spend("buy", "333"))
        await stage.quote(BTC, 111.0, 111.1)
        await stage.place(oco("bracket", "3.3", "110", "95"))
        refused = stage.sink.of(OrderReported)[-1].row
        assert refused.report is OrderReport.REJECTED
        assert "through" in refused.reason


async def test_nobody_spends_more_than_is_there(rig):
    async with spot_stage(rig).running() as stage:
        await stage.quote(BTC, 99.9, 100.0)
        await stage.place(spend("a", "700"), spend("b", "700"))
        assert fills(stage) == ["BUY 7 at 100"]
        assert sorted(it[0] for it in ends(stage)) == ["FILLED", "REJECTED", "WORKING"]


async def test_simulated_trades_are_laid_over_a_balance_told_later(rig):
    async with spot_stage(rig, fees=NO_FEES).running() as stage:
        await stage.quote(BTC, 99.9, 100.0)
        await stage.place(spend("buy", "300"))
        stage.real.balances["USDT"] = Decimal(1500)
        stage.real.sink.facts([stage.real.balance("USDT")])
        assert free(stage)["USDT"] == "1200/1200"


async def test_bars_and_the_clock_of_the_real_venue_pass_through(rig, words):
    bar = Bar(at=words.now, open=1.0, high=2.0, low=0.5, close=1.5)
    async with spot_stage(rig).running() as stage:
        stage.real.sink.bars("ibkr", BTC.ref, [bar])
        assert stage.sink.barred == {BTC.ref: [bar]}
        assert stage.paper.clock_skew_seconds == 0.25


# --- perpetuals ----------------------------------------------------------------------------------


async def test_a_sweep_closes_what_is_held_and_pays_a_fee(rig):
    async with perp_stage(rig, "2").running() as stage:
        await stage.quote(PERP, 104.0, 104.1)
        await stage.place(ioc("a", PERP, Side.SELL, "2", "103.9", reduce_only=True))
        (sold,) = stage.sink.of(ExecutionReported)
        assert sold.execution.price == 104
        assert (sold.execution.fee, sold.execution.fee_currency) == (Decimal("0.104"), "USD")
        assert stage.sink.story() == [
            ("WORKING", 0),
            ("executed", 2),
            ("holds", PERP.ref, 0),
            ("FILLED", 2),
        ]
        assert stage.sink.of(BalanceReported) == []


async def test_a_sweep_beyond_the_touch_or_without_a_quote_ends_cancelled(rig):
    async with perp_stage(rig, "2").running() as stage:
        await stage.place(ioc("blind", PERP, Side.SELL, "2", "103.9"))
        await stage.quote(PERP, 104.0, 104.1)
        await stage.place(ioc("dear", PERP, Side.SELL, "2", "104.1"))
        stage.real.turn(VenueState.STALE)
        await stage.place(ioc("stale", PERP, Side.SELL, "2", "103.9"))
        stage.real.turn(VenueState.READY)
        await stage.quote(PERP, 110.0, 110.1)
        assert fills(stage) == []
        assert ends(stage) == [("WORKING", 0), ("CANCELLED", 0)] * 3


async def test_a_resident_stop_rests_until_a_quote_reaches_it(rig):
    async with perp_stage(rig, "-2").running() as stage:
        await stage.quote(PERP, 99.9, 100.0)
        await stage.place(stop("a", PERP, Side.BUY, "2", "105", reduce_only=True))
        await stage.quote(PERP, 105.5, None)
        await stage.quote(PERP, 104.8, 104.9)
        assert fills(stage) == []
        rig.now += timedelta(days=3)
        await stage.quote(PERP, 105.1, 105.2)
        assert fills(stage) == ["BUY 2 at 105.2"]
        assert stage.sink.story()[-2:] == [("holds", PERP.ref, 0), ("FILLED", 2)]


async def test_reduce_only_counts_real_and_simulated_quantities(rig):
    async with perp_stage(rig, "3").running() as stage:
        await stage.quote(PERP, 100.0, 100.1)
        await stage.place(
            ioc("a", PERP, Side.SELL, "2", "99", reduce_only=True),
            ioc("b", PERP, Side.SELL, "2", "99", reduce_only=True),
            ioc("c", PERP, Side.SELL, "2", "99", reduce_only=True),
        )
        assert fills(stage) == ["SELL 2 at 100", "SELL 1 at 100"]
        last = {it.row.client_order_id: it.row for it in stage.sink.of(OrderReported)}
        assert [(last[it].report.value, last[it].filled) for it in "abc"] == [
            ("FILLED", 2),
            ("CANCELLED", 1),
            ("CANCELLED", 0),
        ]
        assert stage.held() == {}


async def test_a_stop_whose_position_is_gone_ends_when_it_is_reached(rig):
    async with perp_stage(rig, "2").running() as stage:
        await stage.quote(PERP, 100.0, 100.1)
        await stage.place(stop("a", PERP, Side.SELL, "2", "95", reduce_only=True))
        await stage.place(ioc("b", PERP, Side.SELL, "2", "99", reduce_only=True))
        await stage.quote(PERP, 94.0, 94.1)
        assert fills(stage) == ["SELL 2 at 100"]
        assert stage.sink.story()[-1] == ("CANCELLED", 0)


async def test_a_price_that_reached_a_stop_counts_though_it_went_back(rig):
    async with perp_stage(rig, "2").running() as stage:
        await stage.quote(PERP, 100.0, 100.1)
        await stage.place(stop("a", PERP, Side.SELL, "2", "95", reduce_only=True))
        stage.real.quote(PERP, 94.0, 94.1)
        stage.real.quote(PERP, 99.0, 99.1)
        await rig.settle()
        assert fills(stage) == ["SELL 2 at 94"]


# --- on disk -------------------------------------------------------------------------------------


async def test_every_kind_of_order_and_the_funds_survive_a_restart(rig, tmp_path):
    file = tmp_path / "paper.json"
    async with spot_stage(rig, state_file=file).running() as stage:
        await stage.quote(BTC, 99.9, 100.0)
        await stage.place(
            spend("buy", "333"),
            limit("rests", BTC, Side.BUY, "1", "90"),
        )
        await stage.place(oco("bracket", "3.326", "110", "95"))
        before = stage.book()
        shown = free(stage)
    rig.sink.batches.clear()
    rig.now += timedelta(hours=20)
    async with spot_stage(rig, state_file=file).running() as again:
        (book,) = again.sink.of(BookSnapshot)
        assert book.orders == before.orders
        assert book.executions == before.executions
        assert free(again)["USDT"] == shown["USDT"] == "577/667"
        await again.quote(BTC, 111.0, 111.1)
        sold = again.sink.of(ExecutionReported)[-1].execution
        assert (sold.client_order_id, sold.exit_leg) == ("bracket", CloseType.TAKE_PROFIT)
        rows = {it.client_order_id: it.report for it in again.book().orders}
        assert rows["rests"] is OrderReport.WORKING


async def test_a_resident_stop_survives_a_restart_and_a_sweep_does_not(rig, tmp_path):
    file = tmp_path / "paper.json"
    async with perp_stage(rig, "2", state_file=file).running() as stage:
        await stage.quote(PERP, 100.0, 100.1)
        await stage.place(stop("stop", PERP, Side.SELL, "2", "95", reduce_only=True))
        # Accepted and on disk, and the engine ends before it can trade.
        stage.paper.place(ioc("sweep", PERP, Side.SELL, "2", "99"))
    rig.sink.batches.clear()
    async with perp_stage(rig, "2", state_file=file).running() as again:
        rows = {it.client_order_id: it.report for it in again.book().orders}
        assert rows["stop"] is OrderReport.WORKING
        assert rows["sweep"] is OrderReport.CANCELLED
        await again.quote(PERP, 100.0, 100.1)
        assert fills(again) == []
        await again.quote(PERP, 94.0, 94.1)
        assert fills(again) == ["SELL 2 at 94"]
        assert again.held() == {}


@pytest.mark.parametrize("code", ["BTC", "USDT"])
async def test_an_account_that_told_no_balance_is_asked_for_none(rig, code):
    real = {"account": "main", "specs": (SPOT_RULES,)}
    async with Stage(rig, real=real).running() as stage:
        await stage.quote(BTC, 99.9, 100.0)
        await stage.place(spend("buy", "333"), market("sale", BTC, Side.SELL, "1"))
        assert fills(stage) == ["BUY 3.33 at 100", "SELL 1 at 99.9"]
        assert code not in free(stage)

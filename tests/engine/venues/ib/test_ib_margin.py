"""Account values and margin previews of the IB venue over the real wire: never taken for orders."""

from decimal import Decimal

from engine.desk.facts import (
    AccountReported,
    OrderPreviewed,
    OrderReported,
    OrderUnanswered,
    Side,
    VenueState,
)
from engine.desk.intents import PreviewOrder
from engine.venues.ib.pacer import Lane, Pacer
from tests.engine.venues.ib.ib_harness import (
    NAME,
    SHORT_PUT,
    STOCK,
    an_order,
    arrived,
    real_orders,
    snapshot_after,
    venue_at,
)
from tests.fakes.tws import ACCOUNT, LoopbackTws, condor_scene
from tests.fakes.tws.policy import reject
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import PUT_440


def preview(number: int = 1, quantity: int = 2) -> PreviewOrder:
    return PreviewOrder(
        preview_id=f"p{number}",
        venue=NAME,
        account=ACCOUNT,
        instrument=SHORT_PUT,
        side=Side.BUY,
        quantity=Decimal(quantity),
    )


async def test_account_values_are_told_together_and_again_when_one_changes() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws, forget=False) as (_, sink):
        (told,) = await sink.until_count(AccountReported)
        assert told == AccountReported(
            venue=NAME,
            account=ACCOUNT,
            currency="USD",
            net_liquidation=Decimal(100000),
            excess_liquidity=Decimal(98000),
            maintenance_margin=Decimal(2000),
        )
        tws.set_account_value(ACCOUNT, "ExcessLiquidity", "-120.50", "USD")
        last = (await sink.until_count(AccountReported, 2))[-1]
        assert last.excess_liquidity == Decimal("-120.5")
        assert last.net_liquidation == 100000


async def test_account_values_are_asked_for_after_the_book_and_once() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        await sink.until_count(AccountReported)
        await snapshot_after(venue, sink)
        assert tws.requests_of(Ask.ACCOUNT_SUMMARY) == 1
        kinds = [int(one.fields[0]) for one in tws.received]
        assert kinds.index(Ask.ACCOUNT_SUMMARY) > kinds.index(Ask.EXECUTIONS)


async def test_account_values_are_subscribed_to_anew_when_the_broker_lost_them() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        await sink.until_count(AccountReported)
        tws.send_error(1100)
        tws.send_error(1101)
        await tws.requests_reached(Ask.ACCOUNT_SUMMARY, 2)
        tws.set_account_value(ACCOUNT, "NetLiquidation", "99000.00", "USD")
        await sink.until(lambda: sink.all(AccountReported)[-1].net_liquidation == 99000)


async def test_figures_that_are_none_are_not_told_as_figures() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        await sink.until_count(AccountReported)
        for text in ("", "NaN", "Infinity", "1.7976931348623157E308", "not a number"):
            tws.set_account_value(ACCOUNT, "NetLiquidation", "5", "USD")
            await sink.until(lambda: sink.all(AccountReported)[-1].net_liquidation == 5)
            tws.set_account_value(ACCOUNT, "NetLiquidation", text, "USD")
            await sink.until(lambda: sink.all(AccountReported)[-1].net_liquidation is None)
            assert sink.state is VenueState.READY


async def test_a_preview_is_answered_with_its_margin_and_no_order_comes_of_it() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        venue.preview(preview())
        (told,) = await sink.until_count(OrderPreviewed)
        assert told == OrderPreviewed(
            venue=NAME,
            preview_id="p1",
            initial_margin_change=Decimal(-500),
            maintenance_margin_change=Decimal(-450),
            commission=Decimal(1),
            currency="USD",
        )
        book = await snapshot_after(venue, sink)
        assert book.orders == ()
        assert sink.all(OrderReported) == []
        assert real_orders(tws) == []
        (record,) = [one for one in tws.order_records() if one.quantity == 2]
        assert (record.what_if, record.account, record.order_ref) == (True, ACCOUNT, "")


async def test_a_preview_without_figures_says_none() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        tws.preview_margin(False)
        venue.preview(preview())
        (told,) = await sink.until_count(OrderPreviewed)
        assert (told.initial_margin_change, told.maintenance_margin_change) == (None, None)
        assert told.commission is None


async def test_a_refused_preview_says_why_and_is_no_refused_order() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        await sink.until(lambda: sink.can_trade is True)
        tws.set_order_policy(reject(201), PUT_440)
        venue.preview(preview())
        (told,) = await sink.until_count(OrderPreviewed)
        assert told.refusal.startswith("201: ")
        assert sink.can_trade is True
        assert sink.all(OrderReported) + sink.all(OrderUnanswered) == []


async def test_a_close_overtakes_the_previews_that_wait() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        await sink.until_count(AccountReported)
        before = len(tws.order_records())
        tws.go_silent()
        for number in range(5):
            venue.preview(preview(number, quantity=number + 2))
        venue.place(an_order(STOCK))
        await arrived(tws, 1)
        records = tws.order_records()[before:]
        assert [record.what_if for record in records] in ([True, False], [False])


def test_previews_wait_while_closes_go_out_and_go_on_after_them() -> None:
    now, done = [0.0], []
    timers: list[tuple[float, object]] = []

    class Timer:
        def cancel(self) -> None:
            raise AssertionError("nothing is closed here")

    def call_later(delay: float, act: object) -> Timer:
        timers.append((now[0] + delay, act))
        return Timer()

    pacer = Pacer(lambda: now[0], call_later)  # type: ignore[arg-type]
    pacer.send(Lane.ORDERS, lambda: done.append("close"))
    pacer.send(Lane.FIGURES, lambda: done.append("preview"))
    assert done == ["close"]
    while timers and now[0] < 10:
        at, act = timers.pop(0)
        now[0] = at
        act()
        assert done == ["close"] or now[0] >= 2
    assert done == ["close", "preview"]


async def test_a_preview_nobody_answers_does_not_keep_the_others_waiting() -> None:
    async with (
        LoopbackTws(condor_scene()) as tws,
        venue_at(tws, tick_seconds=0.01) as (venue, sink),
    ):
        await sink.until_count(AccountReported)
        session = venue._session
        assert session is not None
        tws.go_silent()
        venue.preview(preview(1))
        venue.preview(preview(2))
        await tws.wait_for(lambda: any(o.quantity == 2 for o in tws.order_records()))
        tws.speak()
        session._previews._asked_at -= 60
        (told,) = await sink.until_count(OrderPreviewed)
        assert told.preview_id == "p2"

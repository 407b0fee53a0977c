"""When the margin of a plan is asked for: never with a close, never instead of one, once a line."""

from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from engine.desk.facts import ArmedChanged, OrderPreviewed, VenueChanged, VenueState
from engine.desk.intents import PlaceOrder, PreviewOrder
from engine.desk.options.definitions import OptionSettings
from engine.desk.snapshot import StrategyStatus
from tests.engine.desk.world import MORNING, P440, SPY, VENUE, World


class Asking(World):
    """A world that keeps the previews that were asked for, batch by batch."""

    def __init__(self, **options: object) -> None:
        self.previews: list[PreviewOrder] = []
        self.mixed = 0
        super().__init__(**options)  # type: ignore[arg-type]

    def _keep(self, outcome):  # type: ignore[no-untyped-def]
        asked = [i for i in outcome.intents if isinstance(i, PreviewOrder)]
        self.previews += asked
        self.mixed += bool(asked) and any(isinstance(i, PlaceOrder) for i in outcome.intents)
        super()._keep(outcome)

    def assigned(self) -> None:
        self.row(P440, 0)
        self.row(SPY, 200)
        self.tell(self.snapshot())

    def questions(self) -> list[str]:
        return [f"{p.side} {p.quantity:f} {p.instrument.name}" for p in self.previews]


def answer(asked: PreviewOrder, change: int = -450) -> OrderPreviewed:
    return OrderPreviewed(
        venue=VENUE,
        preview_id=asked.preview_id,
        maintenance_margin_change=Decimal(change),
        currency="USD",
    )


def test_options_that_wait_for_their_session_are_previewed_after_the_shares_went_out() -> None:
    world = Asking()
    world.assigned()
    assert world.previews == []
    world.fill_all()
    world.later(4)
    assert sorted(world.questions()) == [
        "BUY 2 SPY 18Dec26 460 C",
        "SELL 2 SPY 18Dec26 435 P",
        "SELL 2 SPY 18Dec26 465 C",
    ]
    assert world.mixed == 0
    world.later(3600)
    assert len(world.previews) == 3


def test_no_preview_is_asked_while_a_close_has_no_answer() -> None:
    world = Asking()
    world.assigned()
    world.later(9)
    assert world.sent() == ["SELL 200 SPY"]
    assert world.previews == []


def test_what_the_venue_says_stands_beside_its_line_and_is_of_that_size_only() -> None:
    world = Asking()
    world.assigned()
    world.fill_all()
    world.later(4)
    short = next(p for p in world.previews if p.side == "BUY")
    world.tell(answer(short))
    lines = {line.instrument: line for line in world.picture().strategies[0].plan}
    margin = lines["SPY 18Dec26 460 C"].margin
    assert margin is not None
    assert (margin.maintenance_change, margin.currency) == (-450, "USD")
    assert lines["SPY 18Dec26 435 P"].margin is None


def test_an_answer_nobody_asked_for_is_no_news() -> None:
    world = Asking()
    stray = OrderPreviewed(venue=VENUE, preview_id="SPY-IC-1/x")
    assert world.desk.apply([stray], world.now).facts == ()


def test_a_disarmed_plan_is_previewed_whole_and_nothing_of_it_is_sent() -> None:
    world = Asking(now=MORNING, armed=False)
    world.assigned()
    world.later(4)
    assert len(world.previews) == 4
    assert world.sent() == []
    world.tell(ArmedChanged(request_id="r", armed=True, by="test"))
    world.fill_all()
    assert world.picture().strategies[0].status is StrategyStatus.CLOSED
    assert world.mixed == 0


def test_a_plan_that_waits_for_its_owner_is_previewed() -> None:
    settings = OptionSettings(venue=VENUE, auto_close_on_assignment=False)
    world = Asking(now=MORNING, settings=settings)
    world.assigned()
    world.later(4)
    assert len(world.previews) == 4
    assert world.sent() == []


def test_a_close_that_runs_through_is_never_previewed() -> None:
    world = Asking(now=MORNING)
    world.assigned()
    world.fill_all()
    world.later(60)
    assert world.picture().strategies[0].status is StrategyStatus.CLOSED
    assert world.previews == []


def test_a_strategy_that_is_whole_is_never_previewed() -> None:
    world = Asking(now=MORNING)
    world.later(60)
    assert world.previews == []


def test_a_venue_that_takes_no_orders_is_asked_nothing_and_nobody_is_woken_for_it() -> None:
    world = Asking()
    refuses = VenueChanged(venue=VENUE, state=VenueState.READY, can_trade=False, detail="read-only")
    world.tell(refuses)
    world.assigned()
    batches = len(world.batches)
    world.later(3600)
    assert world.previews == []
    assert len(world.batches) - batches < 10
    world.tell(replace(refuses, can_trade=True, detail=""))
    world.fill_all()
    world.later(4)
    assert len(world.previews) == 3


def test_after_the_link_came_back_the_margin_is_asked_for_anew() -> None:
    world = Asking()
    world.assigned()
    world.fill_all()
    world.later(4)
    for asked in list(world.previews):
        world.tell(answer(asked))
    world.tell(VenueChanged(venue=VENUE, state=VenueState.DOWN))
    world.now += timedelta(hours=1)
    world.connect()
    assert all(line.margin is None for line in world.picture().strategies[0].plan)
    world.later(4)
    assert len(world.previews) == 6

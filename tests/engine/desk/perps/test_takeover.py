"""What a venue, a person or nobody known did to a perpetual position, told to the desk."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from engine.desk.facts import (
    ArmedChanged,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    Side,
    VenueChanged,
    VenueState,
)
from engine.desk.intents import Severity
from engine.desk.snapshot import AssignmentKind, AssignmentState
from tests.engine.desk.perps.perps_world import (
    ACCOUNT,
    BTC,
    ETH,
    START,
    VENUE,
    D,
    World,
    manager,
)

AT_ONCE = manager(at_once=True)


def kinds(world: World) -> list[tuple[AssignmentKind, AssignmentState]]:
    return [(event.kind, event.state) for event in world.events()]


def severities(world: World) -> list[Severity]:
    return [alert.severity for alert in world.alerts]


# --- by raw marker -----------------------------------------------------------------------------


def test_an_assignee_is_closed_at_once_and_once() -> None:
    world = World(AT_ONCE)
    execution = world.assigned(2)
    assert world.sent() == ["SELL 2 BTC-USD"]
    assert kinds(world) == [(AssignmentKind.ASSIGNEE, AssignmentState.CLOSED)]
    assert world.events()[0].quantity == 2
    assert world.held() == 0
    world.tell(ExecutionReported(venue=VENUE, execution=execution))
    assert world.sent() == ["SELL 2 BTC-USD"]


def test_people_read_numbers_without_exponents_and_zeros_at_their_end() -> None:
    world = World(manager(stop_loss=D("0.05")))
    world.happens(ExecutionOrigin.ASSIGNEE, D("2.00000000"), at=D("1.0E+2"), fee="0E-8", told=False)
    world.tell(world.exchange.snapshot(world.now))
    world.quote(110)
    told = [alert.title + alert.body for alert in world.alerts]
    told += [event.evidence for event in world.events()]
    told += [f"{intent.quantity} {intent.reason}" for intent in world.orders]
    view = world.barrier()
    told += [str(it) for it in (view.quantity, view.entry_price, view.stop_loss, view.fees)]
    assert not [text for text in told if re.search(r"\dE[-+]?\d|\.\d*0(?!\d)", text)]
    assert "+2 BTC-USD assigned to us" in world.alerts[0].title


def test_an_assigned_short_is_bought_back() -> None:
    world = World(AT_ONCE)
    world.assigned(-1.5)
    assert world.sent() == ["BUY 1.5 BTC-USD"]


@pytest.mark.parametrize(
    ("percent", "sent"), [("100", "SELL 2.3"), ("50", "SELL 1.1"), ("33.3", "SELL 0.7")]
)
def test_close_percent_is_of_what_was_assigned_rounded_down_to_the_step(
    percent: str, sent: str
) -> None:
    world = World(manager(at_once=True, percent=percent), held={BTC: D(5)})
    world.assigned(2.3)
    assert world.sent() == [f"{sent} BTC-USD"]


def test_a_part_that_rounds_down_to_nothing_needs_its_owner() -> None:
    world = World(manager(at_once=True, percent="1"))
    world.assigned(2)
    assert world.sent() == []
    assert kinds(world) == [(AssignmentKind.ASSIGNEE, AssignmentState.ATTENTION)]
    assert "rounds down" in world.alerts[-1].body


def test_without_a_manager_an_assignment_is_told_and_nothing_is_sent() -> None:
    world = World(manager(at_once=True, pairs=("ETH-USD",)), manager(at_once=True, venue="okx"))
    world.assigned(2)
    assert world.sent() == []
    assert kinds(world) == [(AssignmentKind.ASSIGNEE, AssignmentState.ATTENTION)]
    assert severities(world) == [Severity.CRITICAL]
    world.happens(ExecutionOrigin.HAND, -2)
    assert kinds(world)[0] == (AssignmentKind.ASSIGNEE, AssignmentState.NOTED)


def test_managers_stand_side_by_side() -> None:
    world = World(
        manager(at_once=True, pairs=("ETH-USD",)),
        manager(pairs=("BTC-USD",), stop_loss=D("0.1"), resident_stop=False),
    )
    world.assigned(3, instrument=ETH)
    world.assigned(2)
    assert world.sent() == ["SELL 3 ETH-USD"]
    assert [(b.instrument, b.quantity) for b in world.picture().barriers] == [("BTC-USD", D(2))]


def test_two_managers_of_one_pair_share_what_was_assigned() -> None:
    world = World(
        manager(at_once=True, percent="50"),
        manager(percent="100", stop_loss=D("0.1"), resident_stop=False),
    )
    world.assigned(2)
    assert world.sent() == ["SELL 1 BTC-USD"]
    assert world.barrier().quantity == 1


def test_fills_of_one_assignment_told_together_are_one_close() -> None:
    world = World(AT_ONCE)
    first = world.assigned(2, told=False, at=100)
    second = world.assigned(1, told=False, at=103)
    world.tell(
        ExecutionReported(venue=VENUE, execution=first),
        ExecutionReported(venue=VENUE, execution=second),
    )
    assert world.sent() == ["SELL 3 BTC-USD"]
    (event,) = world.events()
    assert event.quantity == 3
    assert "101" in event.evidence


def test_our_own_position_is_left_alone_beside_the_assigned_one() -> None:
    world = World(AT_ONCE, held={BTC: D(5)})
    world.assigned(2)
    assert world.sent() == ["SELL 2 BTC-USD"]
    assert world.held() == 5


def test_our_own_entry_in_flight_is_left_alone() -> None:
    world = World(AT_ONCE)
    entry = world.happens(ExecutionOrigin.OURS, 3, told=False)
    world.assigned(2)
    world.tell(ExecutionReported(venue=VENUE, execution=entry))
    world.row()
    assert world.sent() == ["SELL 2 BTC-USD"]
    assert world.held() == 3
    assert [kind for kind, _ in kinds(world)] == [AssignmentKind.ASSIGNEE]


def test_an_edited_order_of_our_own_is_ours() -> None:
    world = World(AT_ONCE)
    world.happens(ExecutionOrigin.OURS, 1)
    assert world.events() == []
    assert world.alerts == []


def test_what_met_our_own_short_is_not_closed_into_a_larger_one() -> None:
    world = World(AT_ONCE, held={BTC: D(-5)})
    world.assigned(2)
    assert world.sent() == []
    assert world.held() == -3
    assert "-3 is held" in world.alerts[0].body


@pytest.mark.parametrize(
    ("origin", "kind", "severity"),
    [
        (ExecutionOrigin.ASSIGNOR, AssignmentKind.ASSIGNOR, Severity.CRITICAL),
        (ExecutionOrigin.ADL, AssignmentKind.ADL, Severity.WARNING),
        (ExecutionOrigin.LIQUIDATION, AssignmentKind.LIQUIDATION, Severity.CRITICAL),
        (ExecutionOrigin.SETTLEMENT, AssignmentKind.SETTLEMENT, Severity.WARNING),
        (ExecutionOrigin.HAND, AssignmentKind.EXTERNAL, Severity.INFO),
    ],
)
def test_what_shrinks_a_position_is_told_and_closes_nothing(
    origin: ExecutionOrigin, kind: AssignmentKind, severity: Severity
) -> None:
    world = World(AT_ONCE, held={BTC: D(5)})
    world.happens(origin, -2)
    assert world.sent() == []
    assert kinds(world) == [(kind, AssignmentState.NOTED)]
    assert severities(world) == [severity]
    assert [p.quantity for p in world.picture().positions] == [D(3)]
    world.later(60)
    assert len(world.events()) == 1


@pytest.mark.parametrize(
    "origin", [ExecutionOrigin.ADL, ExecutionOrigin.HAND, ExecutionOrigin.LIQUIDATION]
)
def test_a_guarded_position_that_shrinks_has_its_stop_resized(origin: ExecutionOrigin) -> None:
    world = World(manager(stop_loss=D("0.05")))
    world.assigned(2)
    assert world.sent() == ["SELL 2 BTC-USD"]
    world.happens(origin, -0.5)
    assert world.barrier().quantity == D("1.5")
    assert world.sent() == ["SELL 2 BTC-USD", "SELL 1.5 BTC-USD"]
    (stop,) = world.exchange.working()
    assert stop.left == D("1.5")
    world.happens(origin, -1.5)
    assert world.barrier().state == "CLOSED"
    assert world.exchange.working() == []
    assert world.closes() == []


def test_what_is_not_under_guard_shrinks_first() -> None:
    world = World(manager(stop_loss=D("0.05")), held={BTC: D(5)})
    world.assigned(2)
    world.happens(ExecutionOrigin.HAND, -5)
    assert world.barrier().quantity == 2
    assert world.sent() == ["SELL 2 BTC-USD"]


def test_of_two_guards_the_newer_shrinks_first() -> None:
    world = World(manager(stop_loss=D("0.05"), resident_stop=False))
    world.assigned(2)
    world.assigned(1)
    world.happens(ExecutionOrigin.ADL, -1.5)
    assert [b.quantity for b in world.picture().barriers] == [D("1.5"), D(0)]


def test_trades_by_hand_in_one_stretch_are_one_event() -> None:
    world = World(AT_ONCE)
    for _ in range(5):
        world.happens(ExecutionOrigin.HAND, 1)
        world.later(10)
    assert [event.quantity for event in world.events()] == [D(5)]
    assert len(world.alerts) == 1
    world.later(61)
    world.happens(ExecutionOrigin.HAND, 1)
    assert len(world.events()) == 2


# --- rows and their executions -----------------------------------------------------------------


def test_a_row_before_its_fill_is_no_false_assignment() -> None:
    world = World(AT_ONCE)
    execution = world.happens(ExecutionOrigin.OURS, 2, told=False)
    world.row()
    world.later(1.5)
    assert world.events() == []
    world.tell(ExecutionReported(venue=VENUE, execution=execution))
    world.later(60)
    assert world.events() == []
    assert world.asked == []
    assert world.sent() == []


def test_an_assignment_whose_row_comes_first_is_closed_when_its_fill_comes() -> None:
    world = World(AT_ONCE)
    execution = world.assigned(2, told=False)
    world.row()
    assert world.sent() == []
    world.later(0.5)
    world.tell(ExecutionReported(venue=VENUE, execution=execution))
    assert world.sent() == ["SELL 2 BTC-USD"]


def test_a_fill_that_only_a_fresh_book_shows_is_found_by_asking() -> None:
    world = World(AT_ONCE)
    world.assigned(2, told=False)
    world.row()
    world.later(2.1)
    assert [ask.reason for ask in world.asked][:1] == ["BTC-USD moved with no fill"]
    assert world.sent() == ["SELL 2 BTC-USD"]
    assert kinds(world) == [(AssignmentKind.ASSIGNEE, AssignmentState.CLOSED)]


def test_a_change_with_no_fill_anywhere_is_external_after_asking() -> None:
    world = World(AT_ONCE, held={BTC: D(1)})
    world.exchange.positions[BTC] = D(3)
    world.row()
    world.later(1.9)
    assert world.events() == []
    world.later(0.2)
    assert kinds(world) == [(AssignmentKind.EXTERNAL, AssignmentState.NOTED)]
    assert "1 -> +3" in world.events()[0].evidence
    assert world.sent() == []
    world.later(60)
    assert len(world.asked) == 1


def test_an_early_answer_does_not_settle_what_is_still_settling() -> None:
    world = World(AT_ONCE)
    world.exchange.positions[BTC] = D(3)
    world.row()
    world.later(0.5)
    world.tell(world.exchange.snapshot(world.now))
    world.asks_answered = False
    world.later(5)
    assert world.events() == []
    assert len(world.asked) == 1


def test_an_unanswered_question_is_asked_again() -> None:
    world = World(AT_ONCE)
    world.asks_answered = False
    world.exchange.positions[BTC] = D(3)
    world.row()
    world.later(32.5)
    assert len(world.asked) == 4
    assert world.events() == []


def test_a_fill_that_comes_after_all_takes_the_external_event_back() -> None:
    world = World(AT_ONCE)
    execution = world.assigned(2, told=False)
    world.exchange.executions.remove(execution)
    world.row()
    world.later(3)
    assert kinds(world) == [(AssignmentKind.EXTERNAL, AssignmentState.NOTED)]
    world.exchange.executions.append(execution)
    world.tell(ExecutionReported(venue=VENUE, execution=execution))
    assert kinds(world) == [(AssignmentKind.ASSIGNEE, AssignmentState.CLOSED)]
    assert world.sent() == ["SELL 2 BTC-USD"]
    world.later(60)
    assert len(world.events()) == 1
    assert world.picture().positions == ()


def test_nothing_is_concluded_while_the_link_is_down() -> None:
    world = World(AT_ONCE)
    world.disconnect()
    world.exchange.positions[BTC] = D(3)
    world.row()
    world.later(60)
    assert world.events() == []
    world.connect()
    world.later(3)
    assert kinds(world) == [(AssignmentKind.EXTERNAL, AssignmentState.NOTED)]


def test_flat_is_seen_as_flat() -> None:
    world = World(manager(stop_loss=D("0.05"), resident_stop=False))
    world.assigned(2)
    world.exchange.positions[BTC] = D(0)
    world.row()
    world.later(3)
    assert world.picture().positions == ()
    assert world.barrier().state == "CLOSED"
    assert world.closes() == []


# --- reconnections and first starts ------------------------------------------------------------


def test_a_snapshot_after_a_reconnection_shows_what_happened_meanwhile() -> None:
    world = World(AT_ONCE)
    world.disconnect()
    world.later(3 * 86_400)
    world.assigned(2, told=False)
    world.later(3_600)
    world.connect()
    assert world.sent() == ["SELL 2 BTC-USD"]
    world.disconnect()
    world.connect()
    assert world.sent() == ["SELL 2 BTC-USD"]


def old_assignment(age: timedelta, quantity: int = 2) -> Execution:
    return Execution(
        execution_id="old",
        account=ACCOUNT,
        instrument=BTC,
        side=Side.BUY,
        quantity=D(quantity),
        price=D(100),
        at=START - age,
        origin=ExecutionOrigin.ASSIGNEE,
    )


def test_a_first_start_closes_an_assignment_of_minutes_ago() -> None:
    world = World(
        AT_ONCE, held={BTC: D(2)}, quoted=False, executions=(old_assignment(timedelta(minutes=5)),)
    )
    world.quote(100)
    assert world.sent() == ["SELL 2 BTC-USD"]


def test_a_first_start_closes_only_what_was_not_given_back() -> None:
    assigned = old_assignment(timedelta(minutes=5))
    sold = replace(
        assigned,
        execution_id="sold",
        side=Side.SELL,
        quantity=D("1.2"),
        origin=ExecutionOrigin.HAND,
        at=START - timedelta(minutes=1),
    )
    world = World(AT_ONCE, held={BTC: D(3)}, quoted=False, executions=(assigned, sold))
    world.quote(100)
    assert world.sent() == ["SELL 0.8 BTC-USD"]


def test_a_first_start_tells_of_an_older_assignment_and_leaves_it() -> None:
    world = World(AT_ONCE, held={BTC: D(2)}, executions=(old_assignment(timedelta(minutes=30)),))
    assert world.sent() == []
    assert kinds(world) == [(AssignmentKind.ASSIGNEE, AssignmentState.NOTED)]
    assert severities(world) == [Severity.WARNING]


def test_history_that_is_replayed_later_moves_no_book_and_sends_nothing() -> None:
    world = World(AT_ONCE, held={BTC: D(2)})
    for days in (1, 30):
        old = replace(old_assignment(timedelta(days=days, minutes=-1)), execution_id=f"old{days}")
        world.tell(ExecutionReported(venue=VENUE, execution=old))
    world.later(60)
    assert world.sent() == []
    assert [event.kind for event in world.events()] == [AssignmentKind.ASSIGNEE]
    assert [p.quantity for p in world.picture().positions] == [D(2)]


# --- what stands in the way --------------------------------------------------------------------


def test_disarmed_an_assignment_is_seen_and_closed_when_armed() -> None:
    world = World(AT_ONCE, armed=False)
    world.assigned(2)
    world.later(30)
    assert world.sent() == []
    assert kinds(world) == [(AssignmentKind.ASSIGNEE, AssignmentState.ATTENTION)]
    world.tell(ArmedChanged(request_id="a", armed=True, by="me"))
    assert world.sent() == ["SELL 2 BTC-USD"]
    assert kinds(world) == [(AssignmentKind.ASSIGNEE, AssignmentState.CLOSED)]


def test_a_close_that_has_no_quote_waits_for_one() -> None:
    world = World(AT_ONCE, quoted=False)
    world.assigned(2)
    assert world.sent() == []
    world.quote(100)
    assert world.sent() == ["SELL 2 BTC-USD"]


def test_what_is_assigned_while_the_link_is_down_waits_for_it() -> None:
    world = World(AT_ONCE)
    world.disconnect()
    world.assigned(2)
    assert world.sent() == []
    world.connect()
    assert world.sent() == ["SELL 2 BTC-USD"]


def test_stale_quotes_raise_one_alarm_for_a_venue_with_barriers() -> None:
    world = World(manager(stop_loss=D("0.05"), resident_stop=False))
    stale = VenueChanged(venue=VENUE, state=VenueState.STALE, detail="no quotes for 20 s")
    world.tell(stale)
    assert world.alerts == []
    world.tell(VenueChanged(venue=VENUE, state=VenueState.READY))
    world.assigned(2)
    before = len(world.alerts)
    world.tell(stale)
    world.row(ETH)
    assert [a.severity for a in world.alerts[before:]] == [Severity.CRITICAL]


def test_ten_assignments_of_ten_fills_are_all_closed() -> None:
    world = World(AT_ONCE)
    world.exchange.depth = D("0.4")
    for _ in range(10):
        world.assigned(1)
    world.later(5)
    assert world.held() == 0
    assert sum(o.filled for o in world.exchange.all()) == 10
    assert all(order.report is not OrderReport.WORKING for order in world.exchange.all())
    assert {state for _, state in kinds(world)} == {AssignmentState.CLOSED}

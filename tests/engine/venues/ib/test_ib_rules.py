"""The pure rules of the IB venue: budgets, order maps, end markers, execution ids, text."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from ib_insync.contract import Contract
from ib_insync.objects import Execution as IbExecution

from engine.desk.facts import ExecutionOrigin, OrderReport
from engine.desk.text import clean_text
from engine.venues.ib import translate
from engine.venues.ib.orders import OrderBook, Verdict
from engine.venues.ib.pacer import BUDGET, BUDGET_WHILE_CLOSING, Lane, Pacer
from engine.venues.ib.question import EndMarks, Part
from tests.engine.venues.ib.ib_harness import CLIENT_ID, order_id

REF = order_id()


class Clock:
    """Time that moves only when told, with its timers."""

    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[tuple[float, Callable[[], None], Cancelled]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, action: Callable[[], None]) -> "Cancelled":
        timer = Cancelled()
        self.timers.append((self.now + delay, action, timer))
        return timer

    def move(self, seconds: float) -> None:
        self.now += seconds
        due = [one for one in self.timers if one[0] <= self.now]
        self.timers = [one for one in self.timers if one[0] > self.now]
        for _, action, timer in due:
            if not timer.cancelled:
                action()


class Cancelled:
    cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


def test_orders_go_out_at_once_while_data_waits() -> None:
    clock, sent = Clock(), list[str]()
    pacer = Pacer(clock.time, clock.call_later)
    for _ in range(40):
        pacer.send(Lane.DATA, lambda: sent.append("data"))
    for _ in range(10):
        pacer.send(Lane.ORDERS, lambda: sent.append("order"))
    assert sent == ["data"] * BUDGET[Lane.DATA] + ["order"] * 10
    # While closes go out the data gets little, but it gets through.
    clock.move(1.0)
    assert sent.count("data") == BUDGET[Lane.DATA] + BUDGET_WHILE_CLOSING[Lane.DATA]
    clock.move(1.0)
    clock.move(1.0)
    assert sent.count("data") == 40


def test_no_second_ever_sees_more_than_the_budget() -> None:
    clock, sent = Clock(), list[float]()
    pacer = Pacer(clock.time, clock.call_later)
    for lane in (Lane.DATA, Lane.QUESTIONS, Lane.ORDERS):
        for _ in range(60):
            pacer.send(lane, lambda: sent.append(clock.now))
    for _ in range(100):
        clock.move(0.1)
    assert len(sent) == 180
    for at in sent:
        assert sum(at <= other < at + 1.0 for other in sent) <= BUDGET[Lane.ORDERS]


def test_orders_that_must_wait_go_before_everything_else() -> None:
    clock, sent = Clock(), list[str]()
    pacer = Pacer(clock.time, clock.call_later)
    for _ in range(BUDGET[Lane.ORDERS]):
        pacer.send(Lane.ORDERS, lambda: None)
    pacer.send(Lane.DATA, lambda: sent.append("data"))
    pacer.send(Lane.QUESTIONS, lambda: sent.append("question"))
    pacer.send(Lane.ORDERS, lambda: sent.append("order"))
    assert sent == []
    clock.move(1.0)
    assert sent == ["order", "question", "data"]


def test_a_closed_pacer_sends_nothing() -> None:
    clock, sent = Clock(), list[str]()
    pacer = Pacer(clock.time, clock.call_later)
    for _ in range(BUDGET[Lane.DATA] + 1):
        pacer.send(Lane.DATA, lambda: sent.append("data"))
    pacer.close()
    pacer.send(Lane.ORDERS, lambda: sent.append("order"))
    clock.move(5.0)
    assert sent == ["data"] * BUDGET[Lane.DATA]


def a_book() -> OrderBook:
    return OrderBook(CLIENT_ID)


def test_a_fill_after_a_cancel_corrects_it() -> None:
    book = a_book()
    tracked = book.sending(REF, 5)
    book.status(CLIENT_ID, 5, 77, "Cancelled", Decimal(0), "")
    assert tracked.report is OrderReport.CANCELLED
    book.status(CLIENT_ID, 5, 77, "Filled", Decimal(2), "")
    assert (tracked.report, tracked.filled) == (OrderReport.FILLED, 2)


def test_a_filled_order_stays_filled() -> None:
    book = a_book()
    tracked = book.sending(REF, 5)
    for status in ("Filled", "Submitted", "Cancelled", "Inactive"):
        book.status(CLIENT_ID, 5, 77, status, Decimal(2), "")
    book.error(tracked, 201, "too late")
    assert tracked.report is OrderReport.FILLED


def test_inactive_after_a_refusal_is_still_the_refusal() -> None:
    book = a_book()
    tracked = book.sending(REF, 5)
    assert book.error(tracked, 201, "no") is Verdict.SETTLED
    book.status(CLIENT_ID, 5, 77, "Inactive", Decimal(0), "")
    assert (tracked.report, tracked.reason) == (OrderReport.REJECTED, "201: no")


def test_inactive_alone_is_no_refusal() -> None:
    book = a_book()
    tracked = book.sending(REF, 5)
    book.status(CLIENT_ID, 5, 77, "Inactive", Decimal(0), "locate")
    assert (tracked.report, tracked.reason) == (OrderReport.WORKING, "locate")


def test_a_part_filled_order_that_is_refused_keeps_its_fill() -> None:
    book = a_book()
    tracked = book.sending(REF, 5)
    book.status(CLIENT_ID, 5, 77, "Submitted", Decimal(1), "")
    book.error(tracked, 201, "no more")
    assert (tracked.report, tracked.filled) == (OrderReport.REJECTED, 1)


def test_an_earlier_attempt_of_the_same_name_does_not_end_the_newest() -> None:
    book = a_book()
    book.error(book.sending(REF, 5), 110, "tick")
    newest = book.sending(REF, 6)
    book.status(CLIENT_ID, 6, 78, "Submitted", Decimal(0), "")
    book.completed(REF, 77, "Cancelled", Decimal(0), "Cancelled")
    book.status(CLIENT_ID, 5, 77, "Cancelled", Decimal(0), "")
    assert book.named(REF) is newest
    assert newest.report is OrderReport.WORKING


def test_of_two_finished_orders_of_a_name_the_filled_one_counts() -> None:
    for first, second in (("Cancelled", "Filled"), ("Filled", "Cancelled")):
        book = a_book()
        book.completed(REF, 1, first, Decimal(0), "")
        book.completed(REF, 2, second, Decimal(2), "")
        tracked = book.named(REF)
        assert tracked is not None
        assert tracked.report is OrderReport.FILLED


def test_an_order_is_found_by_its_permanent_id_whoever_reports_it() -> None:
    book = a_book()
    tracked = book.opened(REF, 3, 9, 77, "Submitted", Decimal(2))
    assert tracked is not None
    assert book.status(0, 0, 77, "Filled", Decimal(2), "") is tracked
    assert tracked.report is OrderReport.FILLED


def test_orders_that_are_not_ours_are_not_tracked() -> None:
    book = a_book()
    assert book.opened("by hand", 0, 0, 0, "Submitted", Decimal(2)) is None
    assert book.completed("", 5, "Filled", Decimal(2), "") is None
    assert book.status(0, 0, 0, "Submitted", Decimal(0), "") is None


def test_a_status_nobody_knows_is_an_error() -> None:
    book = a_book()
    book.sending(REF, 5)
    with pytest.raises(ValueError, match="Fancy"):
        book.status(CLIENT_ID, 5, 77, "Fancy", Decimal(0), "")


def test_an_end_marker_that_may_be_an_older_ones_is_not_taken_at_once() -> None:
    ends = EndMarks()
    ends.asked(Part.POSITIONS, 1)
    ends.begin()
    ends.asked(Part.POSITIONS, 1)
    assert not ends.settle(Part.POSITIONS)
    assert not ends.came(Part.POSITIONS)
    assert ends.settle(Part.POSITIONS)
    ends.begin()
    ends.asked(Part.POSITIONS, 1)
    assert ends.came(Part.POSITIONS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00025b46.63f8f39c.01.01", ("00025b46.63f8f39c.01", 1)),
        ("00025b46.63f8f39c.01.02", ("00025b46.63f8f39c.01", 2)),
        ("F-38928", ("F-38928", 1)),
        ("abc.def", ("abc.def", 1)),
        (".02", (".02", 1)),
    ],
)
def test_execution_ids_are_parted_from_their_revision(text: str, expected: object) -> None:
    assert translate.split_execution_id(text) == expected


@pytest.mark.parametrize(
    ("fields", "origin"),
    [
        ({"orderRef": REF, "orderId": 5, "permId": 7, "clientId": 17}, ExecutionOrigin.OURS),
        ({"orderId": 0, "permId": 0}, ExecutionOrigin.BROKER),
        ({"orderId": 0, "permId": 7}, ExecutionOrigin.HAND),
        ({"orderId": 2147483647, "permId": 0}, ExecutionOrigin.HAND),
        ({"orderId": 9, "permId": 0, "clientId": 3}, ExecutionOrigin.HAND),
        ({"orderId": -1, "permId": 0, "clientId": 0}, ExecutionOrigin.LIQUIDATION),
        ({"orderId": 0, "permId": 0, "liquidation": 1}, ExecutionOrigin.LIQUIDATION),
    ],
)
def test_who_caused_an_execution(fields: dict[str, object], origin: ExecutionOrigin) -> None:
    contract = Contract(conId=1, secType="STK", symbol="SPY", currency="USD")
    told = IbExecution(execId="a.b.01", side="SLD", shares=2.0, price=4.15)
    for name, value in fields.items():
        setattr(told, name, value)
    execution = translate.execution_of(contract, told)
    assert execution is not None
    assert execution.origin is origin
    assert execution.price == Decimal("4.15")


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("plain", "plain"),
        ("two\nlines\tand tabs", "two lines and tabs"),
        ("\x1b]52;c;eA==\x07\x9b31m", "]52;c;eA==31m"),
        ("\u202eevil\u2066\u200f", "evil"),
        ("\ud800lone", "lone"),
        ("Zürich 東京 🙂", "Zürich 東京 🙂"),
        ("x" * 600, "x" * 499 + "…"),
        ("  \x00 ", ""),
    ],
)
def test_outside_text_loses_what_could_act(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean

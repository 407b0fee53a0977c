"""Asks what the lines of a plan that waits would do to the account's margin, and keeps the answers.

Nothing is decided by them. They are asked for apart from any close: some seconds after a plan
began to stand, and never while an order of ours has no answer yet.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.desk.facts import OrderPreviewed
from engine.desk.floor import Floor
from engine.desk.intents import PreviewOrder
from engine.desk.options.exit_plan import PlanLine
from engine.desk.options.strategies import Strategy
from engine.desk.snapshot import MarginView, OrderState

STANDS = timedelta(seconds=3)
"""How long a plan must have stood: what is being closed right now is no preview any more."""
_UNANSWERED = (OrderState.HELD, OrderState.SENDING, OrderState.UNKNOWN)
_MOST_KEPT = 2000


@dataclass(slots=True)
class _Wish:
    """A strategy's waiting lines, to be asked about at due."""

    due: datetime
    questions: tuple[PreviewOrder, ...]


class Previews:
    """Within: strategy id -> wish; preview id -> the strategy it was asked for; preview id -> its
    answer."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self._wishes: dict[str, _Wish] = {}
        self._asked: dict[str, str] = {}
        self._answers: dict[str, MarginView] = {}

    def wish(self, strategy: Strategy, lines: Iterable[PlanLine]) -> None:
        """Take the lines of a strategy's plan that are not sent now; those not asked about yet
        will be."""
        venue = strategy.definition.venue
        questions = tuple(
            PreviewOrder(
                preview_id=preview_id,
                venue=venue,
                account=strategy.account,
                instrument=line.instrument,
                side=line.side,
                quantity=line.quantity,
            )
            for line in lines
            if (preview_id := name(strategy, line)) not in self._asked
        )
        known = self._wishes.get(strategy.id)
        if not questions:
            self._wishes.pop(strategy.id, None)
        elif known is None:
            self._wishes[strategy.id] = _Wish(due=self._floor.now + STANDS, questions=questions)
        else:
            known.questions = questions

    def ask(self) -> None:
        """Ask what is due, unless the venue cannot answer or has something better to do: then at
        the next decision."""
        now = self._floor.now
        due = [(key, wish) for key, wish in self._wishes.items() if wish.due <= now]
        for strategy_id, wish in due:
            venue = wish.questions[0].venue
            if not self._floor.standing(venue).may_act or self._is_busy(venue):
                continue
            del self._wishes[strategy_id]
            for question in wish.questions:
                self._asked[question.preview_id] = strategy_id
                self._floor.outbox.append(question)
        while len(self._asked) > _MOST_KEPT:
            oldest = next(iter(self._asked))
            del self._asked[oldest]
            self._answers.pop(oldest, None)

    def take(self, told: OrderPreviewed) -> str | None:
        """Keep an answer; the strategy it is about, None where nobody asked."""
        strategy_id = self._asked.get(told.preview_id)
        if strategy_id is not None:
            self._answers[told.preview_id] = MarginView(
                initial_change=told.initial_margin_change,
                maintenance_change=told.maintenance_margin_change,
                commission=told.commission,
                currency=told.currency,
                refusal=told.refusal,
                at=self._floor.now,
            )
        return strategy_id

    def told(self, strategy: Strategy, lines: Iterable[PlanLine]) -> tuple[MarginView | None, ...]:
        """What the venue said of each line; None where it was not asked or has not answered."""
        if not self._answers:
            return ()
        return tuple(self._answers.get(name(strategy, line)) for line in lines)

    def forget(self) -> None:
        """A link came back, as after each night: what was told, or is owed, is of yesterday."""
        self._asked.clear()
        self._answers.clear()

    def deadlines(self) -> Iterator[datetime]:
        return (wish.due for wish in self._wishes.values())

    def _is_busy(self, venue: str) -> bool:
        orders = self._floor.live.values()
        return any(o.intent.venue == venue and o.state in _UNANSWERED for o in orders)


def name(strategy: Strategy, line: PlanLine) -> str:
    """Name a line by what it would send, so that the same one is asked about once."""
    parts = (strategy.account, line.instrument.ref, line.side, f"{line.quantity:f}")
    return "/".join((strategy.id, *parts))

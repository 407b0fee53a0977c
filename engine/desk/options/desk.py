"""The options desk: keeps the declared strategies, judges changes, closes what is broken."""

from collections import deque
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice
from sys import maxsize

from engine.desk.books import Book
from engine.desk.facts import CloseRequested, ConfigApplied, Execution, OrderPreviewed
from engine.desk.floor import Floor, VenueStanding
from engine.desk.hours import has_expired
from engine.desk.instruments import ContractSpec
from engine.desk.intents import Severity
from engine.desk.options.closer import Closer
from engine.desk.options.consequences import Consequences
from engine.desk.options.definitions import OptionSettings
from engine.desk.options.drawing import Drawn, Tables
from engine.desk.options.events import EventLog
from engine.desk.options.evidence import Evidence
from engine.desk.options.exit_plan import PlanLine
from engine.desk.options.judge import Judge
from engine.desk.options.lost import LostFills
from engine.desk.options.previews import Previews
from engine.desk.options.roster import Roster
from engine.desk.options.rules import decide, next_look
from engine.desk.options.sight import Sight
from engine.desk.options.strategies import Leg, Strategy
from engine.desk.options.trades import Trades
from engine.desk.orders import Order
from engine.desk.snapshot import StrategyStatus

PIECES = 60
"""How many pieces of new ground one decision takes: half a millisecond of work, about."""
REFUSED_BROKEN = "Cannot close broken strategy. Legs may be assigned. Manual review required."


class OptionsDesk:
    """Visits only the strategies that something concerns; see Roster for who that is.

    On new ground (the first book, another config, other accounts) it concerns all of them. They are
    placed and then looked at in pieces, so that no one decision takes long; whatever else happens
    meanwhile finds all of it done.

    Within: ground and footing are what everything stood on when it was decided last; placing is
    what is left to place on new ground, unseen who is to be looked at on it, begun who is to be
    closed since, when all have been looked at. hours are the
    (venue, ref) -> spec that a strategy's waiting closes were judged by. drawings and tables are
    what pictures keep.
    """

    def __init__(self, floor: Floor) -> None:
        self._floor = floor
        self.settings: OptionSettings | None = None
        self.roster = Roster()
        self.log = EventLog()
        evidence = Evidence(floor, self.roster)
        consequences = Consequences(floor, self.roster, self.log, evidence)
        self._judge = Judge(floor, self.roster, self.log, evidence, consequences)
        self._trades = Trades(floor, self.roster, self.log, evidence)
        self._sight = Sight(floor, self.roster)
        self._lost = LostFills(floor, self.roster)
        self.closer = Closer(floor, self.roster, self._lost)
        self.previews = Previews(floor)
        self.drawings: dict[str, Drawn] = {}
        self.tables = Tables()
        self.pieces = PIECES
        self._ground: object = None
        self._placing: Iterator[None] | None = None
        self._unseen: deque[Strategy] = deque()
        self._begun: list[Strategy] = []
        self._footing: object = None
        self._hours: dict[str, list[tuple[tuple[str, str], ContractSpec | None]]] = {}

    @property
    def strategies(self) -> dict[str, Strategy]:
        """id -> Strategy, in the order of the config."""
        return self.roster.strategies

    # --- what the room is told -------------------------------------------------------------------

    def configure(self, fact: ConfigApplied) -> None:
        """Take the declared strategies; those unchanged keep their state, running exits go on."""
        self.settings = fact.options
        self.closer.configure(fact.options)
        kept: dict[str, Strategy] = {}
        for definition in fact.strategies:
            old = self.strategies.get(definition.id)
            if old is not None and (old.definition == definition or old.episode is not None):
                kept[definition.id] = old
            else:
                kept[definition.id] = Strategy.declared(definition, "")
        for strategy in self.strategies.values():
            if strategy.episode is not None:
                kept.setdefault(strategy.id, strategy)
        self.roster.declare(kept.values())
        self._hours, self.drawings = {}, {}
        self._ground = None
        self._forget_new_ground()

    def take_execution(self, venue: str, execution: Execution, change: Decimal) -> None:
        if self.settings is not None and venue == self.settings.venue:
            self._trades.take(venue, execution, change)

    def order_ended(self, order: Order) -> None:
        strategy = self.strategies.get(order.intent.strategy_id or "")
        if strategy is not None:
            if order.vanished:
                self._lost.note(order, strategy)
            self.closer.ended(order, strategy)

    def order_absent(self, order: Order) -> None:
        strategy = self.strategies.get(order.intent.strategy_id or "")
        if strategy is not None:
            self._lost.note(order, strategy)
            self.closer.absent(order, strategy)

    def venue_returned(self, venue: str) -> None:
        """A link that came back: what failed for want of it is tried again at once."""
        for strategy in self.strategies.values():
            if strategy.definition.venue != venue:
                continue
            if strategy.episode is not None:
                strategy.episode.retry_at.clear()
            if strategy.broken or strategy.ruled or strategy.episode is not None:
                self.roster.wake(strategy)
        if self.settings is not None and venue == self.settings.venue:
            self.previews.forget()

    def previewed(self, fact: OrderPreviewed) -> bool:
        """Keep what the venue says an order would do; True when it is news."""
        strategy = self.strategies.get(self.previews.take(fact) or "")
        if strategy is None:
            return False
        strategy.revision += 1
        return True

    # --- deciding --------------------------------------------------------------------------------

    @property
    def is_behind(self) -> bool:
        """Whether something of new ground is put off that could be done now."""
        return self._placing is not None or (bool(self._unseen) and self._may_decide())

    def catch_up(self) -> None:
        """Do at once what is put off: something else is about to happen."""
        self._decide(maxsize)

    def decide(self) -> None:
        """Judge and act on the venue's book as it stands. Nothing is decided on a frozen link."""
        self._decide(self.pieces)

    def _decide(self, most: int) -> None:
        """Decide, taking at most so many pieces of new ground."""
        if self.settings is None:
            return
        venue, floor = self.settings.venue, self._floor
        book, standing = floor.book(venue), floor.standing(venue)
        self._follow(venue, book, standing)
        if book.unsettled:
            # What is judged must fall on strategies that were looked at before it goes on.
            most = maxsize
        most -= self._place(most)
        if self._placing is not None or not self._may_decide():
            return
        self._lost.settle_exact(book)
        self._judge.judge(venue, book, self.settings)
        self._lost.settle_rest(book)
        footing = (standing.state, standing.detail, standing.can_trade, floor.armed)
        if footing != self._footing:
            self._footing = footing
            self.roster.wake_active()
        self._wake_for_hours()
        self._carry_due(book)
        self._look_at_unseen(book, most)
        self._carry_due(book)
        self.previews.ask()

    def _may_decide(self) -> bool:
        venue, floor = self.settings.venue if self.settings else "", self._floor
        return floor.book(venue).known and floor.standing(venue).is_live

    def _place(self, most: int) -> int:
        """Go on with placing; how many pieces of it were done."""
        done = 0
        for _ in islice(self._placing or (), most):
            done += 1
        return done

    def _place_all(self, book: Book, accounts: tuple[str, ...]) -> Iterator[None]:
        yield from self.roster.rebuild(book, accounts)
        self._placing = None
        for strategy in self.strategies.values():
            if strategy.episode is not None or strategy.broken or strategy.ruled:
                self.roster.wake(strategy)
            else:
                self._unseen.append(strategy)

    def _look_at_unseen(self, book: Book, most: int) -> None:
        """Look at some of those nothing happens to. What an exit rule closes of them goes out when
        all were looked at: who has shares beside whom is known only then."""
        for _ in range(min(most, len(self._unseen))):
            strategy = self._unseen.popleft()
            self.roster.mark(strategy)
            self._sight.look(strategy, book)
            if strategy.episode is None:
                self._rule(strategy)
            if strategy.episode is None:
                self._preview_unsent(strategy, book)
            else:
                self._begun.append(strategy)
        if not self._unseen:
            for strategy in self._begun:
                self.roster.wake(strategy)
            self._begun.clear()

    def _carry_due(self, book: Book) -> None:
        """One that is done may leave shares or a contract to another: until nobody is due."""
        while due := self.roster.take_due(self._floor.now):
            for strategy in due:
                self._sight.look(strategy, book)
                self._carry(strategy, book)

    def _carry(self, strategy: Strategy, book: Book) -> None:
        """Go on with a strategy's way out, and be there again when what it waits for comes."""
        if strategy.episode is None:
            self._rule(strategy)
        episode = strategy.episode
        if episode is None:
            self._preview_unsent(strategy, book)
            return
        lines, look = self.closer.advance(strategy, episode, book)
        self.roster.wake_at(strategy, look)
        self.previews.wish(strategy, (line for line in lines if line.waits))
        venue, specs = strategy.definition.venue, self._floor.specs
        waiting = [(venue, line.instrument.ref) for line in lines if line.waits]
        if waiting:
            self._hours[strategy.id] = [(key, specs.get(key)) for key in waiting]
        else:
            self._hours.pop(strategy.id, None)

    def _preview_unsent(self, strategy: Strategy, book: Book) -> None:
        """A plan that stands until its owner says so, or until it is armed, is previewed too."""
        lines: tuple[PlanLine, ...] = ()
        if (strategy.broken or strategy.ruled) and not strategy.closed:
            lines = self.closer.plan(strategy, book)
        self.previews.wish(strategy, lines)

    def _rule(self, strategy: Strategy) -> None:
        """Let the exit rules decide about a strategy that nothing else is happening to."""
        settings, now = self.settings, self._floor.now
        if settings is None or not strategy.seen_whole or strategy.closed:
            self.roster.wake_at(strategy, None)
            return
        self.roster.wake_at(strategy, next_look(strategy, settings, now))
        decision = decide(strategy, settings, now)
        if decision is None or (strategy.ruled and not self._floor.armed):
            return
        if self._is_doubtful(strategy) or any(self._has_expired(leg) for leg in strategy.legs):
            return
        text = f"{decision.rule}: {decision.reason}"
        body = f"Priority {decision.priority}, urgency {decision.urgency.lower()}."
        if self._floor.armed:
            strategy.begin(text)
        else:
            strategy.ruled = strategy.note = text
            body = f"{body} Disarmed: nothing is sent."
        self._floor.alert(Severity.WARNING, f"{strategy.id}: closing, {text}", body, strategy.id)

    def _has_expired(self, leg: Leg) -> bool:
        if leg.contract is None or not leg.held or self.settings is None:
            return False
        spec = self._floor.spec(self.settings.venue, leg.contract)
        return has_expired(leg.contract, spec, self._floor.now)

    def _wake_for_hours(self) -> None:
        """Contracts are described anew every day: what waits for hours must hear of others."""
        specs = self._floor.specs
        for strategy_id, judged_by in self._hours.items():
            if any(specs.get(key) is not spec for key, spec in judged_by):
                self.roster.wake(self.strategies[strategy_id])

    def deadlines(self) -> Iterator[datetime]:
        if self.settings is None:
            return
        yield from self._judge.deadlines(self._floor.book(self.settings.venue), self.settings)
        alarm = self.roster.next_alarm()
        if alarm is not None:
            yield alarm
        yield from self.previews.deadlines()

    def _follow(self, venue: str, book: Book, standing: VenueStanding) -> None:
        """Divide what was touched among the strategies; everything when the ground is new."""
        ground = (book.known, standing.accounts)
        if ground != self._ground:
            self._ground = ground
            self._forget_new_ground()
            self._placing = self._place_all(book, standing.accounts)
            return
        # A set of text has no order of its own, and the same facts must give the same intents.
        for touched, account, ref in sorted(self._floor.touched):
            if touched == venue:
                self.roster.touch(book, account, ref)

    def _forget_new_ground(self) -> None:
        self._placing = None
        self._unseen.clear()
        self._begun.clear()

    # --- questions -------------------------------------------------------------------------------

    def names(self) -> Iterator[str]:
        return iter(self.strategies)

    def status(self, strategy: Strategy) -> StrategyStatus:
        return strategy.status(suspect=self._judge.is_suspect(strategy))

    def request_close(self, fact: CloseRequested) -> tuple[bool, str] | None:
        if fact.strategy_id is None:
            targets = [s for s in self.strategies.values() if not s.closed and not s.is_flat]
            if not targets:
                return None
        else:
            strategy = self.strategies.get(fact.strategy_id)
            if strategy is None:
                return None
            if strategy.closed or strategy.is_flat:
                return False, f"Nothing is held of {strategy.id}."
            targets = [strategy]
        if not fact.emergency and any(self._is_doubtful(s) for s in targets):
            return False, REFUSED_BROKEN
        word = "emergency close" if fact.emergency else "close"
        for strategy in targets:
            strategy.begin(f"{word} by {fact.by}")
            self.roster.wake(strategy)
            if strategy.episode is not None:
                strategy.episode.again()
        return True, "Closing " + ", ".join(s.id for s in targets) + "."

    def _is_doubtful(self, strategy: Strategy) -> bool:
        return bool(strategy.broken) or self._judge.is_suspect(strategy)

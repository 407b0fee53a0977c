"""The running engine: facts come in, are judged, journaled, and only then acted on.

Every batch goes one way: venue -> desk -> prices -> journal -> venue. The engine decides nothing
itself, and no order ever leaves it that a restart would not know of.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from engine.desk.desk import Answer, Desk, Outcome
from engine.desk.facts import (
    AlertChannelReported,
    DeadlinePassed,
    EngineStarted,
    Fact,
    OrderPriced,
    OrderUnpriced,
    VenueFact,
)
from engine.desk.instruments import ContractSpec
from engine.desk.intents import (
    AskVenue,
    AtMarket,
    CancelOrder,
    Intent,
    PlaceOrder,
    PreviewOrder,
    RaiseAlert,
    Severity,
    WriteLine,
)
from engine.desk.market import Bar, Quote
from engine.desk.orders import Order
from engine.desk.picture import picture
from engine.desk.pricing import price
from engine.desk.snapshot import Snapshot
from engine.errors import EngineError
from engine.journal import Append, Journal, JournalError, Record
from engine.service.alerts import AlertSender
from engine.service.clock import Clock, Handle
from engine.service.drawing import Drawing
from engine.service.trouble import alarm, may_precede, must_wait, turned_down
from engine.venues.port import Previewer, PricedOrder, Venue

log = structlog.get_logger("bulkhead.engine")

VERSION = "0.1.0"

_COMPANY_SECONDS = 0.001
"""How long facts that call for no order wait for their company. An assignment's second row often
comes right behind the first, in a packet of its own, and is not to wait for the first one's commit,
alert and picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What one batch came to: what must be journaled, and then done."""

    records: tuple[Record, ...]
    intents: tuple[Intent, ...]
    orders: tuple[tuple[str, PricedOrder], ...]
    answers: tuple[Answer, ...]

    @property
    def is_urgent(self) -> bool:
        """Whether it goes out before its commit. What a person asked for is on the disk before it
        is answered: that takes a disk."""
        return (
            bool(self.orders)
            and not self.answers
            and all(may_precede(order) for _, order in self.orders)
        )


class Engine:
    """Keeps engine.venues.port.VenueSink. publish(urgent) is told whenever the picture changed."""

    def __init__(self, *, mode: str, journal: Journal, clock: Clock) -> None:
        self.mode = mode
        self.started_at = clock.now()
        self.desk = Desk()
        self._journal = journal
        self._clock = clock
        self._venues: dict[str, Venue] = {}
        self._alerts: AlertSender | None = None
        self._publish: Callable[[bool], None] = lambda urgent: None
        self._quotes: dict[tuple[str, str], Quote] = {}
        self._heard: dict[str, float] = {}
        self._waiting: dict[str, asyncio.Future[Answer]] = {}
        self._carrying: set[asyncio.Task[None]] = set()
        self._timer: Handle | None = None
        self._drawing = Drawing(self.desk, self._quotes)
        self._batch = 0
        self._halted = ""

    # --- building --------------------------------------------------------------------------------

    async def recover(self) -> None:
        """Replay the journal: the desk stands where it stood. Nothing is sent meanwhile."""
        count = 0
        async for batch in self._journal.replay():
            self.desk.apply(batch.facts, batch.at)
            count += len(batch.facts)
        if count:
            log.info("journal replayed", facts=count)

    def use(
        self,
        *,
        venues: Mapping[str, Venue],
        alerts: AlertSender | None = None,
        publish: Callable[[bool], None] | None = None,
    ) -> None:
        """Join the engine's surroundings."""
        self._venues = dict(venues)
        self._alerts = alerts
        if publish is not None:
            self._publish = publish

    def start(self, *facts: Fact) -> None:
        """Record the start with the configuration in force; what was on its way is now unknown."""
        self.tell(EngineStarted(version=VERSION, mode=self.mode), *facts)

    async def drained(self) -> None:
        """Wait until everything taken so far is journaled and acted on."""
        while self._carrying:
            await asyncio.gather(*self._carrying)
        # What came with orders is acted on a turn after them.
        await asyncio.sleep(0)

    async def ping(self) -> None:
        """Return once the journal answered. Raises EngineError when nothing is sent any more."""
        if self._halted:
            raise EngineError(self._halted)
        await self._journal.ping()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._drawing.stop()

    # --- what venues call ------------------------------------------------------------------------

    def facts(self, batch: Iterable[VenueFact]) -> None:
        self.tell(*batch)

    def quote(self, venue: str, ref: str, quote: Quote) -> None:
        self._quotes[venue, ref] = quote
        fired = self.desk.quote(venue, ref, quote)
        if fired:
            self.tell(*fired)
        elif any(
            order.intent.instrument.ref == ref and order.intent.venue == venue
            for order in self.desk.awaiting_price()
        ):
            self.tell()
        self._publish(False)

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> None:
        signals = self.desk.bars(venue, ref, bars)
        if signals:
            self.tell(*signals)
        self._publish(False)

    def doubtful(self, venue: str) -> tuple[PricedOrder, ...]:
        return tuple(
            _priced(order)
            for order in self.desk.floor.live.values()
            if order.intent.venue == venue and order.terms is not None
        )

    def heard(self, venue: str) -> None:
        self._heard[venue] = asyncio.get_running_loop().time()

    # --- what people ask -------------------------------------------------------------------------

    async def ask(self, fact: Fact, request_id: str) -> Answer:
        """Tell the desk a person's request; answered when its consequences are committed."""
        if self._halted:
            return Answer(request_id=request_id, ok=False, message=self._halted)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[request_id] = future
        try:
            self.tell(fact)
            return await future
        finally:
            self._waiting.pop(request_id, None)

    def snapshot(self) -> Snapshot:
        now = asyncio.get_running_loop().time()
        ages = {name: now - at for name, at in self._heard.items()}
        return picture(
            self.desk,
            now=self._clock.now(),
            mode=self.mode,
            started_at=self.started_at,
            venues=[
                (v.name, v.kind, ages.get(v.name), v.clock_skew_seconds)
                for v in self._venues.values()
            ],
            quotes=self._quotes,
        )

    def show(self) -> None:
        """Have the picture shown as it is now."""
        self._publish(False)

    def journal_trouble(self, trouble: str) -> None:
        """Tell the owner that the journal fails (trouble says why), or empty: that it is whole."""
        self.tell(alarm(trouble))

    def alert_channel(self, channel: str, detail: str) -> None:
        self.tell(AlertChannelReported(channel=channel, detail=detail))

    # --- the one way -----------------------------------------------------------------------------

    def tell(self, *facts: Fact) -> None:
        """Take facts that happened together."""
        if self._halted:
            return
        try:
            carried = self._decide(facts)
        except Exception as error:
            # An invariant broke. Sending on would act on a state nobody understands.
            self._halt(error)
            return
        try:
            if carried.records or carried.answers:
                self._carry(carried)
        finally:
            self._look_ahead()
        for venue, ref in self.desk.unseen():
            quote = self._quotes.get((venue, ref))
            if quote is not None and (fired := self.desk.quote(venue, ref, quote)):
                self.tell(*fired)

    def _look_ahead(self) -> None:
        """Wake when time alone may change a decision. Orders do not wait for the search."""
        try:
            self._wake_at(self.desk.next_deadline())
        except Exception as error:
            self._halt(error)

    def _carry(self, carried: Carried) -> None:
        """Have it in the journal, then act on it."""
        try:
            append = self._journal.begin(carried.records)
            acted = carried.is_urgent and self._journal.put_ahead(append)
        except JournalError as error:
            self._journal_failed(error)
            self._act_on(carried)
            return
        try:
            if acted:
                self._act_on(carried)
        finally:
            task = asyncio.create_task(self._commit(append, None if acted else carried))
            self._carrying.add(task)
            task.add_done_callback(self._carrying.discard)

    def _decide(self, facts: tuple[Fact, ...]) -> Carried:
        now = self._clock.now()
        outcome = self.desk.apply(facts, now) if facts else Outcome()
        records = self._records(outcome, now)
        intents = outcome.intents
        terms = self._price(now)
        orders: list[str] = []
        if terms:
            for fact in terms:
                if isinstance(fact, OrderPriced):
                    orders.append(fact.client_order_id)
            second = self.desk.apply(terms, now)
            records += self._records(second, now)
            intents += second.intents
        return Carried(
            records=records,
            intents=intents,
            orders=tuple([self._outgoing(name) for name in orders]),
            answers=outcome.answers,
        )

    def _records(self, outcome: Outcome, now: datetime) -> tuple[Record, ...]:
        if not outcome.facts:
            return ()
        self._batch += 1
        items = (*outcome.facts, *outcome.intents)
        return tuple([Record(batch=self._batch, at=now, item=item) for item in items])

    def _price(self, now: datetime) -> tuple[OrderPriced | OrderUnpriced, ...]:
        """Put terms on every close that has none yet, from the live quotes."""
        found: list[OrderPriced | OrderUnpriced] = []
        for order in self.desk.awaiting_price():
            intent = order.intent
            terms = price(
                intent,
                self._quotes.get((intent.venue, intent.instrument.ref)),
                self.desk.floor.spec(intent.venue, intent.instrument)
                or ContractSpec(ref=intent.instrument.ref),
                now,
            )
            if isinstance(terms, OrderPriced) or terms.reason != order.reason:
                found.append(terms)
        return tuple(found)

    def _outgoing(self, client_order_id: str) -> tuple[str, PricedOrder]:
        order = self.desk.floor.orders[client_order_id]
        return order.intent.venue, _priced(order)

    async def _commit(self, append: Append, then: Carried | None) -> None:
        """Commit what was begun, then act on it where that was not done yet."""
        if then is not None and not (then.orders or then.answers):
            await asyncio.sleep(_COMPANY_SECONDS)
        try:
            # The rest is synced right after: ids are derived, and a lost row is seen again at the
            # venue.
            await self._journal.finish(append, durable=then is not None and bool(then.answers))
        except JournalError as error:
            self._journal_failed(error)
        if then is not None:
            self._act_on(then)

    def _journal_failed(self, error: JournalError) -> None:
        # A close must not wait for a disk: its id is derived, so a restart finds it at the venue.
        # Everything else is told to the owner by the alarm.
        log.critical("journal failed", error=str(error))
        if not self._journal.trouble:
            self._alarm("the journal cannot be written", str(error))

    def _act_on(self, carried: Carried) -> None:
        for venue, order in carried.orders:
            if must_wait(order, self._journal.trouble):
                asyncio.get_running_loop().call_soon(self.tell, turned_down(venue, order))
            else:
                self._venues[venue].place(order)
        if carried.orders:
            # A venue may send on the loop's next turn: what tells of an order comes after it.
            asyncio.get_running_loop().call_soon(self._act_on_the_rest, carried)
        else:
            self._act_on_the_rest(carried)

    def _act_on_the_rest(self, carried: Carried) -> None:
        for intent in carried.intents:
            self._act(intent)
        for answer in carried.answers:
            future = self._waiting.get(answer.request_id)
            if future is not None and not future.done():
                future.set_result(answer)
        self._publish(bool(carried.intents or carried.orders))
        self._drawing.look()

    def _act(self, intent: Intent) -> None:
        match intent:
            case PlaceOrder():
                pass
            case CancelOrder():
                order = self.desk.floor.orders.get(intent.client_order_id)
                if order is not None and order.terms is not None:
                    self._venues[intent.venue].cancel(_priced(order))
            case WriteLine():
                log.info(intent.text)
            case AskVenue():
                self._venues[intent.venue].ask()
            case PreviewOrder():
                venue = self._venues[intent.venue]
                if isinstance(venue, Previewer):
                    venue.preview(intent)
            case RaiseAlert():
                log.warning("alert", severity=intent.severity.value, title=intent.title)
                if self._alerts is not None:
                    self._alerts.offer(intent)

    def _wake_at(self, when: datetime | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if when is None else self._clock.call_at(when, self._woken)

    def _woken(self) -> None:
        self._timer = None
        due = self.desk.next_deadline()
        if due is not None and due <= self._clock.now():
            self.tell(DeadlinePassed())
        else:
            self._wake_at(due)

    def _halt(self, error: Exception) -> None:
        self._halted = f"The engine stopped itself and sends nothing more: {error}. Restart it."
        log.critical("invariant broke, nothing more is sent", exc_info=error)
        self._alarm("the engine stopped itself", self._halted)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(EngineError(self._halted))

    def _alarm(self, title: str, body: str) -> None:
        """Tell the owner without the desk, when the way through the desk is what failed."""
        if self._alerts is not None:
            now = self._clock.now()
            self._alerts.offer(
                RaiseAlert(
                    alert_id="engine", severity=Severity.CRITICAL, title=title, body=body, at=now
                )
            )


def _priced(order: Order) -> PricedOrder:
    """Join what was decided of an order and the terms it was given, which it must have."""
    intent, terms = order.intent, order.terms
    if terms is None:
        raise EngineError(f"order {intent.client_order_id} goes out without terms")
    pricing = intent.pricing
    return PricedOrder(
        client_order_id=intent.client_order_id,
        account=intent.account,
        instrument=intent.instrument,
        side=intent.side,
        quantity=intent.quantity,
        order_type=terms.order_type,
        limit_price=terms.limit_price,
        outside_rth=terms.outside_rth,
        purpose=intent.purpose,
        stop_price=terms.stop_price,
        time_in_force=terms.time_in_force,
        spend=pricing.spend if isinstance(pricing, AtMarket) else None,
        reduce_only=intent.reduce_only,
    )


async def cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they ended."""
    tasks = tuple(tasks)
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task

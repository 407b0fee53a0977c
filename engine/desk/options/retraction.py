"""Takes an explanation back that an execution proved wrong: what was read as an assignment was a
trade of somebody's, told late. Stops what was begun for it; never trades to undo what was sent.
"""

from datetime import timedelta
from decimal import Decimal

from engine.desk.books import Book, Holding
from engine.desk.facts import Execution, ExecutionOrigin
from engine.desk.floor import Floor
from engine.desk.intents import CancelOrder, Severity
from engine.desk.options.events import Event, EventLog
from engine.desk.options.roster import Roster
from engine.desk.options.sharing import toward_zero
from engine.desk.options.strategies import Strategy
from engine.desk.options.words import traded
from engine.desk.snapshot import AssignmentKind, OrderState

ZERO = Decimal(0)
_CLOCKS_AGREE = timedelta(seconds=10)
"""A trade that is told late happened before what it was taken for; the venue's clock says when."""


class Retraction:
    """Holds no state of its own; strategies are the roster's, events the log's."""

    def __init__(self, floor: Floor, roster: Roster, log: EventLog) -> None:
        self._floor = floor
        self._roster = roster
        self._log = log

    def consider(self, venue: str, book: Book, holding: Holding) -> None:
        """Take back what explained a holding's change, as far as late executions tell it was a
        trade; nothing where no such explanation is known."""
        fills, holding.unshown = holding.unshown, ZERO
        trade = _newest(book, holding)
        while fills and trade is not None:
            ref = holding.instrument.ref
            event = self._log.explained(venue, holding.account, ref, fills)
            if event is None or trade.at > event.detected_at + _CLOCKS_AGREE:
                return
            part = fills if abs(fills) <= abs(event.moved) else event.moved
            shares = event.delivered * part / event.moved
            book.unexplain(holding, part, self._floor.now)
            if shares and event.stock is not None:
                # What the stock's change was is asked anew: its executions may come as late.
                stock = book.holding(holding.account, event.stock)
                book.unexplain(stock, shares, self._floor.now)
            fills -= part
            self._undo(event, trade, part, shares)

    def _undo(self, event: Event, trade: Execution, part: Decimal, shares: Decimal) -> None:
        liquidated = trade.origin is ExecutionOrigin.LIQUIDATION
        who = "the broker's liquidator" if liquidated else "hand"
        text = traded(trade.instrument.name, trade.side, abs(part), trade.price, who)
        was, opened = event.kind, event.episode
        kind = AssignmentKind.LIQUIDATED if liquidated else AssignmentKind.MANUAL
        self._log.correct(event, kind, f"{text}, told late; first taken for {was}")
        strategy = self._roster.strategies.get(event.strategy_id or "")
        title, body = f"{text}, told late: it was not {was}", ""
        sold = ZERO
        if strategy is not None:
            title = f"{strategy.id}: {title}"
            stopped = self._stop(strategy, opened)
            kept = toward_zero(strategy.shares, -shares)
            sold = shares + kept
            self._roster.set_shares(strategy, strategy.shares + kept)
            strategy.note = text
            self._roster.wake(strategy)
            body = "Its close is stopped. " if stopped else ""
        if sold:
            body += f"{abs(sold):f} shares that were not its own are closed already. "
            event.needs_owner = True
        severity = Severity.CRITICAL if body else Severity.WARNING
        self._floor.alert(severity, title, f"{body}Look at it at the broker.", event.strategy_id)

    def _stop(self, strategy: Strategy, opened: int | None) -> bool:
        """End the way out that the wrong event alone opened; what works at the venue is
        cancelled."""
        episode = strategy.episode
        if episode is None:
            others = (e for e in self._log.events.values() if e.strategy_id == strategy.id)
            if not any(event.needs_owner for event in others):
                strategy.broken = ""
            return False
        if episode.number != opened or episode.reason != strategy.broken:
            return False
        strategy.broken, strategy.episode, strategy.working = "", None, False
        for order in self._floor.live.values():
            if order.intent.strategy_id != strategy.id or order.is_terminal:
                continue
            if order.state is OrderState.HELD:
                order.end(OrderState.CANCELLED, "what it was sent for was no such", self._floor.now)
            elif not order.cancel_asked:
                order.cancel_asked = True
                self._floor.outbox.append(
                    CancelOrder(
                        client_order_id=order.intent.client_order_id,
                        venue=order.intent.venue,
                        reason="what it was sent for was a trade by hand",
                    )
                )
        return True


def _newest(book: Book, holding: Holding) -> Execution | None:
    """The newest execution of somebody else's in a holding's instrument."""
    found = [
        execution
        for execution in book.executions
        if execution.instrument.ref == holding.instrument.ref
        and execution.account == holding.account
        and execution.origin is not ExecutionOrigin.OURS
    ]
    return max(found, key=lambda execution: execution.at, default=None)

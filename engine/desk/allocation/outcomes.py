"""What an order that ended means for its trade: what it bought or sold, and whether the trade must
end with it. It counts and tells; it sends nothing.
"""

from datetime import datetime, timedelta

from engine.desk.allocation.episode import Episode
from engine.desk.allocation.ledger import Ledger
from engine.desk.facts import CloseType, Execution
from engine.desk.floor import Floor
from engine.desk.intents import Purpose, Severity
from engine.desk.orders import Order
from engine.desk.snapshot import OrderState

_RETRY_FIRST = timedelta(seconds=5)
_RETRY_LAST = timedelta(seconds=60)
_MOST_UNHELD = 3


def count(ledger: Ledger, episode: Episode, execution: Execution, now: datetime) -> None:
    """Count an execution of a trade, and what it cost or brought."""
    ledger.book(episode.symbol, execution.side, episode.count(execution), now)


def conclude(floor: Floor, ledger: Ledger, episode: Episode, order: Order) -> None:
    """Draw the consequences of an order that ended and whose fills are known."""
    intent = order.intent
    missing = order.reported_filled - order.executed
    if missing > 0:
        change = episode.believe(intent.client_order_id, intent.side, missing, episode.price)
        ledger.book(episode.symbol, intent.side, change, floor.now)
    episode.attempts[intent.purpose] = episode.attempts.get(intent.purpose, 0) + 1
    if intent.purpose is Purpose.ENTRY:
        _buy_over(floor, ledger, episode, order)
    elif intent.purpose is Purpose.BRACKET:
        _bracket_over(floor, episode, order)
    else:
        _sale_over(floor, episode, order)


def _buy_over(floor: Floor, ledger: Ledger, episode: Episode, order: Order) -> None:
    symbol = episode.symbol
    episode.entry_over = True
    if not episode.bought:
        # The whole of it comes back with the release, which is at once.
        ledger.bought(symbol, whole=True)
        reason = order.reason.rstrip(".")
        episode.failure = reason or f"the venue ended it {order.state.value.lower()}"
        floor.alert(
            Severity.WARNING, f"{symbol}: nothing was bought", f"{episode.failure}.", symbol
        )
        return
    unspent = ledger.bought(symbol, whole=order.state is OrderState.FILLED)
    kind = f"{floor.mode.upper()} BUY" if floor.mode else "BUY"
    floor.write(f"{kind}: {symbol} - Market order executed", symbol)
    percent = episode.parameters.allocation_percent.normalize()
    floor.write(f"Allocated: ${episode.amount:.2f} ({percent:f}%)", symbol)
    if unspent:
        floor.write(
            f"Released ${unspent:.2f} of it: only ${episode.spent:.2f} could be spent", symbol
        )


def _bracket_over(floor: Floor, episode: Episode, order: Order) -> None:
    symbol, reason = episode.symbol, order.reason.rstrip(".")
    if order.state is OrderState.REJECTED:
        # Through the price or not: whatever the reason, nothing protects it now.
        episode.want_out(CloseType.EMERGENCY, f"its bracket was refused: {reason}")
        episode.refused = True
        floor.alert(
            Severity.CRITICAL,
            f"{symbol}: the bracket was refused, selling at market",
            f"{reason}.",
            symbol,
        )
    elif order.state is OrderState.CANCELLED and not order.cancel_asked:
        episode.unheld = 0 if order.executed else episode.unheld + 1
        title = "filled in part" if order.executed else "cancelled at the venue"
        body = f"{order.remaining:f} {episode.instrument.base} is protected anew."
        floor.alert(
            Severity.WARNING,
            f"{symbol}: the bracket was {title}",
            f"{body} {reason}." if reason else body,
            symbol,
        )
        if episode.unheld >= _MOST_UNHELD:
            episode.want_out(CloseType.EMERGENCY, "its bracket does not stay at the venue")


def _sale_over(floor: Floor, episode: Episode, order: Order) -> None:
    if order.executed:
        episode.retry_at, episode.trouble = None, ""
        return
    tried = episode.attempts[order.intent.purpose]
    delay = min(_RETRY_FIRST * 2 ** min(tried - 1, 10), _RETRY_LAST)
    episode.retry_at = floor.now + delay
    why = order.reason.rstrip(".") or "no reason given"
    episode.trouble = f"sale {order.state.value.lower()}: {why}"
    floor.alert(
        Severity.CRITICAL,
        f"{episode.symbol}: {episode.trouble}",
        f"It is held unprotected. Tried again in {int(delay.total_seconds())} s.",
        episode.symbol,
    )

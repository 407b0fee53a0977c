"""Tells the journal in a trader's words: one line an entry, nothing left out, nothing decided."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date
from decimal import Decimal
from typing import Any, assert_never

from engine.desk.facts import (
    AccountReported,
    AlertAcknowledged,
    AlertChannelReported,
    ArmedChanged,
    BalanceReported,
    BarrierFired,
    BookSnapshot,
    CloseRequested,
    ConfigApplied,
    ContractDescribed,
    DeadlinePassed,
    EngineStarted,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    Fact,
    GuardReleased,
    GuardRequested,
    OrderPreviewed,
    OrderPriced,
    OrderReported,
    OrderRow,
    OrderType,
    OrderUnanswered,
    OrderUnpriced,
    PositionReported,
    ResetRequested,
    Side,
    SignalKind,
    SignalRaised,
    TrailingMoved,
    VenueChanged,
    VenueWarned,
)
from engine.desk.intents import (
    AskVenue,
    CancelOrder,
    Intent,
    PlaceOrder,
    PreviewOrder,
    RaiseAlert,
    WriteLine,
)
from engine.desk.text import amount, clean_text
from engine.journal.records import Entry

_ID_LENGTH = 10

_ORIGINS = {
    ExecutionOrigin.OURS: "",
    ExecutionOrigin.HAND: ", by hand",
    ExecutionOrigin.BROKER: ", by the broker",
    ExecutionOrigin.LIQUIDATION: ", by the liquidator",
    ExecutionOrigin.ASSIGNEE: ", assigned to us",
    ExecutionOrigin.ASSIGNOR: ", assigned away from us",
    ExecutionOrigin.ADL: ", auto-deleveraged",
    ExecutionOrigin.SETTLEMENT: ", settled",
}


def tell(entry: Entry, *, was: Decimal | None = None) -> str:
    """Say on one line what an entry means; the time is UTC. was is the quantity a position had
    before, where the caller knows it."""
    at = entry.at.astimezone(UTC)
    # Cleaned again on the way out: reasons and alerts quote what venues said.
    words = _words(entry.item, was)
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}  {clean_text(words, longest=len(words))}"


def tell_all(entries: Iterable[Entry]) -> Iterator[str]:
    """Tell entries in order: a line for each day, and positions with what they were before."""
    day: date | None = None
    held: dict[tuple[str, str, str], Decimal] = {}
    for entry in entries:
        today = entry.at.astimezone(UTC).date()
        if today != day:
            day = today
            yield f"{day:%A} {day.isoformat()} (UTC)"
        item = entry.item
        if isinstance(item, PositionReported):
            row = item.row
            key = (item.venue, row.account, row.instrument.ref)
            yield tell(entry, was=held.get(key))
            held[key] = row.quantity
            continue
        if isinstance(item, BookSnapshot):
            held = {key: quantity for key, quantity in held.items() if key[0] != item.venue}
            for row in item.positions:
                held[item.venue, row.account, row.instrument.ref] = row.quantity
        yield tell(entry)


def as_row(entry: Entry) -> dict[str, str]:
    """Return an entry as flat text for CSV; body is the whole of it as JSON."""
    return {
        "seq": str(entry.seq),
        "batch": str(entry.batch),
        "at": entry.at.isoformat(),
        "kind": entry.kind,
        "name": entry.name,
        "strategy_id": entry.strategy_id or "",
        "text": tell(entry),
        "body": entry.body,
    }


def as_document(entry: Entry) -> dict[str, Any]:
    """Return an entry as a JSON object, its body nested."""
    return {
        **as_row(entry),
        "seq": entry.seq,
        "batch": entry.batch,
        "strategy_id": entry.strategy_id,
        "body": json.loads(entry.body),
    }


def _words(item: Fact | Intent, was: Decimal | None) -> str:
    match item:
        case PositionReported(row=row):
            before = "now" if was is None else f"{_number(was)} ->"
            return f"{row.instrument.name} in {row.account}: {before} {_number(row.quantity)}"
        case BookSnapshot():
            return _book(item)
        case ExecutionReported(execution=execution):
            return _execution(execution)
        case OrderReported(row=row):
            return _report(row)
        case OrderPriced():
            return _priced(item)
        case OrderUnpriced():
            return f"order {_short(item.client_order_id)} held, not sent: {item.reason}"
        case OrderUnanswered():
            return (
                f"order {_short(item.client_order_id)} may or may not be at the venue: "
                f"{item.reason}"
            )
        case PlaceOrder():
            return (
                f"order {_short(item.client_order_id)} {item.side} {_number(item.quantity)} "
                f"{item.instrument.name} ({item.purpose}): {item.reason}"
            )
        case CancelOrder():
            return f"cancel order {_short(item.client_order_id)}: {item.reason}"
        case AskVenue():
            return f"ask {item.venue} for its whole book: {item.reason}"
        case PreviewOrder():
            return (
                f"ask {item.venue} what {item.side} {_number(item.quantity)} "
                f"{item.instrument.name} would do to the margin of {item.account}"
            )
        case RaiseAlert():
            return f"alert {item.severity}: {item.title}" + _after(". ", item.body)
        case WriteLine():
            return item.text
        case BarrierFired():
            at = "" if item.price is None else f" at {_number(item.price)}"
            return f"barrier {item.barrier_id}: {item.close_type} reached{at}"
        case TrailingMoved():
            peak = _number(item.peak_price)
            return f"barrier {item.barrier_id}: trailing stop follows a peak of {peak}"
        case SignalRaised():
            word = "buy" if item.kind is SignalKind.ENTRY else "reversal"
            return f"{item.symbol}: {word} signal, z-score {item.z_score:.2f} at {item.price:.8g}"
        case _:
            return _surroundings(item)


def _surroundings(
    item: VenueChanged
    | ContractDescribed
    | VenueWarned
    | EngineStarted
    | ConfigApplied
    | ArmedChanged
    | CloseRequested
    | GuardRequested
    | GuardReleased
    | ResetRequested
    | BalanceReported
    | AccountReported
    | OrderPreviewed
    | AlertAcknowledged
    | AlertChannelReported
    | DeadlinePassed,
) -> str:
    match item:
        case VenueChanged():
            refuses = "; it takes no orders" if item.can_trade is False else ""
            return f"{item.venue} is {item.state}{_after(': ', item.detail)}{refuses}"
        case ContractDescribed(spec=spec):
            settled = ", settled in cash" if spec.cash_settled else ""
            # A venue that never closes tells of no hours.
            count = _count(len(spec.trading), "trading session")
            hours = f"{spec.time_zone}, {count} known" if spec.trading else "always open"
            return f"{item.venue} described contract {spec.ref} ({hours}{settled})"
        case VenueWarned():
            grave = "CRITICAL, " if item.critical else ""
            return f"{item.venue} says ({grave}code {item.code}): {item.text}"
        case EngineStarted():
            return f"engine {item.version} started, mode {item.mode}"
        case ConfigApplied():
            return _configuration(item)
        case ArmedChanged():
            return f"{item.by} {'armed' if item.armed else 'disarmed'} the engine"
        case CloseRequested():
            what = "everything" if item.strategy_id is None else item.strategy_id
            return f"{item.by} asked to close {what}{' (emergency)' if item.emergency else ''}"
        case GuardRequested():
            return f"{item.by} put {item.ref} at {item.venue} between barriers"
        case GuardReleased():
            return f"{item.by} released {item.barrier_id} from its barriers"
        case ResetRequested():
            forced = ", all of them" if item.force else ""
            return f"{item.by} asked to release the reservations{forced}"
        case BalanceReported():
            return (
                f"{item.venue} balance: {_number(item.total)} {item.currency}, "
                f"{_number(item.free)} free"
            )
        case AccountReported():
            return f"{item.venue} values {item.account}: {_worth(item)}"
        case OrderPreviewed():
            return f"{item.venue} previewed an order: {_previewed(item)}"
        case AlertAcknowledged():
            return f"{item.by} acknowledged alert {item.alert_id}"
        case AlertChannelReported():
            state = f"failed: {item.detail}" if item.detail else "works again"
            return f"alert channel {item.channel} {state}"
        case DeadlinePassed():
            return "a deadline passed"
        case _:
            assert_never(item)


def _worth(item: AccountReported) -> str:
    told = (
        ("net liquidation", item.net_liquidation),
        ("excess liquidity", item.excess_liquidity),
        ("maintenance margin", item.maintenance_margin),
    )
    parts = [f"{word} {_number(value)}" for word, value in told if value is not None]
    return f"{', '.join(parts) or 'nothing told'} {item.currency}".rstrip()


def _previewed(item: OrderPreviewed) -> str:
    if item.refusal:
        return f"refused, {item.refusal}"
    told = (
        ("initial margin", item.initial_margin_change),
        ("maintenance margin", item.maintenance_margin_change),
    )
    parts = [f"{word} {_signed(value)}" for word, value in told if value is not None]
    return f"{', '.join(parts) or 'nothing told'} {item.currency}".rstrip()


def _signed(value: Decimal) -> str:
    return f"+{_number(value)}" if value > 0 else _number(value)


def _configuration(item: ConfigApplied) -> str:
    guarded = [strategy.id for strategy in item.strategies]
    guarded += [f"assignments at {manager.venue}" for manager in item.managers]
    if item.allocation is not None:
        guarded += [one.symbol for one in item.allocation.sets]
    armed = "armed" if item.armed else "disarmed"
    return f"configuration in force: {armed}, guarding {', '.join(guarded) or 'nothing'}"


def _book(item: BookSnapshot) -> str:
    counts = [
        _count(len(item.positions), "position"),
        _count(len(item.executions), "execution"),
        _count(len(item.orders), "order"),
    ]
    held = "; ".join(f"{row.instrument.name} {_number(row.quantity)}" for row in item.positions)
    accounts = ", ".join(item.accounts) or "no account"
    return f"{item.venue} showed its book of {accounts}: {', '.join(counts)}{_after(': ', held)}"


def _execution(item: Execution) -> str:
    verb = "bought" if item.side is Side.BUY else "sold"
    order = "" if item.client_order_id is None else f", order {_short(item.client_order_id)}"
    corrected = f", correction {item.revision - 1}" if item.revision > 1 else ""
    return (
        f"{verb} {_number(item.quantity)} {item.instrument.name} at {_number(item.price)} "
        f"in {item.account}{_ORIGINS[item.origin]}{order}{corrected}"
    )


def _report(row: OrderRow) -> str:
    filled = f", {_number(row.filled)} filled" if row.filled else ""
    return f"order {_short(row.client_order_id)} {row.report}{filled}{_after(': ', row.reason)}"


def _priced(item: OrderPriced) -> str:
    match item.order_type:
        case OrderType.MARKET:
            terms = "at market"
        case OrderType.LIMIT:
            terms = f"with limit {_price(item.limit_price)}"
        case OrderType.STOP:
            terms = f"to rest with its stop at {_price(item.stop_price)}"
        case OrderType.OCO:
            terms = f"as OCO: {_price(item.limit_price)} or {_price(item.stop_price)}"
        case _:
            assert_never(item.order_type)
    hours = ", also outside regular hours" if item.outside_rth else ""
    quote = f"bid {_price(item.bid)}, ask {_price(item.ask)}"
    return f"order {_short(item.client_order_id)} goes out {terms} ({quote}){hours}"


def _short(order_id: str) -> str:
    return order_id if len(order_id) <= _ID_LENGTH else f"{order_id[:_ID_LENGTH]}…"


def _number(value: Decimal) -> str:
    return amount(value)


def _price(value: Decimal | None) -> str:
    return "none" if value is None else f"{value:f}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _after(joint: str, text: str) -> str:
    return f"{joint}{text}" if text else ""

"""Everything known about one thing of the picture, written out in lines."""

from collections.abc import Iterator

from engine.desk.snapshot import AccountView, DifferenceView, StrategyView
from tui.journal import About, Topic
from tui.rows.barriers import position_id
from tui.rows.candidates import candidate_rows
from tui.rows.cells import Row, Span, Tone, line
from tui.rows.closing import Kind, Target, closing_of
from tui.rows.details_events import alert_rows, assignment_rows, order_rows
from tui.rows.details_positions import barrier_rows, position_rows, set_rows
from tui.rows.fields import field, heading, journal_lines, order_lines, paragraph, state
from tui.rows.figures import day, money, price, quantity
from tui.rows.marks import assignment_word, strategy_mark
from tui.rows.scene import Scene
from tui.rows.sheets import plan_head, plan_rows
from tui.rows.strategies import DIFFERENCE, difference_key, leg_fault

_PLAN_WIDTH = 94
Told = tuple[str, tuple[Row, ...]]


def detail_rows(about: About, scene: Scene) -> Told | None:
    """Title and rows; None when it is gone from the picture."""
    picture, wanted = scene.picture, about.id
    match about.topic:
        case Topic.STRATEGY:
            for strategy in picture.strategies:
                if strategy.id == wanted:
                    return f"Strategy {strategy.id}", tuple(_strategy(strategy, scene))
        case Topic.CANDIDATE:
            for candidate in picture.candidates:
                if candidate.id == wanted:
                    title = f"Found: {candidate.underlying} {candidate.kind.replace('_', ' ')}"
                    return title, tuple(candidate_rows(candidate, scene.width))
        case Topic.DIFFERENCE:
            for difference in picture.differences:
                if difference_key(difference) == DIFFERENCE + wanted:
                    return difference.instrument, tuple(_difference(difference, scene))
        case Topic.ALERT:
            for alert in picture.alerts:
                if alert.id == wanted:
                    rows = alert_rows(alert, scene.journal, scene.width, today=picture.at)
                    return f"{alert.severity} alert", tuple(rows)
        case Topic.ASSIGNMENT:
            for assignment in picture.assignments:
                if assignment.id == wanted:
                    word = assignment_word(assignment.kind).capitalize()
                    rows = assignment_rows(picture, assignment, scene.journal, scene.width)
                    return f"{word} at {assignment.venue}", tuple(rows)
        case Topic.ORDER:
            for order in picture.orders:
                if order.id == wanted:
                    rows = order_rows(order, scene.journal, scene.width, today=picture.at)
                    return f"Order {order.side} {order.instrument}", tuple(rows)
        case _:
            return _position(about, scene)
    return None


def _position(about: About, scene: Scene) -> Told | None:
    picture, wanted = scene.picture, about.id
    if about.topic is Topic.BARRIER:
        for barrier in picture.barriers:
            if barrier.id == wanted:
                return f"Position {barrier.instrument}", tuple(barrier_rows(barrier, scene))
    if about.topic is Topic.POSITION:
        for position in picture.positions:
            if position_id(position) == wanted:
                title = f"Position {position.instrument}, not guarded"
                return title, tuple(position_rows(position, scene))
    if about.topic is Topic.SET and picture.allocation is not None:
        rows = tuple(set_rows(picture.allocation, wanted, scene))
        return (f"Allocation {wanted}", rows) if rows else None
    return None


def _strategy(strategy: StrategyView, scene: Scene) -> Iterator[Row]:
    width, picture = scene.width, scene.picture
    yield from state("status", strategy_mark(strategy.status), width)
    if strategy.reason:
        yield from field("reason", strategy.reason, width)
    for advice in strategy.advice:
        yield from field("advice", advice, width, Tone.NOTICE)
    yield from field("kind", strategy.kind.replace("_", " "), width)
    yield from field("account", f"{strategy.account} at {strategy.venue}", width)
    for account in picture.accounts:
        if (account.venue, account.account) == (strategy.venue, strategy.account):
            yield from field("worth", _worth(account), width)
    last = price(strategy.underlying_price)
    yield from field("underlying", f"{strategy.underlying} {last}", width)
    yield from field("expires in", "-" if strategy.dte is None else f"{strategy.dte} days", width)
    yield from field("shares", quantity(strategy.shares, signed=True), width)
    yield from heading("Legs", width)
    for leg in strategy.legs:
        word, tone = leg_fault(leg, strategy.status)
        text = (
            f"{leg.right} {quantity(leg.strike):>7} {day(leg.expiry)}"
            f"  want {quantity(leg.expected, signed=True):>4}"
            f"  held {quantity(leg.held, signed=True):>4}  "
        )
        quote = f" {price(leg.bid):>8} / {price(leg.ask)}"
        yield line(Span(text), Span(f"{word:<10}", tone), Span(quote), width=width)
    yield from _plan(strategy, scene)
    yield from order_lines([o for o in picture.orders if o.strategy_id == strategy.id], width)
    differing = [
        one
        for one in picture.differences
        if one.venue == strategy.venue
        and one.account == strategy.account
        and one.instrument.split(" ")[0] == strategy.underlying
    ]
    if differing:
        yield from heading("What differs in this underlying", width)
        for difference in differing:
            yield from paragraph(_difference_text(difference), width)
    yield from journal_lines("History, newest last", scene.journal, width, today=picture.at)


def _worth(account: AccountView) -> str:
    told = (
        ("net liquidation", account.net_liquidation),
        ("excess liquidity", account.excess_liquidity),
        ("maintenance margin", account.maintenance_margin),
    )
    parts = [f"{word} {money(value)}" for word, value in told if value is not None]
    return f"{', '.join(parts) or 'not told'} {account.currency}"


def _plan(strategy: StrategyView, scene: Scene) -> Iterator[Row]:
    yield from heading("What an emergency close would send now", scene.width)
    closing = closing_of(scene.picture, Target(kind=Kind.STRATEGY, id=strategy.id))
    if closing is not None and closing.lines:
        width = min(scene.width, _PLAN_WIDTH)
        for row in (plan_head(width), *plan_rows([closing], width=width, now=scene.picture.at)):
            yield line(*row.spans, width=scene.width)
    else:
        yield line(Span("Nothing: there is nothing to close.", Tone.MUTED), width=scene.width)


def _difference_text(difference: DifferenceView) -> str:
    why = difference.explained_by or "nothing explains it"
    return (
        f"{difference.instrument}: want {quantity(difference.expected, signed=True)}, "
        f"held {quantity(difference.held, signed=True)}; {why}"
    )


def _difference(difference: DifferenceView, scene: Scene) -> Iterator[Row]:
    width = scene.width
    yield from field("account", f"{difference.account} at {difference.venue}", width)
    yield from field("expected", quantity(difference.expected, signed=True), width)
    yield from field("held", quantity(difference.held, signed=True), width)
    tone = Tone.PLAIN if difference.explained_by else Tone.WARN
    why = difference.explained_by or "nothing explains it"
    yield from field("explained by", why, width, tone)
    yield from heading("What it means", width)
    yield from paragraph(
        "The strategies of this account together expect one quantity, the venue shows another. "
        "Nothing is done about a position that no strategy declares.",
        width,
    )

"""The lines around the panes: header, banner, tabs, pane titles and footer."""

from collections.abc import Container

from engine.desk.facts import VenueState
from engine.desk.snapshot import Snapshot, VenueView
from tui.actions import PANES as LONG_PANES
from tui.actions import Where, of
from tui.rows.alerts import unacknowledged, under_way
from tui.rows.barriers import money_tone, net_total, unguarded
from tui.rows.cells import Row, Span, Tone, line, spread, width_of
from tui.rows.figures import age, short_money
from tui.rows.marks import Mark, armed_mark, mode_mark, severity_mark, venue_mark
from tui.rows.text import clean
from tui.rows.worst import worst_barriers, worst_sets, worst_strategies
from tui.view import LinkState, View
from tui.why_not import why_not

PANES = ("Strategies", "Alerts", "Barriers", "Allocation")
_WORST_FIRST = (
    VenueState.DOWN,
    VenueState.STALE,
    VenueState.CONNECTING,
    VenueState.SYNCING,
    VenueState.READY,
)


def header_row(view: View, *, width: int, clock: str) -> Row:
    """Mode, armed or not, every venue's state and age; what does not fit is counted, worst kept."""
    left = [Span(" BULKHEAD ", Tone.BRAND), Span(" ")]
    if view.picture is None:
        return spread(left, [Span(f"{clock} ", Tone.MUTED)], width=width)
    mode = mode_mark(view.picture.mode)
    armed = armed_mark(view.picture.armed)
    left += [
        Span(f" {mode.sign} {clean(mode.word)[:12]} ", mode.tone),
        Span("  "),
        Span(f"{armed.sign} {armed.word}", armed.tone if view.fresh else Tone.MUTED),
    ]
    if view.read_only:
        left += [Span("  "), Span("• READ-ONLY", Tone.NOTICE)]
    if view.muted:
        left += [Span("  "), Span("• muted", Tone.MUTED)]
    right = [Span(f"{clock} ", Tone.MUTED)] if width >= 72 else []
    room = width - width_of(left) - width_of(right) - 2
    left += _venues(view, room)
    return spread(left, right, width=width)


def _venues(view: View, room: int) -> list[Span]:
    assert view.picture is not None
    waiting = view.picture_age_seconds
    venues: list[VenueView] = sorted(
        view.picture.venues, key=lambda venue: _WORST_FIRST.index(venue.state)
    )
    spans: list[Span] = []
    for index, venue in enumerate(venues):
        item = _venue(venue, waiting, trusted=view.fresh)
        rest = _rest(venues[index + 1 :])
        if width_of(spans) + width_of(item) + width_of(rest) > room:
            return [*spans, *_rest(venues[index:])]
        spans += item
    return spans


def _rest(venues: list[VenueView]) -> list[Span]:
    """Venues there is no room for, by number and by the first's state: the worst come first."""
    if not venues:
        return []
    mark = venue_mark(venues[0].state)
    return [Span(f"  +{len(venues)} ", Tone.MUTED), Span(f"{mark.sign} {mark.word}", mark.tone)]


def _venue(venue: VenueView, waiting: float, *, trusted: bool) -> list[Span]:
    mark = venue_mark(venue.state)
    old = None if venue.age_seconds is None else venue.age_seconds + waiting
    refuses = venue.can_trade is False
    tone = Tone.WARN if refuses and mark.tone is Tone.GOOD else mark.tone
    word = "read-only" if refuses and mark.tone is Tone.GOOD else mark.word
    return [
        Span(f"   {clean(venue.name)[:14]} ", Tone.STRONG if trusted else Tone.MUTED),
        Span(f"{mark.sign} {word}", tone if trusted else Tone.MUTED),
        Span(f" {age(old):<3}", Tone.MUTED),
    ]


def banner_row(view: View, *, width: int) -> Row | None:
    """What must be said over the whole width, or None."""
    if view.fresh:
        return None
    if view.picture is None:
        return None
    old = age(view.picture_age_seconds)
    if view.link is not LinkState.UP:
        attempt = f" (attempt {view.attempt})" if view.attempt > 1 else ""
        text = f" × ENGINE LOST - reconnecting{attempt}. This picture is {old} old."
        why = f"{clean(view.detail)} " if view.detail else ""
        return _alarm(text, why, width)
    return _alarm(f" ! NO NEWS from the engine for {old}: this picture may be old.", "", width)


def _alarm(text: str, detail: str, width: int) -> Row:
    row = spread(
        [Span(text)], [Span(detail)] if len(text) + len(detail) < width else [], width=width
    )
    return line(*(Span(span.text, Tone.ALARM) for span in row.spans), width=width)


Count = tuple[int | None, Mark | None, int]


def counts(picture: Snapshot | None) -> tuple[Count, Count, Count, Count]:
    """For each pane: how many entries (None: not configured), the worst mark, how often."""
    if picture is None:
        return (_UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN)
    new = unacknowledged(picture)
    alerts = len(picture.alerts) + len(picture.assignments) + len(under_way(picture))
    mark = severity_mark(max((a.severity for a in new), key=_rank)) if new else None
    allocation = picture.allocation
    held = len(picture.barriers) + len(unguarded(picture))
    names = {one.symbol for one in allocation.sets} if allocation else set()
    names |= {one.symbol for one in allocation.reservations} if allocation else set()
    return (
        (len(picture.strategies), *(worst_strategies(picture) or _FINE)),
        (alerts, mark, len(new)),
        (held or None, *(worst_barriers(picture) or _FINE)),
        (None if allocation is None else len(names), *(worst_sets(picture) or _FINE)),
    )


_FINE: tuple[None, int] = (None, 0)
_UNKNOWN: Count = (None, None, 0)


def _rank(severity: object) -> int:
    return ("INFO", "WARNING", "CRITICAL").index(str(severity))


def tabs_row(picture: Snapshot | None, active: int, *, width: int) -> Row:
    """The numbered tabs of the one-column layout; active counts from 1. Where they do not fit, the
    words of what is wrong go first, then the counts."""
    for words, numbers in ((True, True), (False, True), (False, False)):
        spans = _tabs(picture, active, words=words, numbers=numbers)
        if width_of(spans) <= width:
            break
    return line(*spans, width=width)


def _tabs(picture: Snapshot | None, active: int, *, words: bool, numbers: bool) -> list[Span]:
    spans: list[Span] = [Span(" ")]
    for number, (name, (count, mark, times)) in enumerate(
        zip(PANES, counts(picture), strict=True), start=1
    ):
        here = number == active
        shown = "-" if count is None else str(count)
        spans += [
            Span("  " if numbers and number > 1 else " " if number > 1 else ""),
            Span(f" {number} ", Tone.ACTIVE if here else Tone.KEY),
            Span(f"{name} {shown}" if numbers else name, Tone.TITLE if here else Tone.MUTED),
            Span(_trouble(number, mark, times, words), mark.tone if mark else Tone.PLAIN),
        ]
    return spans


def _trouble(number: int, mark: Mark | None, times: int, words: bool) -> str:
    if mark is None:
        return ""
    word = "new" if number == 2 else mark.word
    return f" {mark.sign}{times} {word}" if words else f" {mark.sign}{times}"


def title_row(
    number: int,
    picture: Snapshot | None,
    *,
    active: bool,
    width: int,
    filter_text: str = "",
    shown: int = 0,
) -> Row:
    """A pane's title: number and name at the left, how much and how bad at the right."""
    count, mark, times = counts(picture)[number - 1]
    left = [
        Span(f"{number} ", Tone.ACTIVE if active else Tone.KEY),
        Span(f"{LONG_PANES[number - 1]} ", Tone.TITLE if active else Tone.MUTED),
    ]
    right: list[Span] = []
    if filter_text:
        right.append(
            Span(f" {shown} of {count or 0} with “{clean(filter_text)[:16]}”", Tone.NOTICE)
        )
    elif count is not None:
        right += _summary(number, count, picture)
    if mark is not None:
        word = "new" if number == 2 else mark.word
        right.append(Span(f"  {mark.sign} {times} {word}", mark.tone))
    return spread(left, right, width=width, fill="─")


def _summary(number: int, count: int, picture: Snapshot | None) -> list[Span]:
    """How many there are, and what they come to."""
    spans = [Span(f" {count}", Tone.MUTED)]
    if picture is None:
        return spans
    if number == 1 and (found := len(picture.candidates)):
        spans.append(Span(f"  ? {found} found", Tone.FOUND))
    if number == 3:
        net = net_total(picture)
        if net is not None:
            spans.append(Span(f"  net {short_money(net)}", money_tone(net)))
    if number == 4 and picture.allocation is not None:
        spans.append(Span(f"  {picture.allocation.allocationPercentage:.1f}% reserved", Tone.MUTED))
    return spans


def footer_row(
    view: View,
    *,
    width: int,
    where: Where = Where.DESK,
    idle: Container[str] = (),
) -> Row:
    """A few keys; one that does nothing now is dim, and says why when pressed. idle: ids of actions
    that have no meaning for what is shown."""
    items: list[tuple[Span, Span]] = []
    for action in of(where):
        if where not in action.footer or action.id in idle:
            continue
        label = action.label
        if action.id == "arm" and view.picture is not None:
            label = "disarm" if view.picture.armed else "arm"
        able = why_not(action, view) is None
        key_tone = Tone.DANGER_KEY if action.dangerous else Tone.KEY
        items.append(
            (
                Span(f" {view.keymap.shown(action, most=1)} ", key_tone if able else Tone.MUTED),
                Span(label, Tone.PLAIN if able else Tone.MUTED),
            )
        )
    used = sum(width_of(item) for item in items)
    gap = next((n for n in (3, 2, 1) if used + n * len(items) <= width), 0)
    spans = [span for item in items for span in (*item, Span(" " * gap))]
    return line(Span(" " * (gap == 3)), *spans, width=width)


def page_title_row(title: str, note: str, *, width: int) -> Row:
    """A page's title with a rule, and a note at its right end."""
    right = [Span(f" {clean(note)}", Tone.MUTED)] if note else []
    return spread([Span(f"{clean(title)} ", Tone.TITLE)], right, width=width, fill="─")

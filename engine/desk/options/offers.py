"""Tables over the whole account: what is not as the strategies expect it, and what is held that
nobody declared. Drawn anew only when something moved."""

import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import count, islice

from engine.desk.books import Book
from engine.desk.floor import Floor
from engine.desk.hours import has_expired, trading_date
from engine.desk.instruments import OptionContract, Stock
from engine.desk.options.desk import OptionsDesk
from engine.desk.options.drawing import Tables
from engine.desk.options.events import Event
from engine.desk.options.shapes import Shape, recognise
from engine.desk.snapshot import CandidateView, DifferenceView, LegView

ZERO = Decimal(0)
_MOST = 200
_CODES = {
    "iron_condor": "IC",
    "iron_butterfly": "IB",
    "vertical": "V",
    "strangle": "STG",
    "straddle": "STD",
    "calendar": "CAL",
    "covered_call": "CC",
    "cash_secured_put": "CSP",
    "single": "S",
}


def differences(room: OptionsDesk, floor: Floor) -> tuple[DifferenceView, ...]:
    """Positions that are not as the declared strategies expect them; at most 200 are told."""
    return _tables(room, floor).differences


def candidates(room: OptionsDesk, floor: Floor) -> tuple[CandidateView, ...]:
    """Held legs that look like strategies nobody declared; at most 200 are told."""
    return _tables(room, floor).candidates


def _tables(room: OptionsDesk, floor: Floor) -> Tables:
    settings = room.settings
    if settings is None or not floor.book(settings.venue).known:
        return Tables()
    if room.is_behind:
        return room.tables
    state = (room.roster.version, room.log.version, trading_date(floor.now))
    if room.tables.state != state:
        book = floor.book(settings.venue)
        room.tables = Tables(
            state=state,
            differences=tuple(islice(_differences(room, settings.venue, book), _MOST)),
            candidates=tuple(islice(_candidates(room, floor, settings.venue, book), _MOST)),
        )
    return room.tables


# --- differences ---------------------------------------------------------------------------------


def _differences(room: OptionsDesk, venue: str, book: Book) -> Iterator[DifferenceView]:
    events = {event.key: event for event in room.log.events.values()}
    for (account, ref), claims in room.roster.all_claims():
        open_claims = [(s, leg) for s, leg in claims if not s.closed]
        expected = sum((leg.meant for _, leg in open_claims), ZERO)
        held = book.effective(account, ref)
        if open_claims and expected != held:
            leg = open_claims[0][1]
            told = _told(events.get((venue, account, ref)))
            if not told and expected * held > 0 and abs(held) > abs(expected):
                told = "held besides what is declared"
            yield _difference(venue, account, leg.name, expected, held, told)
    for strategy in room.strategies.values():
        for leg in strategy.legs:
            if leg.contract is None and not strategy.closed:
                declared = leg.declared
                name = (
                    f"{strategy.definition.underlying} {declared.expiry:%d%b%y} "
                    f"{declared.strike.normalize():f} {declared.right}"
                )
                yield _difference(venue, strategy.account, name, leg.meant, leg.held, "")
        if strategy.shares != strategy.meant_shares and not strategy.closed:
            name = strategy.definition.underlying
            why = strategy.broken or strategy.unclear or strategy.note
            yield _difference(
                venue, strategy.account, name, strategy.meant_shares, strategy.shares, why
            )


def _told(event: Event | None) -> str:
    return "" if event is None or event.open_question else f"{event.kind}: {event.evidence}"


def _difference(
    venue: str, account: str, instrument: str, expected: Decimal, held: Decimal, why: str
) -> DifferenceView:
    return DifferenceView(
        venue=venue,
        account=account,
        instrument=instrument,
        expected=expected,
        held=held,
        explained_by=why,
    )


# --- candidates ----------------------------------------------------------------------------------


def _candidates(room: OptionsDesk, floor: Floor, venue: str, book: Book) -> Iterator[CandidateView]:
    """Offer what is recognised; what is in an unexplained change is no offer yet."""
    today = trading_date(floor.now)
    groups: dict[tuple[str, str], list[tuple[OptionContract, Decimal]]] = defaultdict(list)
    stocks: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for (account, ref), holding in book.holdings.items():
        instrument, left = holding.instrument, holding.effective
        if not left or holding.row_surplus:
            continue
        if isinstance(instrument, OptionContract):
            left -= sum((leg.held for _, leg in room.roster.claims(account, ref)), ZERO)
            spec = floor.spec(venue, instrument)
            over = instrument.expiry <= today and has_expired(instrument, spec, floor.now)
            if left and not over:
                groups[account, instrument.underlying].append((instrument, left))
        elif isinstance(instrument, Stock):
            left -= sum((s.shares for s in room.roster.sharing(account, ref)), ZERO)
            stocks[account, instrument.symbol] += left
    taken = set(room.strategies)
    for (account, underlying), held in groups.items():
        for shape in recognise(held[:_MOST], stocks.get((account, underlying), ZERO)):
            name = _name(shape, taken)
            taken.add(name)
            yield _candidate(venue, account, name, shape)


def _name(shape: Shape, taken: set[str]) -> str:
    """Find an id that is free and that the config takes."""
    symbol = re.sub("[^A-Za-z0-9]", "-", shape.underlying)
    return next(
        name
        for number in count(1)
        if (name := f"{symbol}-{_CODES[shape.kind]}-{number}") not in taken
    )


def _candidate(venue: str, account: str, name: str, shape: Shape) -> CandidateView:
    return CandidateView(
        id=name,
        kind=shape.kind,
        underlying=shape.underlying,
        venue=venue,
        account=account,
        legs=tuple(
            LegView(
                right=contract.right,
                strike=contract.strike,
                expiry=contract.expiry,
                expected=quantity,
                held=quantity,
            )
            for contract, quantity in shape.legs
        ),
        shares=shape.shares,
    )

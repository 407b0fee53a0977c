"""Draws the allocation desk into the views of the snapshot. Reads, decides nothing."""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk.allocation.definitions import AllocationSettings, ParameterSet
from engine.desk.allocation.desk import AllocationDesk
from engine.desk.allocation.episode import ZERO, Episode
from engine.desk.allocation.watch import Watched, exact
from engine.desk.intents import Purpose
from engine.desk.market import Quotes
from engine.desk.snapshot import AllocationSetView, AllocationView, ReservationView, SetState

_DIGITS = Decimal("1e-8")


def allocation(room: AllocationDesk, quotes: Quotes) -> AllocationView | None:
    """Draw the owner's status document and every set; None while nothing is configured."""
    settings, ledger = room.settings, room.ledger
    if settings is None:
        return None
    total = ledger.total
    return AllocationView(
        totalBalance=float(total),
        totalReserved=float(ledger.reserved),
        availableBalance=float(ledger.available),
        allocationPercentage=round(float(ledger.reserved / total * 100), 2) if total else 0.0,
        reservations=tuple(
            ReservationView(
                symbol=claim.symbol,
                reservedAmount=float(claim.amount),
                timestamp=claim.at,
                orderId=claim.order_id,
            )
            for claim in ledger.claims.values()
            if claim.reserved
        ),
        venue=settings.venue,
        currency=settings.quote_currency,
        sets=tuple(_sets(room, settings, quotes)),
    )


def _sets(
    room: AllocationDesk, settings: AllocationSettings, quotes: Quotes
) -> Iterator[AllocationSetView]:
    for watched in room.watched.values():
        yield _set(room, settings, watched.parameters, watched, quotes)
    for symbol, episode in room.episodes.items():
        if symbol not in room.watched:
            yield _set(room, settings, episode.parameters, None, quotes)


def _set(
    room: AllocationDesk,
    settings: AllocationSettings,
    parameters: ParameterSet,
    watched: Watched | None,
    quotes: Quotes,
) -> AllocationSetView:
    """Draw one set. watched is None where the config dropped it and its trade goes on."""
    symbol = parameters.symbol
    episode = room.episodes.get(symbol)
    claim = room.ledger.claims.get(symbol)
    held = ZERO if episode is None else max(episode.held, ZERO)
    bracket = episode.bracket if episode is not None and episode.bought else None
    return AllocationSetView(
        symbol=symbol,
        percent=parameters.allocation_percent,
        threshold=parameters.z_score_threshold,
        z_score=None if watched is None else watched.series.z,
        bars_seen=0 if watched is None else watched.series.seen,
        bars_needed=settings.window,
        state=SetState.WAITING if episode is None else _state(room, episode),
        reserved=claim.amount if claim is not None and claim.reserved else ZERO,
        quantity=held,
        entry_price=None if episode is None else _shown(episode.entry_price),
        mark_price=_mark(settings.venue, symbol, watched, quotes),
        take_profit=None if bracket is None else _shown(bracket.above),
        stop_loss=None if bracket is None else _shown(bracket.below),
        exit_z_score=settings.exit_z_score,
        would_keep="" if episode is None else room.flow.stands_behind(episode),
        reason=_reason(episode, watched),
    )


def _state(room: AllocationDesk, episode: Episode) -> SetState:
    if episode.trouble or (episode.entry_over and episode.waits):
        return SetState.ATTENTION
    if not episode.entry_over:
        return SetState.BUYING
    if episode.exit is not None or episode.purpose is Purpose.SELL_POSITION:
        return SetState.SELLING
    return SetState.IN_POSITION if room.flow.is_bracketed(episode) else SetState.PROTECTING


def _reason(episode: Episode | None, watched: Watched | None) -> str:
    if episode is not None:
        return episode.trouble or episode.waits or episode.exit_reason
    if watched is None:
        return ""
    return watched.note or watched.series.gap


def _shown(price: Decimal | None) -> Decimal | None:
    """An average has more digits than anyone reads."""
    return None if price is None else price.quantize(_DIGITS).normalize()


def _mark(venue: str, symbol: str, watched: Watched | None, quotes: Quotes) -> Decimal | None:
    quote = quotes.get((venue, symbol))
    if quote is not None and quote.bid is not None and quote.ask is not None:
        return (exact(quote.bid) + exact(quote.ask)) / 2
    if quote is not None and quote.last is not None:
        return exact(quote.last)
    bar = None if watched is None else watched.series.newest
    return None if bar is None else exact(bar.close)

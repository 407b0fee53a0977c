"""Drills: a leg or a perpetual is assigned on a paper venue, so that a person can practise."""

from collections.abc import Mapping

from engine.errors import EngineError
from engine.service.setup import EngineSetup
from engine.venues.port import Venue


def drill(setup: EngineSetup, venues: Mapping[str, Venue], what: str | None) -> str:
    """Assign a leg of a strategy, or a perpetual by its symbol; without a name, a leg of the first
    strategy that has one to assign. Say what was done. Raises EngineError where that cannot be."""
    # Imported here: only the demo has such venues.
    from engine.venues.paper.exchange import PaperExchange
    from engine.venues.paper.exercise import DrillRefused
    from engine.venues.paper.venue import PaperVenue

    strategies = {one.id: one for one in setup.declared.strategies}
    brokers = [venue for venue in venues.values() if isinstance(venue, PaperVenue)]
    exchanges = [venue for venue in venues.values() if isinstance(venue, PaperExchange)]
    if not brokers and not exchanges:
        raise EngineError("Drills work in the demo only: this engine watches a real account.")
    try:
        if what is None or what in strategies:
            for broker in brokers:
                return broker.drill_assignment(strategy=strategies.get(what or ""))
        for exchange in exchanges:
            symbols = exchange.assignable_symbols
            if what in symbols or (what is None and symbols):
                return exchange.drill_perpetual(what)
    except DrillRefused as error:
        raise EngineError(str(error)) from None
    known = [*strategies, *(name for one in exchanges for name in one.assignable_symbols)]
    raise EngineError(f"No strategy {what}. To assign: {', '.join(known) or 'nothing'}.")

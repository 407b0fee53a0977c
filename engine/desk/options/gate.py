"""What keeps a line of an exit plan from going out now: the desk, the venue, the market's hours."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache

from engine.desk.floor import Floor
from engine.desk.hours import EASTERN, has_expired, is_open, next_open, trading_date
from engine.desk.instruments import ContractSpec, Instrument, OptionContract, Session, Stock
from engine.desk.options.exit_plan import PlanLine
from engine.desk.options.strategies import Strategy

_SETTLEMENT = timedelta(seconds=45)


class Gate:
    """Opens for a line or says what it waits for, and until when if that is known."""

    def __init__(self, floor: Floor) -> None:
        self._floor = floor

    def check(self, strategy: Strategy, lines: Iterable[PlanLine]) -> None:
        """Say in each line that could go what it waits for, if it does."""
        venue = strategy.definition.venue
        closed, today = self._closed(venue), trading_date(self._floor.now)
        for line in lines:
            if line.waits:
                continue
            line.waits = closed
            if not closed:
                line.waits, line.waits_until = self._obstacle(venue, strategy, line, today)

    def is_tradable(self, venue: str, instrument: Instrument) -> bool:
        """Whether a close of the instrument may go out now, as far as its hours go."""
        spec = self._floor.spec(venue, instrument)
        return spec is not None and is_open(sessions_of(spec, instrument), self._floor.now)

    def is_regular(self, venue: str, instrument: Instrument) -> bool:
        """Whether the instrument's regular session is open now: only then are market orders
        taken."""
        spec = self._floor.spec(venue, instrument)
        return spec is not None and is_open(spec.liquid, self._floor.now)

    def _closed(self, venue: str) -> str:
        """Why nothing at all may go out there, empty when something may."""
        standing = self._floor.standing(venue)
        if not self._floor.armed:
            return "disarmed: nothing is sent"
        if not standing.may_act:
            return f"{venue} cannot act: {standing.detail or standing.state.value}"
        return ""

    def _obstacle(
        self, venue: str, strategy: Strategy, line: PlanLine, today: date
    ) -> tuple[str, datetime | None]:
        now, instrument = self._floor.now, line.instrument
        retry = strategy.episode.retry_at.get(instrument.ref) if strategy.episode else None
        if retry is not None and retry > now:
            return f"tried again at {clock(retry)}", retry
        spec = self._floor.specs.get((venue, instrument.ref))
        if spec is None:
            return "its trading hours are not known yet", None
        if isinstance(instrument, OptionContract):
            if instrument.expiry <= today and has_expired(instrument, spec, now):
                return "expired: its settlement is awaited", None
        elif (until := self._settled_at(venue, strategy, today)) and now < until:
            return "expired legs are still being settled", until
        sessions = sessions_of(spec, instrument)
        if not sessions or is_open(sessions, now):
            return "", None
        opens = next_open(sessions, now)
        if opens is None:
            return "closed, and no later session is known", None
        return f"opens {clock(opens)}", opens

    def _settled_at(self, venue: str, strategy: Strategy, today: date) -> datetime | None:
        """Until when delivered shares wait for expired legs of which it is not known yet what they
        became: those may be exercised in the same night, and move the shares again."""
        if strategy.delivered_at is None:
            return None
        for leg in strategy.legs:
            contract = leg.contract
            if contract is None or not leg.expected or contract.expiry > today:
                continue
            if has_expired(contract, self._floor.spec(venue, contract), self._floor.now):
                return strategy.delivered_at + _SETTLEMENT
        return None


def sessions_of(spec: ContractSpec, instrument: Instrument) -> tuple[Session, ...]:
    """When a close may go out: options in their regular session only, stock also around it."""
    return spec.trading if isinstance(instrument, Stock) else spec.liquid


@lru_cache(maxsize=64)
def clock(at: datetime) -> str:
    return f"{at.astimezone(EASTERN):%a %H:%M} ET"

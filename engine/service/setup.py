"""Builds what an engine runs with: from the config, or for the demo."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from engine.config import Config, StatePaths, default_state_dir
from engine.config.model.config import Mode
from engine.config.model.venues import CcxtVenue, IbVenue
from engine.config.parameter_sets import load_parameter_sets, with_parameter_sets
from engine.desk.facts import ConfigApplied
from engine.desk.options.definitions import OptionSettings, StrategyDefinition
from engine.service.alerts import Channel
from engine.service.declared import declared
from engine.venues.port import Venue, VenueSink

DEMO_VENUE = "paper"
NOT_BUILT = "crypto venues are not part of this version yet: nothing is watched there"

MakeVenues = Callable[[VenueSink], Mapping[str, Venue]]
Drill = Callable[[Mapping[str, Venue], StrategyDefinition | None], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSetup:
    """Everything an engine needs to start. absent: venue -> why it cannot be watched. file is the
    config it was built from, None for the demo.

    Simulated and real fills never share a journal.
    """

    mode: str
    declared: ConfigApplied
    paths: StatePaths
    journal: Path
    make_venues: MakeVenues
    file: Path | None = None
    channels: tuple[Channel, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    story_after_seconds: float | None = None


def demo_paths() -> StatePaths:
    """Where the demo keeps its things: beside the default state, never in it."""
    return StatePaths.of(default_state_dir() / "demo")


def setup_of(
    config: Config,
    *,
    paper: bool = False,
    file: Path | None = None,
    sets: Path | None = None,
) -> EngineSetup:
    """Build the setup a config asks for; paper overrides its mode, sets its parameter sets.

    Raises SecretError when a secret cannot be read, ConfigError for bad parameter sets.
    """
    if sets is not None:
        config = with_parameter_sets(config, load_parameter_sets(sets), file=str(sets))
    mode = Mode.PAPER if paper else config.mode
    paths = config.engine.paths
    urls = tuple(ref.resolve() for ref in config.alerts.urls)
    return EngineSetup(
        mode=mode.value,
        declared=declared(config),
        paths=paths,
        journal=paths.journal if mode is Mode.LIVE else paths.state_dir / "paper.sqlite",
        make_venues=_venues_of(config, mode, paths.state_dir),
        file=file,
        channels=tuple(Channel.of(url, number) for number, url in enumerate(urls, 1)),
        absent={n: NOT_BUILT for n, v in config.venues.items() if isinstance(v, CcxtVenue)},
    )


def demo_setup() -> EngineSetup:
    """Build the demo: a paper account with two strategies in a synthetic market, nothing kept."""
    # Only the demo needs the synthetic market.
    from engine.venues.paper.demo import demo_scene
    from engine.venues.paper.venue import DEMO_ACCOUNT, PaperVenue

    positions, strategies = demo_scene(datetime.now(UTC), venue=DEMO_VENUE)

    def make(sink: VenueSink) -> Mapping[str, Venue]:
        venue = PaperVenue(DEMO_VENUE, sink, positions=positions, accounts=[DEMO_ACCOUNT])
        return {DEMO_VENUE: venue}

    return EngineSetup(
        mode="demo",
        declared=ConfigApplied(
            armed=True, options=OptionSettings(venue=DEMO_VENUE), strategies=strategies
        ),
        paths=demo_paths(),
        journal=_fresh_journal(),
        make_venues=make,
        story_after_seconds=25.0,
    )


def _fresh_journal() -> Path:
    """A journal of the demo's own, gone with the machine's temporary files."""
    return Path(tempfile.mkdtemp(prefix="bulkhead-demo-")) / "journal.sqlite"


def _venues_of(config: Config, mode: Mode, state_dir: Path) -> MakeVenues:
    wanted = {n: v for n, v in config.venues.items() if isinstance(v, IbVenue)}

    def make(sink: VenueSink) -> Mapping[str, Venue]:
        return {name: _ib(name, venue, sink, mode, state_dir) for name, venue in wanted.items()}

    return make


def _ib(name: str, venue: IbVenue, sink: VenueSink, mode: Mode, state_dir: Path) -> Venue:
    # The broker's library is loaded only when such a venue is configured.
    from engine.venues.ib.settings import IbSettings
    from engine.venues.ib.venue import IbVenue as Interactive

    settings = IbSettings(
        host=venue.host,
        port=venue.port,
        client_id=venue.client_id,
        accounts=venue.accounts,
        probe_orders=mode is Mode.LIVE,
    )

    def real(to: VenueSink) -> Venue:
        return Interactive(name, to, settings)

    if mode is Mode.LIVE:
        return real(sink)
    from engine.venues.paper.overlay import PaperFills

    return PaperFills(name, sink, make=real, state_file=state_dir / f"paper-{name}.json")

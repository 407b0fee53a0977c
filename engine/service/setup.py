"""Builds what an engine runs with: from the config, or for the demo."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from engine.config import Config, StatePaths, default_state_dir
from engine.config.model.config import Mode
from engine.config.model.venues import CcxtVenue, IbVenue
from engine.config.model.venues import Venue as AnyVenue
from engine.config.parameter_sets import load_parameter_sets, with_parameter_sets
from engine.config.secrets import SecretRef
from engine.desk.facts import ConfigApplied
from engine.desk.options.definitions import OptionSettings
from engine.service.alerts import Channel
from engine.service.declared import declared
from engine.venues.port import Venue, VenueSink

DEMO_VENUE = "paper"

if TYPE_CHECKING:
    from engine.venues.crypto.settings import CryptoSettings

MakeVenues = Callable[[VenueSink], Mapping[str, Venue]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSetup:
    """Everything an engine needs to start. file is the config it was built from, None for the demo.

    Simulated and real fills never share a journal.
    """

    mode: str
    declared: ConfigApplied
    paths: StatePaths
    journal: Path
    make_venues: MakeVenues
    file: Path | None = None
    channels: tuple[Channel, ...] = ()
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
    )


def sets_setup(sets: Path) -> EngineSetup:
    """Build a paper engine for parameter sets alone: no config, no venue, the demo's market.

    Raises ConfigError for bad parameter sets.
    """
    from engine.venues.paper.demo_coins import SPOT_VENUE, synthetic_spot

    chosen = declared(
        with_parameter_sets(Config(), load_parameter_sets(sets), file=str(sets))
    ).allocation
    assert chosen is not None, "parameter sets make an allocation"
    allocation = replace(chosen, venue=SPOT_VENUE)

    def make(sink: VenueSink) -> Mapping[str, Venue]:
        exchange = synthetic_spot(
            sink,
            name=SPOT_VENUE,
            symbols=[one.symbol for one in allocation.sets],
            bar_seconds=allocation.interval_seconds,
            history_bars=allocation.window + 2,
        )
        return {SPOT_VENUE: exchange}

    return EngineSetup(
        mode=Mode.PAPER.value,
        declared=ConfigApplied(armed=True, options=None, strategies=(), allocation=allocation),
        paths=demo_paths(),
        journal=_fresh_journal(),
        make_venues=make,
    )


def demo_setup() -> EngineSetup:
    """Build the demo: a paper broker and two paper exchanges, all three desks, nothing kept."""
    # Only the demo needs the synthetic markets.
    from engine.venues.paper.demo import demo_scene
    from engine.venues.paper.demo_coins import (
        demo_allocation,
        demo_managers,
        demo_perps,
        demo_spot,
    )
    from engine.venues.paper.venue import DEMO_ACCOUNT, PaperVenue

    positions, strategies = demo_scene(datetime.now(UTC), venue=DEMO_VENUE)

    def make(sink: VenueSink) -> Mapping[str, Venue]:
        broker = PaperVenue(DEMO_VENUE, sink, positions=positions, accounts=[DEMO_ACCOUNT])
        venues: tuple[Venue, ...] = (broker, demo_perps(sink), demo_spot(sink))
        return {venue.name: venue for venue in venues}

    return EngineSetup(
        mode="demo",
        declared=ConfigApplied(
            armed=True,
            options=OptionSettings(venue=DEMO_VENUE),
            strategies=strategies,
            managers=demo_managers(),
            allocation=demo_allocation(),
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
    def make(sink: VenueSink) -> Mapping[str, Venue]:
        return {
            name: _venue(name, _real(config, name, venue, mode), sink, mode, state_dir)
            for name, venue in config.venues.items()
        }

    return make


def _real(config: Config, name: str, venue: AnyVenue, mode: Mode) -> Callable[[VenueSink], Venue]:
    if isinstance(venue, IbVenue):
        return lambda sink: _ib(name, venue, sink, mode)
    settings = _crypto_settings(config, name, venue, mode)
    return lambda sink: _crypto(name, settings, sink)


def _venue(
    name: str,
    real: Callable[[VenueSink], Venue],
    sink: VenueSink,
    mode: Mode,
    state_dir: Path,
) -> Venue:
    if mode is Mode.LIVE:
        return real(sink)
    from engine.venues.paper.overlay import PaperFills

    return PaperFills(name, sink, make=real, state_file=state_dir / f"paper-{name}.json")


def _ib(name: str, venue: IbVenue, sink: VenueSink, mode: Mode) -> Venue:
    # Each broker's library is loaded only when such a venue is configured.
    from engine.venues.ib.settings import IbSettings
    from engine.venues.ib.venue import IbVenue as Interactive

    settings = IbSettings(
        host=venue.host,
        port=venue.port,
        client_id=venue.client_id,
        accounts=venue.accounts,
        probe_orders=mode is Mode.LIVE,
    )
    return Interactive(name, sink, settings)


def _crypto(name: str, settings: "CryptoSettings", sink: VenueSink) -> Venue:
    from engine.venues.crypto.venue import CryptoVenue

    return CryptoVenue(name, sink, settings)


def _crypto_settings(config: Config, name: str, venue: CcxtVenue, mode: Mode) -> "CryptoSettings":
    from engine.venues.crypto.settings import CryptoSettings

    allocation = config.allocation if _is_allocated(config, name) else None
    managers = [manager for manager in config.assignment_managers if manager.venue == name]
    every = any(manager.all_trading_pairs for manager in managers)
    pairs = {pair for manager in managers for pair in manager.trading_pairs}
    sets = () if allocation is None else allocation.parameter_sets
    return CryptoSettings(
        connector=venue.connector_name.ccxt_id,
        is_spot=venue.connector_name.is_spot,
        api_key=_resolved(venue.api_key),
        secret=_resolved(venue.secret),
        password=_resolved(venue.password),
        sandbox=venue.sandbox,
        endpoint=venue.endpoint,
        symbols=tuple(one.symbol for one in sets) or (() if every else tuple(sorted(pairs))),
        bar_seconds=60 if allocation is None else allocation.z_score_interval_seconds,
        # One more than the window for returns, one for the bar that is scored.
        probe_orders=mode is Mode.LIVE,
        history_bars=0 if allocation is None else allocation.z_score_window + 2,
    )


def _is_allocated(config: Config, name: str) -> bool:
    return config.allocation is not None and config.allocation.venue == name


def _resolved(reference: SecretRef | None) -> str:
    return "" if reference is None else reference.resolve()

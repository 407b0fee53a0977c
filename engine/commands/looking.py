"""Reads and reports: status, check, doctor, the journal, a replay. Changes nothing."""

import asyncio
import csv
import json
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from engine.attach import EngineNotRunning, ReadJournal, Role, VerifyJournal
from engine.commands.link import DONE, REFUSED, ConfigFile, Json, Sets, ask, say, status_of
from engine.commands.terminal import palette_faults, terminal_problems
from engine.config import ConfigError, default_config_path, load
from engine.config.parameter_sets import load_parameter_sets, with_parameter_sets
from engine.desk.allocation.definitions import ScoreOf
from engine.errors import InputError
from engine.report import status_text

_NEWEST = 10_000


def status(*, config: ConfigFile = None, json_: Json = False) -> int:
    """Print one snapshot."""
    document, snapshot = status_of(config)
    print(json.dumps(document) if json_ else status_text(snapshot))
    return DONE


def check(*, config: ConfigFile = None, parameter_sets: Sets = None) -> int:
    """Validate the config: every fault with file, line, field, what is wrong, what is allowed."""
    path = config or default_config_path()
    wrong = palette_faults(path)
    try:
        found = load(path, more=lambda raw: terminal_problems(raw, path))
    except ConfigError as error:
        raise ConfigError([*error.faults, *wrong]) from None
    if wrong:
        raise ConfigError(wrong)
    print(f"{path}: no faults.")
    if parameter_sets is not None:
        sets = load_parameter_sets(parameter_sets)
        found = with_parameter_sets(found, sets, file=str(parameter_sets))
        print(f"{parameter_sets}: no faults.")
    if found.allocation is not None:
        print("Whether the exchange would take these parameter sets: ask bulkhead doctor.")
    return DONE


def doctor(*, config: ConfigFile = None, parameter_sets: Sets = None, json_: Json = False) -> int:
    """Reach every venue: link, clock, permissions, market data, what would stop a close."""
    from engine.service import doctor as examination
    from engine.service.setup import demo_setup, setup_of

    path = config or default_config_path()
    # Without a config file the demo is what runs, as everywhere.
    if config is None and not path.exists():
        setup = demo_setup()
    else:
        setup = setup_of(load(path), file=path, sets=parameter_sets)
    try:
        _, snapshot = status_of(config)
        found = examination.of_engine(setup, snapshot)
    except EngineNotRunning:
        found = asyncio.run(examination.examine(setup))
    if json_:
        rows = [{"verdict": f.verdict, "about": f.about, "text": f.text} for f in found]
        print(json.dumps(rows))
    else:
        print(examination.as_text(found))
    return DONE if examination.is_sound(found) else REFUSED


def replay(
    *bars: Annotated[str, Parameter(help="Files of bars, or SYMBOL=FILE.")],
    parameter_sets: Annotated[
        Path, Parameter(name="--parameter-sets", help="The sets to try, a JSON file.")
    ],
    window: Annotated[int, Parameter(help="How many bars the z-score looks back.")] = 100,
    of: Annotated[ScoreOf, Parameter(help="What the z-score is taken of.")] = ScoreOf.PRICE,
    exit_z_score: Annotated[Decimal, Parameter(help="Sell when it falls to this.")] = Decimal(0),
    cash: Annotated[Decimal, Parameter(help="What the account begins with.")] = Decimal(1000),
    fee_percent: Annotated[Decimal, Parameter(help="Of each fill.")] = Decimal("0.1"),
    spread_percent: Annotated[Decimal, Parameter(help="Between bid and ask.")] = Decimal("0.02"),
    json_: Json = False,
) -> int:
    """Run the allocation desk over recorded bars: signals, fills, equity, thresholds reached."""
    from engine.replay import Costs, ReplayOptions, as_text, replay_files

    options = ReplayOptions(
        window=window,
        score_of=of,
        exit_z_score=exit_z_score,
        costs=Costs(cash=cash, fee_percent=fee_percent, spread_percent=spread_percent),
    )
    report = replay_files(bars, parameter_sets, options=options, progress=_progress())
    if json_:
        print(json.dumps(report.as_document()))
    else:
        print(as_text(report, shutil.get_terminal_size((80, 24)).columns))
    return DONE


def _progress() -> Callable[[float, int], None] | None:
    """Show how far it is on a terminal; say nothing into a pipe."""
    if not sys.stderr.isatty():
        return None

    def show(fraction: float, bars: int) -> None:
        end = "\r\x1b[K" if fraction >= 1 else ""
        print(f"\r{fraction:4.0%}  {bars:,} bars", end=end, file=sys.stderr, flush=True)

    return show


def read_journal(
    *,
    since: Annotated[datetime | None, Parameter(help="From this instant on.")] = None,
    strategy: Annotated[str | None, Parameter(help="Only this strategy's story.")] = None,
    config: ConfigFile = None,
    json_: Json = False,
    csv_: Annotated[bool, Parameter(name="--csv", negative=(), help="Print CSV.")] = False,
) -> int:
    """Tell what was seen, decided and sent."""
    if json_ and csv_:
        raise InputError("Choose one of --json and --csv.")
    if since is not None:
        since = since.astimezone(UTC)
    about = ReadJournal(since=since, strategy_id=strategy, limit=_NEWEST)
    reply = ask(config, about, Role.READ_ONLY)
    if not reply.ok:
        return say(reply)
    rows: list[dict[str, Any]] = reply.data["entries"]
    if json_:
        print(json.dumps(rows))
    elif csv_:
        writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]) if rows else ["seq"])
        writer.writeheader()
        writer.writerows({**row, "body": json.dumps(row["body"])} for row in rows)
    else:
        print("\n".join(reply.data["story"]))
    return DONE


def verify(*, config: ConfigFile = None) -> int:
    """Check the journal's hash chain: a changed or missing row is found."""
    return say(ask(config, VerifyJournal(), Role.READ_ONLY))

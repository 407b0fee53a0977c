"""Reads and reports: status, check, doctor, the journal, a replay. Changes nothing."""

import asyncio
import csv
import json
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import Parameter

from engine.attach import EngineNotRunning, ReadJournal, Role, VerifyJournal
from engine.commands.link import DONE, REFUSED, ConfigFile, Json, ask, say, status_of
from engine.config import default_config_path, load
from engine.errors import InputError
from engine.report import status_text

_NEWEST = 10_000


def status(*, config: ConfigFile = None, json_: Json = False) -> int:
    """Print one snapshot."""
    document, snapshot = status_of(config)
    print(json.dumps(document) if json_ else status_text(snapshot))
    return DONE


def check(*, config: ConfigFile = None) -> int:
    """Validate the config: every fault with file, line, field, what is wrong, what is allowed."""
    path = config or default_config_path()
    load(path)
    print(f"{path}: no faults.")
    return DONE


def doctor(*, config: ConfigFile = None, json_: Json = False) -> int:
    """Reach every venue: link, clock, permissions, market data, what would stop a close."""
    from engine.service import doctor as examination
    from engine.service.setup import demo_setup, setup_of

    path = config or default_config_path()
    # Without a config file the demo is what runs, as everywhere.
    if config is None and not path.exists():
        setup = demo_setup()
    else:
        setup = setup_of(load(path), file=path)
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

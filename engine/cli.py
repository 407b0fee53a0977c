"""The bulkhead command: starts engines, attaches terminals, asks and tells.

Exit codes: 0 done; 1 the engine or a venue refused or failed; 2 bad arguments or config; 3 no
engine running. Errors are one or two plain lines on stderr; --json prints one document and nothing
else.
"""

import asyncio
import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import App, CycloptsError, Parameter

from engine.attach import (
    About,
    AttachClient,
    AttachError,
    CloseStrategies,
    EngineNotRunning,
    GetStatus,
    ReadJournal,
    Reply,
    Role,
    RunDrill,
    SetArmed,
    StopEngine,
    VerifyJournal,
    snapshot_from_document,
)
from engine.config import StatePaths, default_config_path, load
from engine.desk.snapshot import Snapshot, StrategyView
from engine.errors import BulkheadError, InputError
from engine.report import plan_text, status_text

DONE, REFUSED, BAD_INPUT, NO_ENGINE = 0, 1, 2, 3
_START_SECONDS = 15.0
_NEWEST = 10_000

ConfigFile = Annotated[Path | None, Parameter(name="--config", help="The config file.")]
Yes = Annotated[bool, Parameter(name="--yes", negative=(), help="Do not ask.")]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print one JSON document.")]

app = App(
    name="bulkhead",
    help="Watches for positions you did not choose, closes what is broken, once, and says why.",
    version_flags=["--version"],
    result_action="return_value",
)
journal_app = App(name="journal", help="The audit trail: what was seen, decided and sent.")
app.command(journal_app)

T = TypeVar("T")


# --- finding the engine --------------------------------------------------------------------------


def _paths(config: Path | None) -> StatePaths:
    """The files of the engine a command speaks to: the config's, or without one the demo's."""
    from engine.service.setup import demo_paths

    if config is None and not default_config_path().exists():
        return demo_paths()
    return load(config or default_config_path()).engine.paths


async def _with_engine(
    paths: StatePaths, role: Role, talk: Callable[[AttachClient], Awaitable[T]]
) -> T:
    client = await AttachClient.connect(paths.socket, role=role, client_name=_name())
    try:
        return await talk(client)
    finally:
        await client.close()


def _name() -> str:
    terminal = os.environ.get("SSH_TTY") or "the command line"
    return f"{os.environ.get('USER', 'user')} at {terminal}"


def _ask(config: Path | None, about: About, role: Role = Role.CONTROL) -> Reply:
    async def talk(client: AttachClient) -> Reply:
        return await client.request(about)

    return asyncio.run(_with_engine(_paths(config), role, talk))


def _say(reply: Reply) -> int:
    print(reply.message, file=sys.stdout if reply.ok else sys.stderr)
    return DONE if reply.ok else REFUSED


def _status(config: Path | None) -> tuple[dict[str, Any], Snapshot]:
    document = _ask(config, GetStatus(), Role.READ_ONLY).data
    return document, snapshot_from_document(document)


# --- engines and terminals -----------------------------------------------------------------------


@app.default
def default() -> int:
    """Attach to the running engine; start one first if there is none. No config: the demo."""
    config = default_config_path()
    if not config.exists():
        return demo()
    _start_if_needed(load(config).engine.paths, ["engine", "--config", str(config)])
    return attach()


@app.command
def demo() -> int:
    """Run the demo: paper venues, a synthetic market, no keys, no config."""
    from engine.service.setup import demo_paths

    if not sys.stdout.isatty():
        return engine(demo=True)
    _start_if_needed(demo_paths(), ["engine", "--demo"])
    return _attach(demo_paths(), read_only=False)


@app.command
def engine(
    *,
    config: ConfigFile = None,
    paper: Annotated[bool, Parameter(negative=(), help="Simulate fills.")] = False,
    demo: Annotated[bool, Parameter(negative=(), show=False)] = False,
) -> int:
    """Run the engine headless, in the foreground; SIGTERM ends it cleanly."""
    from engine.service.run import configure_logging, run_engine
    from engine.service.setup import demo_setup, setup_of

    setup = (
        demo_setup()
        if demo
        else setup_of(load(config or default_config_path(), paper=paper), paper=paper)
    )
    configure_logging()
    asyncio.run(run_engine(setup))
    return DONE


@app.command
def attach(
    *,
    config: ConfigFile = None,
    read_only: Annotated[bool, Parameter(negative=(), help="Look, and send nothing.")] = False,
) -> int:
    """Open the terminal on the running engine; q detaches."""
    return _attach(_paths(config), read_only=read_only)


def _attach(paths: StatePaths, *, read_only: bool) -> int:
    from tui import run_terminal
    from tui.link import attach_factory

    role = Role.READ_ONLY if read_only else Role.CONTROL

    async def knock(client: AttachClient) -> None:
        return None

    asyncio.run(_with_engine(paths, role, knock))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "No terminal here. Ask with `bulkhead status`, close with `bulkhead close`."
        )
    code = run_terminal(
        attach_factory(paths.socket, read_only=read_only, client_name=_name()), read_only=read_only
    )
    if code == DONE:
        print("Detached. The engine goes on; `bulkhead` attaches again, `bulkhead stop` ends it.")
    return code


def _start_if_needed(paths: StatePaths, command: list[str]) -> None:
    """Start an engine of its own session in the background and wait until it answers."""
    if _answers(paths):
        return
    paths.prepare()
    with paths.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd="/",
        )
    end = time.monotonic() + _START_SECONDS
    while not _answers(paths):
        if process.poll() is not None:
            raise BulkheadError(f"The engine did not start. {_last_line(paths.log)}")
        if time.monotonic() > end:
            raise BulkheadError(f"The engine has not answered yet; its log is {paths.log}.")
        time.sleep(0.05)


def _answers(paths: StatePaths) -> bool:
    async def knock(client: AttachClient) -> bool:
        return True

    try:
        return asyncio.run(_with_engine(paths, Role.READ_ONLY, knock))
    except EngineNotRunning:
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"Its log is {log}."


# --- asking and telling --------------------------------------------------------------------------


@app.command
def status(*, config: ConfigFile = None, json_: Json = False) -> int:
    """Print one snapshot."""
    document, snapshot = _status(config)
    print(json.dumps(document) if json_ else status_text(snapshot))
    return DONE


@app.command
def close(
    strategy_id: Annotated[str | None, Parameter(help="The strategy to close.")] = None,
    /,
    *,
    all_: Annotated[bool, Parameter(name="--all", negative=(), help="Close everything.")] = False,
    config: ConfigFile = None,
    yes: Yes = False,
) -> int:
    """Emergency close; without --yes it prints the orders and asks."""
    if (strategy_id is None) is not all_:
        raise InputError("Say what to close: `bulkhead close ID`, or `bulkhead close --all`.")
    _, snapshot = _status(config)
    targets = _targets(snapshot, strategy_id)
    if not yes:
        print(plan_text(targets))
        if not _confirmed("Send these orders?"):
            return REFUSED
    return _say(_ask(config, CloseStrategies(strategy_id=strategy_id, emergency=True)))


def _targets(snapshot: Snapshot, strategy_id: str | None) -> list[StrategyView]:
    if strategy_id is None:
        return [strategy for strategy in snapshot.strategies if strategy.plan]
    found = [strategy for strategy in snapshot.strategies if strategy.id == strategy_id]
    if not found:
        known = ", ".join(strategy.id for strategy in snapshot.strategies) or "none"
        raise InputError(f"No strategy {strategy_id}. Declared: {known}.")
    return found


def _confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise InputError("Nobody to ask here: add --yes to go on without asking.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


@app.command
def arm(*, config: ConfigFile = None) -> int:
    """Arm the engine: closes are sent."""
    return _say(_ask(config, SetArmed(armed=True)))


@app.command
def disarm(*, config: ConfigFile = None) -> int:
    """Disarm the engine: it detects, alerts and shows the orders, and sends none."""
    return _say(_ask(config, SetArmed(armed=False)))


@app.command
def stop(*, config: ConfigFile = None) -> int:
    """End the background engine, leaving positions as they are."""
    return _say(_ask(config, StopEngine()))


@app.command
def check(*, config: ConfigFile = None) -> int:
    """Validate the config: every fault with file, line, field, what is wrong, what is allowed."""
    path = config or default_config_path()
    load(path)
    print(f"{path}: no faults.")
    return DONE


drill_app = App(name="drill", help="Practise: demo and paper only.")
app.command(drill_app)


@drill_app.command
def assignment(
    strategy_id: Annotated[str | None, Parameter(help="The strategy to hit.")] = None,
    /,
    *,
    config: ConfigFile = None,
) -> int:
    """Assign a leg, so that a person can practise."""
    return _say(_ask(config, RunDrill(strategy_id=strategy_id)))


# --- the journal ---------------------------------------------------------------------------------


@journal_app.default
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
    reply = _ask(config, about, Role.READ_ONLY)
    if not reply.ok:
        return _say(reply)
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


@journal_app.command
def verify(*, config: ConfigFile = None) -> int:
    """Check the journal's hash chain: a changed or missing row is found."""
    return _say(_ask(config, VerifyJournal(), Role.READ_ONLY))


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit with its code. No traceback reaches a person."""
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = app(arguments, exit_on_error=False, print_error=False)
        return DONE if code is None else int(code)
    except (CycloptsError, InputError) as error:
        print(error, file=sys.stderr)
        return BAD_INPUT
    except EngineNotRunning as error:
        print(error, file=sys.stderr)
        return NO_ENGINE
    except (AttachError, BulkheadError) as error:
        print(error, file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return REFUSED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE


if __name__ == "__main__":
    main()

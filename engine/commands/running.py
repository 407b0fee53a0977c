"""Starts engines and opens terminals on them; ends them."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from engine.attach import AttachClient, EngineNotRunning, Role, StopEngine
from engine.commands.link import (
    DONE,
    ConfigFile,
    Sets,
    ask,
    my_name,
    paths_of,
    say,
    with_engine,
)
from engine.config import StatePaths, default_config_path, load
from engine.config.terminal import PALETTES, read_terminal
from engine.errors import BulkheadError, InputError

_START_SECONDS = 15.0


def default() -> int:
    """Attach to the running engine; start one first if there is none. No config: the demo."""
    config = default_config_path()
    if not config.exists():
        return demo()
    _start_if_needed(paths_of(config), ["engine", "--config", str(config)])
    return attach()


def demo() -> int:
    """Run the demo: paper venues, a synthetic market, no keys, no config."""
    from engine.service.setup import demo_paths

    if not sys.stdout.isatty():
        return engine(demo=True)
    _start_if_needed(demo_paths(), ["engine", "--demo"])
    return _attach(demo_paths(), default_config_path(), read_only=False)


def engine(
    *,
    config: ConfigFile = None,
    paper: Annotated[bool, Parameter(negative=(), help="Simulate fills.")] = False,
    parameter_sets: Sets = None,
    demo: Annotated[bool, Parameter(negative=(), show=False)] = False,
) -> int:
    """Run the engine headless, in the foreground; SIGTERM ends it cleanly."""
    from engine.service.logs import configure_logging
    from engine.service.run import run_engine
    from engine.service.setup import demo_setup, sets_setup, setup_of

    path = config or default_config_path()
    if demo:
        setup = demo_setup()
    elif paper and parameter_sets and config is None and not path.exists():
        setup = sets_setup(parameter_sets)
    else:
        setup = setup_of(load(path, paper=paper), paper=paper, file=path, sets=parameter_sets)
    configure_logging()
    asyncio.run(run_engine(setup))
    return DONE


def attach(
    *,
    config: ConfigFile = None,
    read_only: Annotated[bool, Parameter(negative=(), help="Look, and send nothing.")] = False,
) -> int:
    """Open the terminal on the running engine; q detaches."""
    return _attach(paths_of(config), config or default_config_path(), read_only=read_only)


def stop(*, config: ConfigFile = None) -> int:
    """End the background engine, leaving positions as they are."""
    return say(ask(config, StopEngine()))


def _attach(paths: StatePaths, file: Path, *, read_only: bool) -> int:
    """Open the terminal as file says it should look; file need not exist."""
    from tui import run_terminal
    from tui.link import attach_factory

    role = Role.READ_ONLY if read_only else Role.CONTROL

    async def knock(client: AttachClient) -> None:
        return None

    asyncio.run(with_engine(paths, role, knock))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "No terminal here. Ask with `bulkhead status`, close with `bulkhead close`."
        )
    chosen, faults = read_terminal(file)
    code = run_terminal(
        attach_factory(paths.socket, read_only=read_only, client_name=my_name()),
        read_only=read_only,
        no_color=chosen.no_color,
        palette=chosen.palette,
        palette_folder=file.absolute().parent / PALETTES,
        keys=chosen.keys,
        bell=chosen.bell,
        plain_marks=chosen.plain_marks,
        mouse=chosen.mouse,
        faults=faults,
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
        return asyncio.run(with_engine(paths, Role.READ_ONLY, knock))
    except EngineNotRunning:
        return False


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"Its log is {log}."

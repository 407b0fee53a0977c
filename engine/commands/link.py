"""How a command finds the engine it speaks to, asks it, and says what came of it."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

from cyclopts import Parameter

from engine.attach import About, AttachClient, GetStatus, Reply, Role, snapshot_from_document
from engine.config import ConfigError, StatePaths, default_config_path, load
from engine.config.standing import standing_paths
from engine.desk.snapshot import Snapshot
from engine.errors import InputError

DONE, REFUSED, BAD_INPUT, NO_ENGINE = 0, 1, 2, 3

ConfigFile = Annotated[Path | None, Parameter(name="--config", help="The config file.")]
Sets = Annotated[
    Path | None,
    Parameter(name="--parameter-sets", help="The allocation desk's sets, a JSON file."),
]
Yes = Annotated[bool, Parameter(name="--yes", negative=(), help="Do not ask.")]
Json = Annotated[bool, Parameter(name="--json", negative=(), help="Print one JSON document.")]

T = TypeVar("T")


def paths_of(config: Path | None) -> StatePaths:
    """The files of the engine a command speaks to: the config's, or without one the demo's.

    A file that was broken since its engine started still leads to it, and stderr says so.
    """
    from engine.service.setup import demo_paths

    file = config or default_config_path()
    if config is None and not file.exists():
        return demo_paths()
    try:
        return load(file).engine.paths
    except ConfigError:
        paths = standing_paths(file)
        if paths is None:
            raise
        print(f"{file} has faults: bulkhead check names them.", file=sys.stderr)
        return paths


async def with_engine(
    paths: StatePaths, role: Role, talk: Callable[[AttachClient], Awaitable[T]]
) -> T:
    client = await AttachClient.connect(paths.socket, role=role, client_name=my_name())
    try:
        return await talk(client)
    finally:
        await client.close()


def my_name() -> str:
    """Who asks, as the journal will name them."""
    terminal = os.environ.get("SSH_TTY") or "the command line"
    return f"{os.environ.get('USER', 'user')} at {terminal}"


def ask(config: Path | None, about: About, role: Role = Role.CONTROL) -> Reply:
    async def talk(client: AttachClient) -> Reply:
        return await client.request(about)

    return asyncio.run(with_engine(paths_of(config), role, talk))


def say(reply: Reply) -> int:
    print(reply.message, file=sys.stdout if reply.ok else sys.stderr)
    return DONE if reply.ok else REFUSED


def status_of(config: Path | None) -> tuple[dict[str, Any], Snapshot]:
    document = ask(config, GetStatus(), Role.READ_ONLY).data
    return document, snapshot_from_document(document)


def confirmed(question: str) -> bool:
    if not sys.stdin.isatty():
        raise InputError("Nobody to ask here: add --yes to go on without asking.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")

"""The control channel: the commands of a stand-in, one JSON object a line, on a Unix socket.

{"do": "assign", "args": {"con_id": 718236440}}   ->   {"ok": true, "result": {...}}
                                                       {"ok": false, "error": "..."}
"""

import asyncio
import inspect
import json
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_type_hints

from tests.fakes.channel import codec
from tests.fakes.channel.commands import commands_of

_LONGEST_LINE_BYTES = 16 * 1024 * 1024


class Refused(RuntimeError):
    """The stand-in could not do as told; the text says why."""


class ControlServer:
    """Serves the commands of one stand-in, one caller's lines in turn."""

    def __init__(self, stand_in: object, path: Path) -> None:
        self._stand_in = stand_in
        self._path = path
        self._server: asyncio.Server | None = None
        self._callers: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_unix_server(
            self._serve, self._path, limit=_LONGEST_LINE_BYTES
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for caller in tuple(self._callers):
            caller.cancel()
        await asyncio.gather(*self._callers, return_exceptions=True)
        self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._callers[task] = writer
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            return  # the caller left, or the server closes: nobody is there to be told
        finally:
            del self._callers[task]
            writer.close()

    async def _answer(self, line: bytes) -> dict[str, codec.Json]:
        try:
            order = json.loads(line)
            result = await perform(self._stand_in, order["do"], order.get("args", {}))
        except Exception as mistake:  # the caller's, who is told; the stand-in goes on
            return {"ok": False, "error": f"{type(mistake).__name__}: {mistake}"}
        return {"ok": True, "result": result}


async def perform(stand_in: object, name: str, args: dict[str, Any]) -> codec.Json:
    """Run one command with JSON arguments and return its result as JSON."""
    commands = commands_of(type(stand_in))
    if name not in commands:
        raise LookupError(f"no command {name!r}; there are {', '.join(sorted(commands))}")
    method = commands[name]
    hints = get_type_hints(method)
    unknown = set(args) - (set(hints) - {"return"})
    if unknown:
        raise TypeError(f"{name} takes no {', '.join(sorted(unknown))}")
    result = method(
        stand_in, **{key: codec.from_json(hints[key], one) for key, one in args.items()}
    )
    if inspect.isawaitable(result):
        result = await result
    return codec.to_json(result)


class Control:
    """A blocking caller of the control channel, with the stand-in's commands as methods.

    `Control(path, LoopbackTws).assign(718236440, rows=Rows.STOCK_FIRST)` returns what the method
    does; a command that fails raises Refused. timeout_seconds bounds each call.
    """

    def __init__(
        self, path: Path | str, kind: type[object], *, timeout_seconds: float = 30.0
    ) -> None:
        self._commands = commands_of(kind)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_seconds)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def call(self, name: str, *args: object, **kwargs: object) -> Any:
        """Run a command as it would be called in-process; return what it returns."""
        method = self._commands.get(name)
        if method is None:
            raise AttributeError(f"the stand-in has no command {name!r}")
        bound = inspect.signature(method).bind(None, *args, **kwargs).arguments
        said = {key: codec.to_json(one) for key, one in bound.items() if key != "self"}
        self._socket.sendall(json.dumps({"do": name, "args": said}).encode() + b"\n")
        line = self._lines.readline()
        if not line:
            raise ConnectionError("the stand-in closed its control channel")
        answer = json.loads(line)
        if not answer["ok"]:
            raise Refused(answer["error"])
        return codec.from_json(get_type_hints(method)["return"], answer["result"])

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self._commands:
            raise AttributeError(f"the stand-in has no command {name!r}")

        def run(*args: object, **kwargs: object) -> Any:
            return self.call(name, *args, **kwargs)

        return run

"""Run a loopback TWS as its own process: `python -m tests.fakes.tws --port 0 --control PATH`.

Prints `listening PORT` once it does, and ends cleanly on SIGTERM, SIGINT or the end of stdin
where --until-stdin-closes is given (so that it never outlives the benchmark that started it).
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from tests.fakes.tws.control import ControlServer
from tests.fakes.tws.records import Scene
from tests.fakes.tws.scenes import cash_settled_scene, condor_scene, empty_scene
from tests.fakes.tws.server import LoopbackTws

_SCENES: dict[str, Callable[[str], Scene]] = {
    "condor": condor_scene,
    "cash-settled": cash_settled_scene,
    "empty": empty_scene,
}


async def serve(args: argparse.Namespace) -> None:
    """Listen until told to end."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if args.until_stdin_closes:
        loop.add_reader(sys.stdin.fileno(), _watch_stdin, ended)
    async with AsyncExitStack() as stack:
        tws = LoopbackTws(_SCENES[args.scene](args.account), port=args.port)
        await stack.enter_async_context(tws)
        if args.control is not None:
            await stack.enter_async_context(ControlServer(tws, args.control))
        print(f"listening {tws.port}", flush=True)
        await ended.wait()


def _watch_stdin(ended: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        ended.set()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.tws", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--control", type=Path, help="path of the control channel's Unix socket")
    parser.add_argument("--scene", choices=sorted(_SCENES), default="condor")
    parser.add_argument("--account", default="DU1234567")
    parser.add_argument("--until-stdin-closes", action="store_true")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()

"""Run a loopback TWS as its own process: `python -m tests.fakes.tws --port 0 --control PATH`."""

import asyncio
from collections.abc import Callable

from tests.fakes.channel.process import parser_for, serve
from tests.fakes.tws.records import Scene
from tests.fakes.tws.scenes import cash_settled_scene, condor_scene, empty_scene
from tests.fakes.tws.server import LoopbackTws

_SCENES: dict[str, Callable[[str], Scene]] = {
    "condor": condor_scene,
    "cash-settled": cash_settled_scene,
    "empty": empty_scene,
}


def main() -> None:
    parser = parser_for(LoopbackTws)
    parser.add_argument("--scene", choices=sorted(_SCENES), default="condor")
    parser.add_argument("--account", default="DU1234567")
    args = parser.parse_args()
    asyncio.run(serve(LoopbackTws(_SCENES[args.scene](args.account), port=args.port), args))


if __name__ == "__main__":
    main()

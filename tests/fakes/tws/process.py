"""A loopback TWS in a process of its own, for tests and benchmarks that want its CPU elsewhere."""

from contextlib import AbstractContextManager

from tests.fakes.channel.process import Running, stand_in_process
from tests.fakes.tws.server import LoopbackTws


def tws_process(
    scene: str = "condor", account: str = "DU1234567", port: int = 0
) -> AbstractContextManager[Running]:
    """Start one, yield it once it listens, and end it."""
    return stand_in_process(LoopbackTws, "--scene", scene, "--account", account, port=port)

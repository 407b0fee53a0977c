"""A stand-in of OKX on loopback; `Okx` is the exchange, its commands are in forced.py."""

from tests.fakes.okx.venue import Okx

__all__ = ["Okx"]

"""A stand-in of Bybit on loopback; `Bybit` is the exchange, its commands are in forced.py."""

from tests.fakes.bybit.venue import Bybit

__all__ = ["Bybit"]

"""Draws the perpetuals desk into the views of the snapshot. Reads, decides nothing."""

from collections.abc import Iterator

from engine.desk.market import Quotes
from engine.desk.perps.desk import PerpsDesk
from engine.desk.snapshot import AssignmentView, BarrierView, PositionView


def assignments(room: PerpsDesk) -> Iterator[AssignmentView]:
    return iter(())


def barriers(room: PerpsDesk, quotes: Quotes) -> Iterator[BarrierView]:
    return iter(())


def positions(room: PerpsDesk, quotes: Quotes) -> Iterator[PositionView]:
    return iter(())

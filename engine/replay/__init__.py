"""bulkhead replay: the allocation desk over recorded bars, at full speed, with nothing at stake."""

from engine.replay.command import ReplayOptions, replay_files
from engine.replay.files import BarFile
from engine.replay.report import Report
from engine.replay.run import Costs, Progress, replay
from engine.replay.text import as_text

__all__ = [
    "BarFile",
    "Costs",
    "Progress",
    "ReplayOptions",
    "Report",
    "as_text",
    "replay",
    "replay_files",
]

"""What can be made to go wrong with a request, and which requests it happens to."""

from dataclasses import dataclass, replace
from enum import StrEnum, unique
from typing import assert_never


@unique
class Fault(StrEnum):
    """A way for a request to fail. AFTER: the exchange did as asked, only the answer is lost."""

    SERVER_ERROR = "server_error"  # HTTP 500, not done
    SERVER_ERROR_AFTER = "server_error_after"
    RATE_LIMITED = "rate_limited"  # HTTP 429 with Retry-After, not done
    SILENT = "silent"  # no answer, not done: the client times out
    SILENT_AFTER = "silent_after"
    DROPPED = "dropped"  # connection closed, not done
    DROPPED_AFTER = "dropped_after"

    @property
    def done(self) -> bool:
        """Whether the exchange does as asked all the same."""
        match self:
            case Fault.SERVER_ERROR_AFTER | Fault.SILENT_AFTER | Fault.DROPPED_AFTER:
                return True
            case Fault.SERVER_ERROR | Fault.RATE_LIMITED | Fault.SILENT | Fault.DROPPED:
                return False
            case never:
                assert_never(never)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedFault:
    """A fault for the next `times` requests whose path contains `path` and method fits."""

    fault: Fault
    path: str = ""
    method: str = ""
    times: int = 1
    retry_after_seconds: int = 1


class Faults:
    """The faults still to come, first match first."""

    def __init__(self) -> None:
        self._scripted: list[ScriptedFault] = []

    def add(self, scripted: ScriptedFault) -> None:
        self._scripted.append(scripted)

    def clear(self) -> None:
        self._scripted.clear()

    def next(self, method: str, path: str) -> ScriptedFault | None:
        """The fault of this request, which is thereby used up."""
        for place, one in enumerate(self._scripted):
            if one.path in path and one.method in ("", method):
                if one.times > 1:
                    self._scripted[place] = replace(one, times=one.times - 1)
                else:
                    del self._scripted[place]
                return one
        return None

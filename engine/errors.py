"""The errors of the house.

BulkheadError
├── InputError        what came in is bad: refuse it, say what is allowed (exit code 2)
├── VenueError        a venue failed or refused: retry, degrade (exit code 1)
├── EngineError       the engine refused or could not go on (exit code 1)
└── InvariantError    something that cannot be is: stop sending, alarm; a restart replays

Every message is one or two plain lines for a person. Never a traceback.
"""


class BulkheadError(Exception):
    """Anything Bulkhead reports to a person."""


class InputError(BulkheadError):
    """Arguments or configuration are wrong."""


class VenueError(BulkheadError):
    """A broker or exchange could not be reached or refused."""


class EngineError(BulkheadError):
    """The engine could not do what was asked."""


class InvariantError(BulkheadError):
    """A rule that always holds was broken: nothing more is sent."""

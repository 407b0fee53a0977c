"""What goes wrong with a journal, in words for a person."""

from engine.errors import EngineError


class JournalError(EngineError):
    """The journal cannot be trusted or cannot be written. The text says what to do about it.

    Raised by append it means that nothing of that append was written; the journal stays open and
    may well take the next one (room was made on the disk). Raised by open or replay it means that
    this journal must not be traded on.
    """

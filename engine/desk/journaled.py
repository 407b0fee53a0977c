"""What facts, intents and all they hold are made of.

They are Structs, not dataclasses: one is built in C, and the journal writes it and reads it back as
it stands. Nothing in them can change, so none is ever part of a cycle and the collector need not
look at them.
"""

from msgspec import Struct

TAG = "is"


class Journaled(Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """A frozen record the journal can hold. It holds such records, plain values and tuples of them,
    never anything that changes."""


class JournaledKind(Journaled, frozen=True, kw_only=True, tag=True, tag_field=TAG):
    """One of several kinds that may stand in one place; as JSON it says under "is" which it is."""

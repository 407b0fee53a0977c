"""What travels on the attach socket: frames of a 4-byte big-endian length and UTF-8 JSON.

The engine compresses what is long (zlib, which no JSON object begins like); clients send plain.

A client says Hello and is answered Welcome or Refusal. From then on it sends Requests, each
answered by one Reply, and the engine sends Pictures to those who subscribed. Every request names
what it is about, carries a nonce and expires; anything malformed ends the connection.
"""

import asyncio
import secrets
import zlib
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from engine.attach.document import to_json
from engine.desk.snapshot import Snapshot

PROTOCOL = 1
MAX_FROM_CLIENT = 256 * 1024
MAX_FROM_ENGINE = 8 * 1024 * 1024
MAX_EXPIRY_SECONDS = 60.0
MAX_JOURNAL_ENTRIES = 10_000

MAX_DOCUMENT = 64 * 1024 * 1024

_LENGTH_BYTES = 4
_COMPRESSED_FROM = 32 * 1024
_ZLIB = 0x78
_PICTURE = b'{"type":"picture",'

# No control or bidi characters: a name is shown in terminals and written to the journal.
_SAFE = r"^[^\x00-\x1f\x7f-\x9f\x{061c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}]+$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_SAFE)]
Fraction = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,3}(\.[0-9]{1,12})?$")]
Token = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{8,64}$")]


class BadFrame(Exception):
    """The other side sent what is no frame or no message; the text says what was wrong."""


class FrameTooLarge(Exception):
    """A message of ours is over the limit of its direction."""


class Role(StrEnum):
    READ_ONLY = "read_only"
    CONTROL = "control"


class RefusalCode(StrEnum):
    PROTOCOL = "protocol"
    NOT_YOURS = "not_yours"
    BAD_FRAME = "bad_frame"
    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    STOPPING = "stopping"


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# --- opening -------------------------------------------------------------------------------------


class Hello(_Message):
    type: Literal["hello"] = "hello"
    protocol: int = PROTOCOL
    role: Role
    client: Name


class Welcome(_Message):
    type: Literal["welcome"] = "welcome"
    protocol: int = PROTOCOL
    engine_version: str
    mode: str
    pid: int
    role: Role


class Refusal(_Message):
    """Why the connection ends. Sent once, then the engine hangs up."""

    type: Literal["refusal"] = "refusal"
    protocol: int = PROTOCOL
    code: RefusalCode
    reason: str


class Opening(BaseModel):
    """What a first message of any protocol version has, either way."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)
    type: str
    protocol: int
    reason: str = ""


# --- requests ------------------------------------------------------------------------------------


class CloseStrategies(_Message):
    """Close one strategy, or with None everything; emergency closes what is really held."""

    type: Literal["close_strategies"] = "close_strategies"
    strategy_id: Name | None
    emergency: bool


class SetArmed(_Message):
    type: Literal["set_armed"] = "set_armed"
    armed: bool


class AcknowledgeAlert(_Message):
    type: Literal["acknowledge_alert"] = "acknowledge_alert"
    alert_id: Name


class ResetAllocations(_Message):
    type: Literal["reset_allocations"] = "reset_allocations"
    force: bool


class GuardPosition(_Message):
    """Put a held perpetual between barriers. Fractions as decimal text, seconds."""

    type: Literal["guard_position"] = "guard_position"
    venue: Name
    account: Name
    ref: Name
    stop_loss: Fraction | None = None
    take_profit: Fraction | None = None
    trailing_activation: Fraction | None = None
    trailing_delta: Fraction | None = None
    time_limit_seconds: Annotated[int, Field(gt=0, le=366 * 86_400)] | None = None


class ReleasePosition(_Message):
    """Take a position out from between its barriers; it stays held."""

    type: Literal["release_position"] = "release_position"
    barrier_id: Name


class AdoptStrategy(_Message):
    """Register a candidate of the snapshot; it is written to the config under strategy_id."""

    type: Literal["adopt_strategy"] = "adopt_strategy"
    candidate_id: Name
    strategy_id: Name | None = None


class ConfigChange(_Message):
    """Set the value at a path ("options.close_at_dte", "options.strategies[0].id"), or take the
    entry out where remove is set. value is plain JSON in the form the file's own key takes."""

    path: Name
    value: Any = None
    remove: bool = False


class SaveConfig(_Message):
    """Write changes to the config file and take over what can be; base is the fingerprint the form
    was drawn from: a file somebody changed meanwhile is not overwritten."""

    type: Literal["save_config"] = "save_config"
    changes: Annotated[tuple[ConfigChange, ...], Field(max_length=1000)]
    base: str


class ReadConfig(_Message):
    """Ask for the config as a form: sections, fields with label, help, limits and value."""

    type: Literal["read_config"] = "read_config"


class CheckConfig(_Message):
    """Ask what would be wrong, and what would happen, if these changes were saved."""

    type: Literal["check_config"] = "check_config"
    changes: Annotated[tuple[ConfigChange, ...], Field(max_length=1000)]


class StopEngine(_Message):
    type: Literal["stop_engine"] = "stop_engine"


class RunDrill(_Message):
    type: Literal["run_drill"] = "run_drill"
    strategy_id: Name | None


class ReadJournal(_Message):
    type: Literal["read_journal"] = "read_journal"
    since: AwareDatetime | None = None
    strategy_id: Name | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_JOURNAL_ENTRIES)] = 1000


class VerifyJournal(_Message):
    type: Literal["verify_journal"] = "verify_journal"


class GetStatus(_Message):
    """Ask for one status document; it is the data of the reply."""

    type: Literal["get_status"] = "get_status"


class Subscribe(_Message):
    """Turn pictures on, beginning with the present one, or off."""

    type: Literal["subscribe"] = "subscribe"
    pictures: bool = True


ControlAbout = (
    CloseStrategies
    | SetArmed
    | AcknowledgeAlert
    | ResetAllocations
    | GuardPosition
    | ReleasePosition
    | AdoptStrategy
    | SaveConfig
    | StopEngine
    | RunDrill
)
ReadAbout = ReadJournal | VerifyJournal | GetStatus | Subscribe | ReadConfig | CheckConfig
About = ControlAbout | ReadAbout


class Request(_Message):
    """One question or order of a person. Nothing is filled in for a sender who left it out."""

    type: Literal["request"] = "request"
    id: Token
    nonce: Token
    issued_at: AwareDatetime
    expires_in_seconds: Annotated[float, Field(gt=0, le=MAX_EXPIRY_SECONDS)]
    about: Annotated[About, Field(discriminator="type")]

    @classmethod
    def stamped(cls, about: About, expires_in_seconds: float = 5.0) -> "Request":
        """Make a request issued now, with an id and a nonce of its own."""
        return cls(
            id=secrets.token_hex(8),
            nonce=secrets.token_hex(16),
            issued_at=datetime.now(UTC),
            expires_in_seconds=min(expires_in_seconds, MAX_EXPIRY_SECONDS),
            about=about,
        )

    @property
    def expires_at(self) -> datetime:
        return self.issued_at + timedelta(seconds=self.expires_in_seconds)

    def done(self, message: str = "", data: Any = None) -> "Reply":
        return Reply(id=self.id, ok=True, message=message, data=data)

    def refused(self, message: str) -> "Reply":
        return Reply(id=self.id, ok=False, message=message)


class Reply(_Message):
    """The answer to one request. data may hold Decimals, instants and records on its way out; it
    arrives as plain JSON."""

    type: Literal["reply"] = "reply"
    id: str
    ok: bool
    message: str = ""
    data: Any = None


class Picture(_Message):
    """number counts the pictures the engine drew; gaps are pictures that were replaced."""

    # Built at the first picture a terminal reads: the engine never needs it.
    model_config = ConfigDict(extra="ignore", defer_build=True)

    type: Literal["picture"] = "picture"
    number: int
    snapshot: Snapshot


FromEngine = Annotated[Refusal | Reply, Field(discriminator="type")]


# --- frames --------------------------------------------------------------------------------------


def frame(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise FrameTooLarge(f"{len(body)} bytes are more than the {limit} a frame may have")
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


def client_frame(message: Hello | Request) -> bytes:
    return frame(to_json(message.model_dump()), MAX_FROM_CLIENT)


def engine_frame(message: Welcome | Refusal | Reply) -> bytes:
    return frame(_packed(to_json(dict(message))), MAX_FROM_ENGINE)


def picture_frame(number: int, document: bytes) -> bytes:
    """Frame a picture around a document that is written already."""
    head = b'%s"number":%d,"snapshot":' % (_PICTURE, number)
    return frame(_packed(b"".join((head, document, b"}"))), MAX_FROM_ENGINE)


def is_picture(body: bytes) -> bool:
    """Whether an unpacked frame of the engine's begins as its pictures do."""
    return body.startswith(_PICTURE)


def status_frame(request: Request, document: bytes) -> bytes:
    """Frame the reply to GetStatus around a document that is written already."""
    head = to_json({"type": "reply", "id": request.id, "ok": True, "message": ""})[:-1]
    return frame(_packed(b"".join((head, b',"data":', document, b"}"))), MAX_FROM_ENGINE)


def _packed(body: bytes) -> bytes:
    return body if len(body) < _COMPRESSED_FROM else zlib.compress(body, 1)


def unpacked(body: bytes) -> bytes:
    """Return a frame of the engine's as it was before it was compressed. Raises BadFrame."""
    if not body or body[0] != _ZLIB:
        return body
    try:
        unpacking = zlib.decompressobj()
        whole = unpacking.decompress(body, MAX_DOCUMENT)
    except zlib.error as error:
        raise BadFrame(f"a frame that cannot be unpacked: {error}") from None
    if not unpacking.eof:
        raise BadFrame(f"a frame of more than {MAX_DOCUMENT} bytes when unpacked, or cut off")
    return whole


async def read_frame(reader: asyncio.StreamReader, limit: int) -> bytes:
    """Read one frame's body; raises BadFrame when it is over the limit, before reading it.

    A connection that ends raises asyncio.IncompleteReadError, within a frame or between two.
    """
    length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
    if not 0 < length <= limit:
        raise BadFrame(f"a frame of {length} bytes; between 1 and {limit} are allowed")
    return await reader.readexactly(length)


# --- reading -------------------------------------------------------------------------------------


def read_opening(body: bytes) -> Opening:
    try:
        return Opening.model_validate_json(body)
    except ValidationError as error:
        raise BadFrame(_faults(error)) from None


def read_hello(body: bytes) -> Hello:
    try:
        return Hello.model_validate_json(body)
    except ValidationError as error:
        raise BadFrame(_faults(error)) from None


def read_welcome(body: bytes) -> Welcome:
    try:
        return Welcome.model_validate_json(body)
    except ValidationError as error:
        raise BadFrame(_faults(error)) from None


def read_request(body: bytes) -> Request:
    try:
        return Request.model_validate_json(body)
    except ValidationError as error:
        raise BadFrame(_faults(error)) from None


def read_from_engine(body: bytes) -> Refusal | Reply:
    """Read an unpacked frame that is no picture."""
    try:
        return _from_engine().validate_json(body)
    except ValidationError as error:
        raise BadFrame(_faults(error)) from None


def read_picture(body: bytes) -> Picture:
    """Read an unpacked frame straight into records: a picture of thousands of rows is not built
    twice, and keys that are passed over cost nothing."""
    try:
        return Picture.model_validate_json(body)
    except ValidationError as error:
        raise BadFrame(_faults(error)) from None


@cache
def _from_engine() -> TypeAdapter[Refusal | Reply]:
    return TypeAdapter(FromEngine)


def _faults(error: ValidationError) -> str:
    """Say what is wrong without repeating what was sent: it may be hostile."""
    known = error.errors(include_url=False, include_context=False, include_input=False)
    lines = [
        "not one JSON message"
        if fault["type"] == "json_invalid"
        else f"{_place(fault['loc'])}: {fault['type'].replace('_', ' ')}"
        for fault in known[:3]
    ]
    return "; ".join(lines)


def _place(loc: tuple[int | str, ...]) -> str:
    """Name a field; a name that is not one of ours is not repeated."""
    parts = [str(part) if str(part) in _OUR_NAMES else "?" for part in loc]
    return ".".join(parts) or "message"


_OUR_NAMES = frozenset(
    name
    for model in (Opening, Hello, Request, *ControlAbout.__args__, *ReadAbout.__args__)
    for name in (*model.model_fields, model.model_fields["type"].default)
    if isinstance(name, str)
)

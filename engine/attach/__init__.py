"""The attach socket: how terminals and commands see the engine and ask things of it."""

from engine.attach.client import AttachClient
from engine.attach.connection import Caller, Limits
from engine.attach.document import encode_snapshot, snapshot_from_document, status_document
from engine.attach.errors import (
    AlreadyListening,
    AttachError,
    EngineLost,
    EngineNotRunning,
    EngineRefused,
    NoAnswer,
    ProtocolMismatch,
    SocketUnusable,
)
from engine.attach.protocol import (
    PROTOCOL,
    About,
    AcknowledgeAlert,
    CloseStrategies,
    GetStatus,
    ReadJournal,
    Reply,
    Request,
    ResetAllocations,
    Role,
    RunDrill,
    SetArmed,
    StopEngine,
    Subscribe,
    VerifyJournal,
    Welcome,
)
from engine.attach.server import AttachServer

__all__ = [
    "PROTOCOL",
    "About",
    "AcknowledgeAlert",
    "AlreadyListening",
    "AttachClient",
    "AttachError",
    "AttachServer",
    "Caller",
    "CloseStrategies",
    "EngineLost",
    "EngineNotRunning",
    "EngineRefused",
    "GetStatus",
    "Limits",
    "NoAnswer",
    "ProtocolMismatch",
    "ReadJournal",
    "Reply",
    "Request",
    "ResetAllocations",
    "Role",
    "RunDrill",
    "SetArmed",
    "SocketUnusable",
    "StopEngine",
    "Subscribe",
    "VerifyJournal",
    "Welcome",
    "encode_snapshot",
    "snapshot_from_document",
    "status_document",
]

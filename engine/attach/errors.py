"""What can go wrong at the socket, as one small tree.

    AttachError
    +-- EngineNotRunning      client: no socket, or nobody behind it
    +-- EngineRefused         client: the engine answered and said no; text says why
    |   +-- ProtocolMismatch  client: engine and terminal are of different versions
    +-- EngineLost            client: the engine was there and is gone, or speaks nonsense
    +-- NoAnswer              client: no reply in time; the request may have been carried out
    +-- AlreadyListening      server: another engine answers on this socket
    +-- SocketUnusable        server: the place for the socket is not safe or not possible

The text of every one is a plain line for a person.
"""


class AttachError(Exception):
    """Something between the engine and a terminal failed."""


class EngineNotRunning(AttachError):
    pass


class EngineRefused(AttachError):
    @property
    def reason(self) -> str:
        return str(self)


class ProtocolMismatch(EngineRefused):
    pass


class EngineLost(AttachError):
    pass


class NoAnswer(AttachError):
    pass


class AlreadyListening(AttachError):
    pass


class SocketUnusable(AttachError):
    pass

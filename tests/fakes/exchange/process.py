"""An exchange's stand-in as a process of its own. A venue's `__main__` is `main(TheVenue)`."""

import asyncio
from contextlib import AbstractContextManager

from tests.fakes.channel.process import Running, parser_for, serve, stand_in_process
from tests.fakes.exchange.server import ExchangeServer


def exchange_process(
    kind: type[ExchangeServer], *, port: int = 0
) -> AbstractContextManager[Running]:
    """Start one, yield it once it listens, and end it."""
    return stand_in_process(kind, port=port)


def main(kind: type[ExchangeServer]) -> None:
    """Run a stand-in until told to end."""
    args = parser_for(kind).parse_args()
    asyncio.run(serve(kind(port=args.port), args))  # type: ignore[call-arg]  # a venue's own

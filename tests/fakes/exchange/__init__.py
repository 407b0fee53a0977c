"""What the stand-ins of the crypto exchanges share: an account with matching, and a server.

Subclass ExchangeServer (server.py) for a venue; its commands are in commands.py, the account's
records in records.py, where venues differ in rules.py. `point(client, url)` aims ccxt at one;
`exchange_process(TheVenue)` runs one as a process. A venue's package holds the class in a module
of its own and a `__main__` that calls `process.main(TheVenue)`.
"""

from tests.fakes.channel.commands import command
from tests.fakes.exchange.account import Account
from tests.fakes.exchange.budget import Budget
from tests.fakes.exchange.client import client_of, point
from tests.fakes.exchange.faults import Fault, ScriptedFault
from tests.fakes.exchange.records import (
    ZERO,
    BalanceChanged,
    Cause,
    Event,
    Fill,
    FillMade,
    Force,
    Kind,
    Market,
    NewOrder,
    Order,
    OrderChanged,
    Position,
    PositionChanged,
    Quote,
    QuoteChanged,
    Refusal,
    Settlement,
    Side,
    Signal,
    State,
    Why,
)
from tests.fakes.exchange.rules import Rules, numbered, uuids
from tests.fakes.exchange.server import ExchangeServer
from tests.fakes.exchange.wire import Answer, Request, Socket, VenueError

__all__ = [
    "ZERO",
    "Account",
    "Answer",
    "BalanceChanged",
    "Budget",
    "Cause",
    "Event",
    "ExchangeServer",
    "Fault",
    "Fill",
    "FillMade",
    "Force",
    "Kind",
    "Market",
    "NewOrder",
    "Order",
    "OrderChanged",
    "Position",
    "PositionChanged",
    "Quote",
    "QuoteChanged",
    "Refusal",
    "Request",
    "Rules",
    "ScriptedFault",
    "Settlement",
    "Side",
    "Signal",
    "Socket",
    "State",
    "VenueError",
    "Why",
    "client_of",
    "command",
    "numbered",
    "point",
    "uuids",
]

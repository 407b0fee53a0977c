"""Interactive Brokers, through TWS or IB Gateway: the only folder that knows ib_insync.

Only the library's Client and Decoder (the wire) are used, new ones for each connection. Its facade
keeps a mirror of trades, fills and positions that is wrong after reconnects, corrections and
unknown orders; the book here is built from the messages themselves.

    venue     the port; connects again and again
    session   one connection: what is known, what is asked, what may be sent
    book      positions, executions and our orders, told when completely known
    question  one complete enquiry of the book, until every end marker is there
    orders    our orders on this connection, and what error codes mean for them
    sending   orders and cancels on their way out
    previews  what an order would do to the margin, asked by what-if orders
    accounts  what the accounts are worth
    coverage  which contracts details and quotes are wanted for
    details   hours, ticks and settlement of contracts
    lines     market data
    pacer     the message budget
    wire      the library, guarded; translate, hours, codes and words are pure
"""

from engine.venues.ib.settings import IbSettings
from engine.venues.ib.venue import IbVenue

__all__ = ["IbSettings", "IbVenue"]

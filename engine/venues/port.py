"""The port every venue keeps.

A venue never decides. It reports facts to its sink in the order they happened, in batches (what
arrived together is told together), and it answers every order with facts, never with exceptions.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Protocol, runtime_checkable

from msgspec import Struct

from engine.desk.facts import OrderType, Side, TimeInForce, VenueFact
from engine.desk.instruments import Instrument
from engine.desk.intents import PreviewOrder, Purpose
from engine.desk.market import Bar, Quote


class PricedOrder(Struct, frozen=True, kw_only=True):
    """An order ready to go out, with the terms it was given (engine.desk.facts.OrderPriced).

    spend is the quote currency a market buy may cost; quantity is then only an expectation.
    purpose tells a venue what to send first when its budget is short.
    """

    client_order_id: str
    account: str
    instrument: Instrument
    side: Side
    quantity: Decimal
    order_type: OrderType
    limit_price: Decimal | None
    outside_rth: bool
    purpose: Purpose
    stop_price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    spend: Decimal | None = None
    reduce_only: bool = False


class VenueSink(Protocol):
    """Where a venue puts what it hears. Both calls return at once and never raise."""

    def facts(self, batch: Iterable[VenueFact]) -> None:
        """Hand over facts that arrived together, in order."""

    def quote(self, venue: str, ref: str, quote: Quote) -> None:
        """Hand over the newest quote of an instrument; it replaces the one before."""

    def bars(self, venue: str, ref: str, bars: Sequence[Bar]) -> None:
        """Hand over closed bars, oldest first: the history at first, then each as it closes. A bar
        told twice counts once."""

    def heard(self, venue: str) -> None:
        """Say that the venue's link is alive now (any message counts)."""

    def doubtful(self, venue: str) -> tuple[PricedOrder, ...]:
        """Our orders that are not known to have ended. A snapshot must tell of each (asked by its
        client id where the venue's open orders do not list it): one it leaves out is absent."""


class Venue(Protocol):
    """One connection to one broker or exchange."""

    name: str
    kind: str

    @property
    def clock_skew_seconds(self) -> float | None:
        """The venue's clock less this machine's; None until it told its time."""

    async def run(self) -> None:
        """Connect, and reconnect with backoff, until cancelled. Reports VenueChanged on the way and
        a BookSnapshot each time the book is completely known, before it says READY."""

    def ask(self) -> None:
        """Ask for a fresh BookSnapshot. Questions under way are joined, not repeated."""

    def place(self, order: PricedOrder) -> None:
        """Send an order at once. What is not known to have reached the venue is reported as
        OrderUnanswered; a refusal as OrderReported REJECTED."""

    def cancel(self, order: PricedOrder) -> None:
        """Cancel an order by our id. The outcome is whatever the venue reports next."""

    def watch(self, instruments: Iterable[Instrument]) -> None:
        """Keep quotes and contract specs coming for these, besides what is held and what held
        options are written on."""


@runtime_checkable
class Previewer(Protocol):
    """A venue that can say what an order would do to its account's margin."""

    def preview(self, order: PreviewOrder) -> None:
        """Ask; the answer is the fact OrderPreviewed. Nothing is placed, whatever is answered, and
        everything else goes first. What cannot be asked now is not asked at all."""

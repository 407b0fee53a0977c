"""One trade of one symbol, from its signal to its release: what was bought, sold and paid.

It counts executions, each once, whatever order they and the orders' reports come in. It sends
nothing.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from engine.desk.allocation.bracket import bracket_of
from engine.desk.allocation.definitions import ParameterSet
from engine.desk.facts import CloseType, Execution, Side
from engine.desk.instruments import SpotPair
from engine.desk.intents import AtMarket, Bracket, PlaceOrder, Purpose

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """What one execution moved: base bought (negative: sold) after commissions in the base, and
    quote paid (negative: received) with commissions in the quote."""

    base: Decimal
    quote: Decimal
    traded: Decimal
    value: Decimal


@dataclass(slots=True)
class Episode:
    """At most one order of it is under way: order_id with its purpose. exit is set once it is to
    be sold whatever its bracket says. attempts: purpose -> how many such orders have ended.

    amount may be spent, expected is what it should buy. failure says why nothing was bought.
    refused: the venue would not take its bracket; unheld counts brackets that ended by themselves
    with nothing sold. waits says what keeps the next order from going out, trouble what went wrong.
    """

    name: str
    venue: str
    instrument: SpotPair
    parameters: ParameterSet
    signal_price: Decimal
    begun_at: datetime
    amount: Decimal
    expected: Decimal
    order_id: str | None = None
    purpose: Purpose = Purpose.ENTRY
    attempts: dict[Purpose, int] = field(default_factory=dict)
    fills: dict[str, Fill] = field(default_factory=dict)
    held: Decimal = ZERO
    bought: Decimal = ZERO
    bought_value: Decimal = ZERO
    sold: Decimal = ZERO
    sold_value: Decimal = ZERO
    spent: Decimal = ZERO
    earned: Decimal = ZERO
    last_price: Decimal | None = None
    leg: CloseType | None = None
    exit: CloseType | None = None
    exit_reason: str = ""
    entry_over: bool = False
    refused: bool = False
    alarmed: bool = False
    sold_at_market: bool = False
    by_hand: bool = False
    failure: str = ""
    unheld: int = 0
    retry_at: datetime | None = None
    trouble: str = ""
    waits: str = ""
    asked_at: datetime | None = None

    @classmethod
    def revived(
        cls, buy: PlaceOrder, instrument: SpotPair, parameters: ParameterSet, at: datetime
    ) -> "Episode":
        """Begin again from a buy that was given up. Its orders get ids of their own."""
        spend = (buy.pricing.spend if isinstance(buy.pricing, AtMarket) else None) or ZERO
        return cls(
            name=f"{buy.episode}/late",
            venue=buy.venue,
            instrument=instrument,
            parameters=parameters,
            signal_price=spend / buy.quantity,
            begun_at=at,
            amount=spend,
            expected=buy.quantity,
            entry_over=True,
        )

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def entry_price(self) -> Decimal | None:
        """What it was bought at on average, without commissions."""
        return self.bought_value / self.bought if self.bought > 0 else None

    @property
    def exit_price(self) -> Decimal | None:
        return self.sold_value / self.sold if self.sold > 0 else None

    @property
    def price(self) -> Decimal:
        """The newest price it knows of."""
        return self.last_price or self.signal_price

    @property
    def bracket(self) -> Bracket:
        return bracket_of(self.entry_price or self.signal_price, self.parameters)

    def want_out(self, close_type: CloseType, reason: str) -> None:
        """Have it sold. A wish that stands already stays."""
        if self.exit is None:
            self.exit, self.exit_reason = close_type, reason

    def count(self, execution: Execution) -> Decimal:
        """Count an execution; a correction replaces what it corrects. Returns the change of what
        was spent (a buy) or earned (a sale)."""
        base, quote = self.instrument.base, self.instrument.quote
        sign = execution.side.sign
        value = execution.quantity * execution.price
        fill = Fill(
            base=execution.quantity * sign
            - (execution.fee if execution.fee_currency == base else ZERO),
            quote=value * sign + (execution.fee if execution.fee_currency == quote else ZERO),
            traded=execution.quantity,
            value=value,
        )
        self.last_price = execution.price
        if execution.exit_leg is not None:
            self.leg = execution.exit_leg
        change = self._enter(execution.execution_id, execution.side, fill)
        order_id = execution.client_order_id or ""
        believed = self.fills.get(_believed(order_id))
        if believed is not None and believed.traded > 0:
            left = max(believed.traded - execution.quantity, ZERO)
            price = believed.value / believed.traded
            change += self.believe(order_id, execution.side, left, price)
        return change

    def believe(self, order_id: str, side: Side, quantity: Decimal, price: Decimal) -> Decimal:
        """Count what a venue says was filled and has not shown as executions, at a likely price.

        Executions that come later after all take its place. Returns as count() does.
        """
        value = quantity * price
        fill = Fill(
            base=quantity * side.sign, quote=value * side.sign, traded=quantity, value=value
        )
        return self._enter(_believed(order_id), side, fill)

    def _enter(self, key: str, side: Side, fill: Fill) -> Decimal:
        old = self.fills.get(key)
        self.fills[key] = fill
        if old is not None:
            fill = Fill(
                base=fill.base - old.base,
                quote=fill.quote - old.quote,
                traded=fill.traded - old.traded,
                value=fill.value - old.value,
            )
        self.held += fill.base
        if side is Side.BUY:
            self.bought += fill.traded
            self.bought_value += fill.value
            self.spent += fill.quote
            return fill.quote
        self.sold += fill.traded
        self.sold_value += fill.value
        self.earned -= fill.quote
        return -fill.quote


def _believed(order_id: str) -> str:
    return f"believed {order_id}"

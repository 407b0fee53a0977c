"""Tends closes that rest: priced anew in bounded steps, then escalated as configured.

The first price is the touch; each further one reaches a step past it, up to max_slippage. What even
that does not fill goes out at market where the market takes such orders, or its owner is called.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from engine.desk.facts import OrderType
from engine.desk.floor import Floor
from engine.desk.instruments import Instrument, Stock
from engine.desk.intents import AtMarket, CancelOrder, Marketable, Pricing, Severity
from engine.desk.options.definitions import Escalation, OptionSettings
from engine.desk.options.gate import Gate
from engine.desk.options.strategies import Episode, Strategy
from engine.desk.orders import Order
from engine.desk.snapshot import OrderState

ZERO = Decimal(0)
STEPS = 3
_CALM = timedelta(seconds=60)
_STOCK_REACH = Decimal("0.01")
"""A stock's touch is tight: a tenth of its price past it would be no price at all."""


class Tending:
    """Holds no state of its own; what was tried is the episode's."""

    def __init__(self, floor: Floor, gate: Gate) -> None:
        self._floor = floor
        self._gate = gate
        self.settings: OptionSettings | None = None

    def pricing(self, venue: str, episode: Episode, instrument: Instrument) -> Pricing:
        """Say how the next close of an instrument is priced."""
        if instrument.ref in episode.at_market and self._gate.is_regular(venue, instrument):
            return AtMarket()
        reach = self.settings.max_slippage if self.settings else ZERO
        if isinstance(instrument, Stock):
            reach = min(reach, _STOCK_REACH)
        step = min(episode.rounds.get(instrument.ref, 0), STEPS)
        return Marketable(max_slippage=reach * step / STEPS)

    def tend(
        self, strategy: Strategy, episode: Episode, orders: Iterable[Order]
    ) -> datetime | None:
        """Take back what has rested long enough; return when to look again."""
        settings = self.settings
        if settings is None:
            return None
        looks = [at for order in orders if (at := self._look(strategy, episode, order, settings))]
        return min(looks, default=None)

    def _look(
        self, strategy: Strategy, episode: Episode, order: Order, settings: OptionSettings
    ) -> datetime | None:
        ref, now = order.intent.instrument.ref, self._floor.now
        patience = timedelta(seconds=settings.reprice_seconds)
        if order.cancel_asked or episode.rounds.get(ref, 0) > STEPS:
            patience = max(patience, _CALM)
        since = max(order.at, episode.tended_at.get(ref, order.at))
        if now < since + patience:
            return since + patience
        if order.state is OrderState.HELD:
            return self._unpriced(strategy, episode, order, order.at + patience * (STEPS + 1))
        if order.state is not OrderState.WORKING:
            return now + patience
        if not self._gate.is_tradable(order.intent.venue, order.intent.instrument):
            return None
        if not _is_limit(order):
            return self._unmet(strategy, episode, order)
        episode.tended_at[ref] = now
        self._price_anew(strategy, episode, order, settings)
        return now + patience

    def _price_anew(
        self, strategy: Strategy, episode: Episode, order: Order, settings: OptionSettings
    ) -> None:
        """Cancel an order that nobody met; what comes after it reaches further."""
        ref = order.intent.instrument.ref
        rounds = episode.rounds[ref] = episode.rounds.get(ref, 0) + (not order.cancel_asked)
        if rounds == STEPS + 1 and not order.cancel_asked:
            self._escalate(strategy, episode, order, settings)
        order.cancel_asked = True
        self._floor.outbox.append(
            CancelOrder(
                client_order_id=order.intent.client_order_id,
                venue=order.intent.venue,
                reason="nobody met its price: priced anew",
            )
        )

    def _unmet(self, strategy: Strategy, episode: Episode, order: Order) -> datetime | None:
        """A market order that rests is out of our hands: its owner is called, once."""
        instrument = order.intent.instrument
        due = order.at + _CALM
        if instrument.ref in episode.troubles:
            return None
        if self._floor.now < due:
            return due
        text = f"close of {instrument.name} not filled: at market for a minute"
        episode.troubles[instrument.ref] = text
        body = f"{order.executed:f} of {order.intent.quantity:f} filled. Look at it at the broker."
        self._floor.alert(Severity.CRITICAL, f"{strategy.id}: {text}", body, strategy.id)
        return None

    def _unpriced(
        self, strategy: Strategy, episode: Episode, order: Order, due: datetime
    ) -> datetime | None:
        """A close that no price can be put on is escalated once."""
        ref = order.intent.instrument.ref
        if ref in episode.troubles or ref in episode.at_market:
            return None
        if self._floor.now < due:
            return due
        if self.settings is not None:
            self._escalate(strategy, episode, order, self.settings)
        if ref in episode.at_market:
            order.end(OrderState.CANCELLED, "no price: goes out at market", self._floor.now)
        return None

    def _escalate(
        self, strategy: Strategy, episode: Episode, order: Order, settings: OptionSettings
    ) -> None:
        """Let the next one go out at market, or call the owner."""
        instrument = order.intent.instrument
        text = f"close of {instrument.name} not filled: {order.reason or 'nobody met its price'}"
        regular = self._gate.is_regular(order.intent.venue, instrument)
        if settings.escalate is Escalation.MARKET and regular:
            episode.at_market.add(instrument.ref)
            body = "It goes out at market now."
        else:
            episode.troubles[instrument.ref] = text
            body = "It is tried on at the furthest price allowed. Look at it at the broker."
        self._floor.alert(Severity.CRITICAL, f"{strategy.id}: {text}", body, strategy.id)


def _is_limit(order: Order) -> bool:
    return order.terms is not None and order.terms.order_type is OrderType.LIMIT

"""Carries one trade at a time a symbol: buy, bracket, sale, each only after the one before ended.

A position is never left without a bracket or a sale under way, and nothing is decided on an answer
that did not come: what is unknown is asked for until the venue shows it or proves it absent.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import assert_never

from engine.desk.allocation.bracket import floored, sellable
from engine.desk.allocation.episode import ZERO, Episode
from engine.desk.allocation.ledger import Ledger
from engine.desk.allocation.outcomes import conclude, count
from engine.desk.allocation.wakes import Wakes
from engine.desk.facts import CloseType, Side
from engine.desk.floor import UNANSWERED_AFTER, Floor
from engine.desk.instruments import ContractSpec
from engine.desk.intents import (
    AtMarket,
    CancelOrder,
    PlaceOrder,
    Pricing,
    Purpose,
    Severity,
)
from engine.desk.orders import Order, client_order_id
from engine.desk.pricing import round_to_step
from engine.desk.snapshot import OrderState

ACCOUNT = "main"
_EXECUTIONS_AFTER = timedelta(seconds=3)
_SOON = timedelta(seconds=1)
SIGNAL_LASTS_BARS = 5


class Flow:
    """recheck: symbols that wait for what is told to nobody in particular (arming, the link);
    again: those whose trade may go on at once. free: base currency -> what the venue last showed
    free of it."""

    def __init__(self, floor: Floor, ledger: Ledger, wakes: Wakes) -> None:
        self._floor = floor
        self._ledger = ledger
        self._wakes = wakes
        self.recheck: dict[str, None] = {}
        self.again: dict[str, None] = {}
        self.free: dict[str, Decimal] = {}
        self.signal_lasts = timedelta(minutes=SIGNAL_LASTS_BARS)

    def advance(self, episode: Episode) -> bool:
        """Take a trade one step on; True once it is over and its money may be released."""
        episode.waits = ""
        order = self._floor.orders.get(episode.order_id or "")
        if order is not None:
            if order.state is OrderState.HELD and self._takes_back(episode, order):
                order.cancel_asked = True
                order.end(OrderState.CANCELLED, "it had not gone out yet", self._floor.now)
                self._floor.track(order)
            if order.blocks:
                self._attend(episode, order)
                return False
            episode.order_id = None
            conclude(self._floor, self._ledger, episode, order)
        if not episode.entry_over:
            return self._buy_again(episode)
        if not episode.bought:
            return True
        spec = self._floor.spec(episode.venue, episode.instrument)
        if spec is None:
            self._wait(episode, "its trading rules are not known")
            return False
        if not sellable(episode.held, episode.price, spec):
            return True
        self._protect(episode, spec)
        return False

    def buy(self, episode: Episode, reason: str) -> None:
        """Send the buy that spends the episode's amount."""
        self._place(
            episode, Purpose.ENTRY, episode.expected, AtMarket(spend=episode.amount), reason
        )

    def id_of(self, episode: Episode, purpose: Purpose) -> str:
        """Derive the id of the episode's next order of this purpose."""
        # A bracket and the sale that follows it never share an id, whatever became of the first.
        ref = f"{episode.instrument.ref}/{purpose.value}"
        attempt = episode.attempts.get(purpose, 0) + 1
        return client_order_id(ACCOUNT, episode.symbol, episode.name, ref, attempt)

    def obstacle(self, venue: str) -> str:
        """Say why nothing may be sent to a venue now, empty when it may."""
        standing = self._floor.standing(venue)
        if not self._floor.armed:
            return "disarmed: nothing is sent"
        if not standing.may_act:
            return f"{venue} cannot act: {standing.detail or standing.state.value}"
        return ""

    def is_bracketed(self, episode: Episode) -> bool:
        """Whether a working bracket holds the position at the venue."""
        order = self._floor.orders.get(episode.order_id or "")
        working = order is not None and order.state is OrderState.WORKING
        return working and episode.purpose is Purpose.BRACKET

    def stands_behind(self, episode: Episode) -> str:
        """Say what live order or position stands behind a reservation, empty where nothing does."""
        order = self._floor.orders.get(episode.order_id or "")
        spec = self._floor.spec(episode.venue, episode.instrument)
        if episode.held > 0 and (spec is None or floored(episode.held, spec)):
            held = f"{episode.held.normalize():f} {episode.instrument.base}"
            return f"a position of {held} stands behind it"
        if order is None or not order.blocks:
            return ""
        if order.is_terminal:
            return "the fills of its order are not known yet"
        unknown = order.state is OrderState.UNKNOWN
        return "the venue may have an order of it" if unknown else "an order of it is live"

    def any_under_way(self, episodes: Iterable[Episode]) -> bool:
        """Whether an order that moves cash may be filling now."""
        orders = [self._floor.orders.get(episode.order_id or "") for episode in episodes]
        return any(o is not None and o.blocks and not o.intent.purpose.is_resting for o in orders)

    def absent(self, episode: Episode | None, order: Order) -> None:
        """Take it that an order never reached the venue. It stays known, so that a fill which
        shows up after all is counted."""
        order.end(OrderState.CANCELLED, "it never reached the venue", self._floor.now)
        self._floor.track(order)
        if episode is not None and episode.order_id == order.intent.client_order_id:
            episode.order_id = None

    # --- an order under way ----------------------------------------------------------------------

    def _attend(self, episode: Episode, order: Order) -> None:
        """Look after an order that has not ended, or whose fills are not all known."""
        floor = self._floor
        match order.state:
            case OrderState.HELD:
                pass
            case OrderState.SENDING:
                self._wake(episode, order.at + UNANSWERED_AFTER)
                self._watch_for_cancel(episode, order)
            case OrderState.UNKNOWN:
                episode.waits = f"it is not known whether the venue has its order: {order.reason}"
                since = order.unknown_since or floor.now
                self._ask(episode, since, UNANSWERED_AFTER, "the fate of an order is unknown")
                self._watch_for_cancel(episode, order)
            case OrderState.WORKING if order.intent.purpose is Purpose.BRACKET:
                why = self._unfit(episode, order)
                if why:
                    self._cancel(episode, order, why)
            case OrderState.WORKING:
                self._ask(episode, order.at, UNANSWERED_AFTER, "a market order is not done")
            case OrderState.FILLED | OrderState.CANCELLED | OrderState.REJECTED:
                since = order.ended_at or floor.now
                self._ask(episode, since, _EXECUTIONS_AFTER, "an order's fills were not shown")
                self.recheck[episode.symbol] = None
            case _:
                assert_never(order.state)

    def _takes_back(self, episode: Episode, order: Order) -> bool:
        return episode.exit is not None and order.intent.purpose is Purpose.BRACKET

    def _watch_for_cancel(self, episode: Episode, order: Order) -> None:
        """Look again at the next fact: nobody is told that a bracket began to work."""
        if self._takes_back(episode, order):
            self.recheck[episode.symbol] = None

    def _unfit(self, episode: Episode, order: Order) -> str:
        """Why a working bracket must go, empty while it may stay."""
        if episode.exit is not None:
            return episode.exit_reason
        spec = self._floor.spec(episode.venue, episode.instrument)
        if spec is None:
            return ""
        held = floored(episode.held, spec)
        if order.remaining > held:
            return f"only {held:f} left to sell"
        if sellable(episode.held - order.remaining, episode.bracket.below, spec):
            return f"{held:f} held, {order.remaining:f} in the bracket"
        return ""

    def _cancel(self, episode: Episode, order: Order, reason: str) -> None:
        floor = self._floor
        obstacle = self.obstacle(episode.venue)
        if obstacle:
            self._wait(episode, obstacle)
            return
        asked = episode.asked_at
        if order.cancel_asked and asked is not None:
            if floor.now < asked + UNANSWERED_AFTER:
                self._wake(episode, asked + UNANSWERED_AFTER)
                return
            floor.ask(episode.venue, "a bracket was not cancelled")
        order.cancel_asked, episode.asked_at = True, floor.now
        floor.outbox.append(
            CancelOrder(
                client_order_id=order.intent.client_order_id, venue=episode.venue, reason=reason
            )
        )
        self._wake(episode, floor.now + UNANSWERED_AFTER)

    def _ask(self, episode: Episode, since: datetime, after: timedelta, reason: str) -> None:
        """Ask the venue once after has passed since an instant, and again each time it has."""
        floor = self._floor
        due = max(since, episode.asked_at or since) + after
        if due <= floor.now and floor.standing(episode.venue).is_live:
            episode.asked_at = floor.now
            floor.ask(episode.venue, reason)
            due = floor.now + after
        self._wake(episode, due)

    # --- the next order --------------------------------------------------------------------------

    def _buy_again(self, episode: Episode) -> bool:
        """Send a buy again that never reached the venue, with its id, while it is still wanted."""
        now = self._floor.now
        claim = self._ledger.claims.get(episode.symbol)
        expires = episode.begun_at + self.signal_lasts
        if episode.exit is not None:
            episode.failure = episode.exit_reason
        elif claim is None or not claim.reserved:
            episode.failure = "its reservation was released"
        elif now >= expires:
            episode.failure = "the signal is too old"
        if episode.failure:
            return True
        obstacle = self.obstacle(episode.venue)
        if obstacle:
            self._wait(episode, obstacle)
            self._wake(episode, expires)
            return False
        self.buy(episode, "the buy never reached the venue")
        return False

    def _protect(self, episode: Episode, spec: ContractSpec) -> None:
        """Put the position into a bracket, or sell it where it must go or no bracket can hold."""
        floor = self._floor
        obstacle = self.obstacle(episode.venue)
        if obstacle:
            if not episode.alarmed:
                floor.alert(
                    Severity.CRITICAL,
                    f"{episode.symbol}: a position is not protected",
                    obstacle,
                    episode.symbol,
                )
            episode.alarmed = True
            self._wait(episode, obstacle)
            return
        episode.alarmed = False
        if episode.retry_at is not None and episode.retry_at > floor.now:
            episode.waits = episode.trouble
            self._wake(episode, episode.retry_at)
            return
        held = sellable(self._reachable(episode), episode.price, spec) or sellable(
            episode.held, episode.price, spec
        )
        if episode.exit is None and not self._holds(episode, held, spec):
            episode.want_out(
                episode.leg or CloseType.EMERGENCY, f"{held:f} is too little for a bracket"
            )
        if episode.exit is None:
            bracket = episode.bracket
            up, down = episode.parameters.profit_percent, episode.parameters.stop_loss_percent
            reason = f"take-profit at +{up.normalize():f}%, stop at -{down.normalize():f}%"
            self._place(episode, Purpose.BRACKET, held, bracket, reason)
        else:
            self._place(episode, Purpose.SELL_POSITION, held, AtMarket(), episode.exit_reason)

    def _holds(self, episode: Episode, held: Decimal, spec: ContractSpec) -> bool:
        """Whether the stop leg of a bracket around held is worth the venue's minimum."""
        stop = round_to_step(episode.bracket.below, spec.price_steps, Side.SELL)
        return stop * held >= spec.minimum_notional

    def _reachable(self, episode: Episode) -> Decimal:
        """What may be sold: what is held, and after a refused sale no more than the venue shows
        free, for a commission it never told may be missing."""
        free = self.free.get(episode.instrument.base, ZERO)
        return free if episode.trouble and ZERO < free < episode.held else episode.held

    def _place(
        self,
        episode: Episode,
        purpose: Purpose,
        quantity: Decimal,
        pricing: Pricing,
        reason: str,
    ) -> None:
        order_id = self.id_of(episode, purpose)
        episode.order_id, episode.purpose, episode.asked_at = order_id, purpose, None
        self._floor.place(
            PlaceOrder(
                client_order_id=order_id,
                venue=episode.venue,
                account=ACCOUNT,
                instrument=episode.instrument,
                side=Side.BUY if purpose is Purpose.ENTRY else Side.SELL,
                quantity=quantity,
                purpose=purpose,
                strategy_id=episode.symbol,
                episode=episode.name,
                reason=reason,
                pricing=pricing,
            )
        )
        self._wake(episode, self._floor.now + UNANSWERED_AFTER)
        if self._floor.orders[order_id].executed:
            self._adopt(episode, order_id)

    def _adopt(self, episode: Episode, order_id: str) -> None:
        """Count the fills of an order that the venue had already, from a life whose journal was
        lost."""
        for execution in self._floor.book(episode.venue).executions:
            if execution.client_order_id == order_id:
                count(self._ledger, episode, execution, self._floor.now)
        self.again[episode.symbol] = None

    def _wake(self, episode: Episode, when: datetime) -> None:
        self._wakes.at(episode.symbol, max(when, self._floor.now + _SOON))

    def _wait(self, episode: Episode, reason: str) -> None:
        episode.waits = reason
        self.recheck[episode.symbol] = None

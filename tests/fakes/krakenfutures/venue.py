"""Kraken Futures on loopback, for the unmodified ccxt: what it costs to ask, who may, and the
events only this venue has - assignments, liquidations and unwinds, pushed and never asked for."""

import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from tests.fakes.exchange import (
    Answer,
    Budget,
    Fault,
    Fill,
    Refusal,
    Request,
    Rules,
    ScriptedFault,
    Side,
    VenueError,
    Why,
    command,
    uuids,
)
from tests.fakes.exchange.server import Handler
from tests.fakes.krakenfutures.history import History
from tests.fakes.krakenfutures.markets import MARKETS, START_PRICES
from tests.fakes.krakenfutures.signing import is_signed
from tests.fakes.krakenfutures.trading import Trading, batch_of
from tests.fakes.krakenfutures.words import FillType, iso

RULES = Rules(
    duplicates_ever=True,
    shrink_reduce_only=True,
    reduce_only_dies_flat=False,
    edited_taker_word=FillType.TAKER_AFTER_EDIT.value,
)

# Source: Kraken Futures, rate limits: 500 in 10 seconds for /derivatives, 100 in 10 minutes for
# /history. A batch costs 9 and 1 for each order in it.
COSTS = {
    "sendorder": 10,
    "editorder": 10,
    "cancelorder": 10,
    "cancelallorders": 25,
    "cancelallordersafter": 25,
    "accounts": 2,
    "openpositions": 2,
    "openorders": 2,
    "leveragepreferences": 2,
    "orders/status": 1,
}
_PUBLIC = ("instruments", "tickers", "orderbook")


class KrakenFutures(Trading):
    """A stand-in of Kraken Futures with one account, flat and with 100,000 USD of collateral."""

    def __init__(self, *, port: int = 0) -> None:
        super().__init__(
            MARKETS,
            rules=RULES,
            new_order_id=uuids(1),
            new_fill_id=uuids(2),
            port=port,
        )
        self.budget = Budget(500, 10.0)
        self.history_budget = Budget(100, 600.0)
        self._skipped_seconds = 0.0
        self._in_book = set()
        self.holding = {"USD": Decimal(0), "XBT": Decimal(0)}
        self.history = History(self.account_uid, self.now)
        self.account.set_balance("USD", Decimal(100_000))
        self.account.set_balance("XBT", Decimal(1))
        for market_id, (bid, ask) in START_PRICES.items():
            self.set_quote(market_id, bid, ask)

    def routes(self) -> Mapping[str, Handler]:
        return {**self.read_routes(), **self.trading_routes()}

    # Who may ask, and how much

    def before(self, request: Request) -> None:
        name = request.path.removeprefix("/derivatives/api/v3/")
        if name.split("/")[0] in _PUBLIC:
            return
        history = request.path.startswith("/api/history/")
        if self.logins_refused or not is_signed(request, self.api_key, self.secret):
            if history:
                reason = "You are not authorized to access this endpoint."
                raise VenueError({"status": "unauthorized", "reason": reason}, 401)
            raise self.error("authenticationError")
        now = time.monotonic() + self._skipped_seconds
        budget, cost = (self.history_budget, 1) if history else (self.budget, _cost(name, request))
        if not budget.spend(cost, now):
            raise self.error("apiLimitExceeded")

    def refusal_answer(self, refusal: Refusal, request: Request) -> Answer:
        word = "contractNotFound" if refusal.why is Why.UNKNOWN_MARKET else "invalidArgument"
        return Answer(body={"result": "error", "serverTime": iso(self.now()), "error": word})

    def fault_answer(self, scripted: ScriptedFault) -> Answer:
        if scripted.fault is Fault.RATE_LIMITED:
            return super().fault_answer(scripted)
        body = {"result": "error", "serverTime": iso(self.now()), "error": "Server Error"}
        return Answer(body=body, status=500)

    @command
    def budget_used(self) -> float:
        """How much of the 500 in 10 seconds is spent."""
        return self.budget.used(time.monotonic() + self._skipped_seconds)

    @command
    def budget_refusals(self) -> int:
        """How many requests were over it."""
        return self.budget.refused

    @command
    def let_budget_recover(self, seconds: float = 10.0) -> None:
        """As if that much time had passed, for the budgets only."""
        self._skipped_seconds += seconds

    # What only this venue does

    @command
    def assign(self, market: str, quantity: Decimal, price: Decimal) -> Fill:
        """Hand the account somebody's position (signed), as the assignment program does: an
        assignee fill, then the position. Hold "fills" or "open_positions" to change the order."""
        return self.happen(FillType.ASSIGNEE, market, quantity, price)

    @command
    def happen(self, fill_type: FillType, market: str, quantity: Decimal, price: Decimal) -> Fill:
        """Book a fill (signed quantity) of any type that no order of the account made."""
        return self.account.force_fill(
            market,
            Side.BUY if quantity > 0 else Side.SELL,
            abs(quantity),
            price,
            marker=fill_type.value,
        )

    @command
    def move_position(self, market: str, change: Decimal, price: Decimal) -> Decimal:
        """Change a position with no fill at all (a transfer, a correction); returns what is
        held then."""
        before = self.account.positions.get(market)
        entry = before.entry_price if before is not None and before.quantity else price
        return self.account.set_position(market, self.held(market) + change, entry).quantity

    @command
    def repeat_fill(self, fill_id: str) -> None:
        """Push a fill that was pushed before once more."""
        (fill,) = (one for one in self.account.fills if one.id == fill_id)
        message = {"feed": "fills", "username": self.account_uid, "fills": [self._fill(fill)]}
        self.publish(message, channel="fills")

    @command
    def withdraw_reduce_only_when_flat(self, withdraw: bool) -> None:
        """Whether closing a position cancels the reduce-only orders left on it."""
        self.account.rules = replace(self.account.rules, reduce_only_dies_flat=withdraw)

    @command
    def stops_change_ids(self, change: bool, keep_client_id: bool = False) -> None:
        """Whether a triggered stop works on as an order of its own, with or without the stop's
        client id; the venue's documents leave it open."""
        self.account.rules = replace(
            self.account.rules, trigger_spawns=change, spawn_keeps_client_id=keep_client_id
        )


def _cost(name: str, request: Request) -> int:
    if name == "fills":
        return 25 if "lastFillTime" in request.params else 2
    if name == "batchorder":
        return 9 + len(batch_of(request) or [])
    return COSTS.get(name, 1)

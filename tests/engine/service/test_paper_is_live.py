"""Paper and live run the same desk: the same quotes and fills give the same journal.

One exchange is played twice: once it fills the orders itself, by arithmetic of its own, and once
paper fills are laid over it and no order reaches it. What differs is named here, all of it: ids,
the mode, and that the link says its fills are simulated.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.desk.allocation.definitions import AllocationSettings, ParameterSet
from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    CloseRequested,
    CloseType,
    ConfigApplied,
    ContractDescribed,
    Execution,
    ExecutionOrigin,
    ExecutionReported,
    OrderReport,
    OrderReported,
    OrderRow,
    OrderType,
    Side,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import ContractSpec, Instrument, PriceStep, SpotPair
from engine.desk.market import Bar, Quote
from engine.journal import Journal, as_document
from engine.service.engine import Engine, cancelled
from engine.venues.paper.overlay import PaperFills
from engine.venues.port import PricedOrder, Venue, VenueSink
from tests.engine.service.clock import ManualClock

VENUE, ACCOUNT = "binance", "main"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BTC = SpotPair(ref="BTCUSDT", symbol="BTCUSDT", base="BTC", quote="USDT")
STEP, FEE, SMALLEST = Decimal("0.00001"), Decimal("0.001"), Decimal("0.00000001")
SPEC = ContractSpec(
    ref=BTC.ref,
    price_steps=(PriceStep(from_price=Decimal(0), increment=Decimal("0.01")),),
    quantity_step=STEP,
    minimum_quantity=STEP,
    minimum_notional=Decimal(5),
)
SETTINGS = AllocationSettings(
    venue=VENUE,
    sets=(
        ParameterSet(
            symbol=BTC.ref,
            allocation_percent=Decimal("33.3"),
            z_score_threshold=Decimal(5),
            profit_percent=Decimal(15),
            stop_loss_percent=Decimal(2),
        ),
    ),
    window=10,
)
TURNS = 60


class PlayedExchange:
    """Keeps engine.venues.port.Venue; its market is the test, and it fills what that reaches."""

    kind = "ccxt"
    clock_skew_seconds: float | None = 0.0

    def __init__(self, sink: VenueSink, clock: ManualClock) -> None:
        self.name = VENUE
        self.sink = sink
        self.taken: list[PricedOrder] = []
        self._clock = clock
        self._bid, self._ask = Decimal(0), Decimal(0)
        self._total = {"BTC": Decimal(0), "USDT": Decimal(1000)}
        self._working: PricedOrder | None = None
        self._trades = 0

    # --- the port --------------------------------------------------------------------------------

    async def run(self) -> None:
        self._state(VenueState.SYNCING)
        self.sink.facts([ContractDescribed(venue=VENUE, spec=SPEC)])
        self.sink.facts([self._balance("USDT"), self._balance("BTC")])
        self.ask()
        self._state(VenueState.READY)
        await asyncio.Event().wait()

    def ask(self) -> None:
        book = BookSnapshot(
            venue=VENUE, asked_at=self._clock.now(), accounts=(ACCOUNT,), positions=()
        )
        self.sink.facts([book])

    def place(self, order: PricedOrder) -> None:
        self.taken.append(order)
        self._working = order
        self._soon(lambda: self._say(order, OrderReport.WORKING, balances=True))
        if order.order_type is not OrderType.OCO:
            self._soon(lambda: self._deal(order))

    def cancel(self, order: PricedOrder) -> None:
        self._working = None
        self._soon(lambda: self._say(order, OrderReport.CANCELLED, balances=True))

    def watch(self, instruments: Iterable[Instrument]) -> None:
        """All there is here is told anyway."""

    # --- the market ------------------------------------------------------------------------------

    def quote(self, bid: float) -> None:
        """Bid that, and ask a cent more."""
        ask = round(bid + 0.01, 2)
        self._bid, self._ask = Decimal(repr(bid)), Decimal(repr(ask))
        quote = Quote.of(at=self._clock.now(), bid=bid, ask=ask)
        self.sink.quote(VENUE, BTC.ref, quote)
        order = self._working
        if order is None or order.limit_price is None or order.stop_price is None:
            return
        if self._bid >= order.limit_price:
            price, leg = order.limit_price, CloseType.TAKE_PROFIT
        elif self._bid <= order.stop_price:
            price, leg = self._bid, CloseType.STOP_LOSS
        else:
            return
        self._soon(lambda: self._fill(order, order.quantity, price, leg))

    def bars(self, *closes: float) -> None:
        """Close these bars one minute after the other, the last of them now."""
        first = self._clock.now() - MINUTE * len(closes)
        told = [
            Bar(at=first + MINUTE * n, open=close, high=close, low=close, close=close)
            for n, close in enumerate(closes)
        ]
        self.sink.bars(VENUE, BTC.ref, told)

    # --- what it tells ---------------------------------------------------------------------------

    def _deal(self, order: PricedOrder) -> None:
        if order.spend is None:
            self._fill(order, order.quantity, self._bid, None)
            return
        lots = (order.spend / self._ask / STEP).to_integral_value(ROUND_FLOOR)
        self._fill(order, lots * STEP, self._ask, None)

    def _fill(
        self, order: PricedOrder, quantity: Decimal, price: Decimal, leg: CloseType | None
    ) -> None:
        self._working = None
        self._trades += 1
        value = quantity * price
        if order.side is Side.BUY:
            fee, currency = (quantity * FEE).quantize(SMALLEST), "BTC"
            self._total["BTC"] += quantity - fee
            self._total["USDT"] -= value
        else:
            fee, currency = (value * FEE).quantize(SMALLEST), "USDT"
            self._total["BTC"] -= quantity
            self._total["USDT"] += value - fee
        execution = Execution(
            execution_id=f"BTCUSDT-{self._trades}",
            account=ACCOUNT,
            instrument=BTC,
            side=order.side,
            quantity=quantity,
            price=price,
            at=self._clock.now(),
            origin=ExecutionOrigin.OURS,
            client_order_id=order.client_order_id,
            fee=fee,
            fee_currency=currency,
            exit_leg=leg,
        )
        self.sink.facts([ExecutionReported(venue=VENUE, execution=execution)])
        self._soon(lambda: self.sink.facts([self._balance("BTC"), self._balance("USDT")]))
        self._soon(lambda: self._say(order, OrderReport.FILLED, filled=quantity))

    def _say(
        self,
        order: PricedOrder,
        report: OrderReport,
        *,
        filled: Decimal = Decimal(0),
        balances: bool = False,
    ) -> None:
        row = OrderRow(
            client_order_id=order.client_order_id,
            venue_order_id=f"28{len(self.taken)}",
            report=report,
            filled=filled,
        )
        told = [self._balance("BTC"), self._balance("USDT")] if balances else []
        self.sink.facts([OrderReported(venue=VENUE, row=row), *told])

    def _balance(self, currency: str) -> BalanceReported:
        return BalanceReported(
            venue=VENUE,
            account=ACCOUNT,
            currency=currency,
            free=self._total[currency] - self._locked(currency),
            total=self._total[currency],
        )

    def _locked(self, currency: str) -> Decimal:
        """What the order that works, of which there is one at a time, keeps of a currency."""
        order = self._working
        if order is None or (order.side is Side.BUY) is not (currency == "USDT"):
            return Decimal(0)
        return order.quantity if order.spend is None else order.spend

    def _state(self, state: VenueState) -> None:
        may = True if state is VenueState.READY else None
        self.sink.facts([VenueChanged(venue=VENUE, state=state, can_trade=may)])

    def _soon(self, step: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_soon(step)


Act = Callable[["Play"], Any]


class Play:
    """A whole engine at the played exchange, live or on paper; the clock stands still."""

    def __init__(self, folder: Path, mode: str) -> None:
        self._mode = mode
        self._file = folder / f"{mode}.sqlite"
        self.clock = ManualClock(NOON)

    async def run(self, *acts: Act) -> list[dict[str, Any]]:
        """Play acts and return the journal's rows."""
        self.journal = await Journal.open(self._file)
        self.engine = Engine(mode=self._mode, journal=self.journal, clock=self.clock)
        venue: Venue
        if self._mode == "live":
            venue = self._exchange(self.engine)
        else:
            venue = PaperFills(VENUE, self.engine, make=self._exchange, clock=self.clock.now)
        self.engine.use(venues={VENUE: venue})
        self.engine.start(
            ConfigApplied(armed=True, options=None, strategies=(), allocation=SETTINGS)
        )
        running = asyncio.create_task(venue.run())
        await self._settled()
        for act in acts:
            answer = act(self)
            if answer is not None:
                await answer
            await self._settled()
        self.engine.stop()
        await cancelled([running])
        await self.engine.drained()
        rows = [as_document(entry) for entry in await self.journal.read(limit=10_000)]
        await self.journal.close()
        return rows

    def _exchange(self, sink: VenueSink) -> PlayedExchange:
        self.exchange = PlayedExchange(sink, self.clock)
        return self.exchange

    async def _settled(self) -> None:
        """Let everything that was set in motion come to its end."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
            await self.engine.drained()


def without_names(row: dict[str, Any], mode: str) -> dict[str, Any]:
    """A row of the journal without what two runs may differ in."""
    found = {key: row[key] for key in ("batch", "at", "name")}
    return {**found, "body": _plain(row["body"], mode)}


def _plain(value: Any, mode: str) -> Any:
    if isinstance(value, list):
        return [_plain(one, mode) for one in value]
    if isinstance(value, dict):
        kept = {
            key: _plain(one, mode)
            for key, one in value.items()
            if key not in ("execution_id", "venue_order_id", "mode")
        }
        if kept.get("detail") == "fills are simulated":
            kept["detail"] = ""
        return kept
    if isinstance(value, str) and value.startswith(f"{mode.upper()} BUY"):
        return value.removeprefix(mode.upper())
    return value


QUIET = [49950.0, 50050.0] * 6
SPIKE: tuple[Act, ...] = (
    lambda play: play.exchange.quote(50260.0),
    lambda play: play.exchange.bars(*QUIET, 50260.0),
)


def fall(play: Play) -> None:
    """The next bar falls below the mean: a reversal."""
    play.clock.advance(60)
    play.exchange.bars(49990.0)


def close_by_hand(play: Play) -> Any:
    fact = CloseRequested(request_id="r1", strategy_id=BTC.ref, emergency=True, by="me")
    return play.engine.ask(fact, "r1")


def again(play: Play) -> None:
    play.clock.advance(60)
    play.exchange.bars(58500.0)


@pytest.mark.parametrize(
    ("way_out", "told"),
    [
        ((lambda play: play.exchange.quote(57800.0),), "closed, take profit"),
        ((lambda play: play.exchange.quote(49000.0),), "closed, stop loss"),
        ((lambda play: play.exchange.quote(49999.98), fall), "closed, reversal"),
        ((close_by_hand,), "closed, emergency"),
        ((lambda play: play.exchange.quote(57800.0), again), "closed, take profit"),
    ],
    ids=["target", "stop", "reversal", "by hand", "twice"],
)
async def test_the_same_quotes_and_fills_give_the_same_journal(
    tmp_path: Path, way_out: tuple[Act, ...], told: str
) -> None:
    live, paper = Play(tmp_path, "live"), Play(tmp_path, "paper")
    ours = await live.run(*SPIKE, *way_out)
    theirs = await paper.run(*SPIKE, *way_out)
    assert [without_names(row, "live") for row in ours] == [
        without_names(row, "paper") for row in theirs
    ]
    assert any(told in row["text"] for row in ours)
    assert len(live.exchange.taken) >= 2
    assert paper.exchange.taken == []

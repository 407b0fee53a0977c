"""What the attach tests share: a clock moved by hand, a small engine, a client of raw bytes."""

import asyncio
import heapq
import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from engine.attach import Caller, Reply, Request
from engine.attach.protocol import unpacked
from engine.desk.facts import OrderType, Side, VenueState
from engine.desk.instruments import Right
from engine.desk.intents import Purpose, Severity
from engine.desk.snapshot import (
    AlertView,
    AllocationView,
    AssignmentKind,
    AssignmentState,
    AssignmentTiming,
    AssignmentView,
    BarrierView,
    LegView,
    OrderState,
    OrderView,
    PlanLineView,
    ReservationView,
    Snapshot,
    StrategyStatus,
    StrategyView,
    TrailingView,
    VenueView,
)

NOON = datetime(2026, 11, 20, 12, 0, 0, 250000, tzinfo=UTC)


class HandTimers:
    """Stands for a loop's clock; time passes only in advance()."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._order = count()
        self._due: list[tuple[float, int, _HandTimer]] = []

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[[], object], /) -> "_HandTimer":
        timer = _HandTimer(callback)
        heapq.heappush(self._due, (self._now + delay, next(self._order), timer))
        return timer

    def advance(self, seconds: float) -> None:
        end = self._now + seconds
        while self._due and self._due[0][0] <= end:
            self._now, _, timer = heapq.heappop(self._due)
            if not timer.cancelled:
                timer.callback()
        self._now = end


@dataclass
class _HandTimer:
    callback: Callable[[], object]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


@dataclass
class Engine:
    """The least an attach server needs behind it."""

    snapshot: Snapshot
    taken: list[tuple[Request, Caller]] = field(default_factory=list)
    looked: int = 0

    def latest(self) -> Snapshot:
        self.looked += 1
        return self.snapshot

    async def handle(self, request: Request, caller: Caller) -> Reply:
        self.taken.append((request, caller))
        return request.done("done", {"about": request.about.type})

    def move(self, mode: str) -> None:
        """Change the picture so that a reader can tell it from the one before."""
        self.snapshot = replace(self.snapshot, mode=mode)


class Raw:
    """A client that can say anything."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, path: Path) -> "Raw":
        return cls(*await asyncio.open_unix_connection(path, limit=64 * 1024 * 1024))

    @classmethod
    async def welcomed(cls, path: Path, role: str = "control") -> "Raw":
        raw = await cls.connect(path)
        raw.say(hello(role=role))
        assert (await raw.hear())["type"] == "welcome"
        return raw

    def say(self, message: Any) -> None:
        self.say_bytes(json.dumps(message).encode())

    def say_bytes(self, body: bytes) -> None:
        self.writer.write(len(body).to_bytes(4, "big") + body)

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(5):
            length = int.from_bytes(await self.reader.readexactly(4), "big")
            body = unpacked(await self.reader.readexactly(length))
            message: dict[str, Any] = json.loads(body)
            return message

    async def hear_end(self) -> None:
        async with asyncio.timeout(5):
            with suppress(ConnectionError):
                assert await self.reader.read() == b""

    def stop_reading(self) -> None:
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()

    def read_again(self) -> None:
        transport = self.writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.resume_reading()

    async def leave(self) -> None:
        self.writer.transport.abort()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


def hello(**changed: Any) -> dict[str, Any]:
    return {"type": "hello", "protocol": 1, "role": "control", "client": "test", **changed}


def request(about: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {
        "type": "request",
        "id": secrets.token_hex(8),
        "nonce": secrets.token_hex(16),
        "issued_at": datetime.now(UTC).isoformat(),
        "expires_in_seconds": 5,
        "about": about,
        **changed,
    }


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is so."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def turns(number: int = 20) -> None:
    """Let what can happen now happen."""
    for _ in range(number):
        await asyncio.sleep(0)


def leg(strike: str = "440") -> LegView:
    return LegView(
        right=Right.PUT,
        strike=Decimal(strike),
        expiry=date(2026, 12, 18),
        expected=Decimal(-2),
        held=Decimal(-1),
        bid=1.25,
        ask=None,
    )


def strategy(number: int = 1, legs: int = 4) -> StrategyView:
    line = PlanLineView(
        instrument="SPY 18Dec26 440 P",
        side=Side.BUY,
        quantity=Decimal(2),
        purpose=Purpose.BUY_BACK_SHORT,
        reason="the short leg goes first",
        estimated_price=1.3,
    )
    return StrategyView(
        id=f"SPY-IC-{number}",
        kind="iron_condor",
        underlying="SPY",
        venue="ibkr",
        account="DU1234567",
        status=StrategyStatus.BROKEN,
        reason="one put was assigned",
        dte=10,
        legs=tuple(leg(str(440 + index)) for index in range(legs)),
        shares=Decimal("1E+2"),
        plan=(line,),
        underlying_price=450.1,
    )


def empty(mode: str = "demo") -> Snapshot:
    return Snapshot(mode=mode, armed=True, started_at=NOON, at=NOON)


def large(strategies: int) -> Snapshot:
    """A picture that stays large when it is packed: its reasons are noise."""
    return replace(
        empty(),
        strategies=tuple(
            replace(strategy(number), reason=Random(number).randbytes(400).hex())
            for number in range(strategies)
        ),
    )


def full() -> Snapshot:
    """A picture with every kind of record in it."""
    return Snapshot(
        mode="live",
        armed=False,
        started_at=NOON,
        at=NOON,
        venues=(
            VenueView(name="ibkr", kind="ib", state=VenueState.READY, detail="ok", age_seconds=0.5),
        ),
        strategies=(strategy(),),
        assignments=(
            AssignmentView(
                id="a1",
                venue="ibkr",
                account="DU1234567",
                instrument="SPY 18Dec26 440 P",
                kind=AssignmentKind.ASSIGNED,
                type=AssignmentTiming.EARLY,
                quantity=Decimal(2),
                strategy_id="SPY-IC-1",
                detected_at=NOON,
                state=AssignmentState.CLOSING,
            ),
        ),
        barriers=(
            BarrierView(
                id="b1",
                venue="kraken",
                instrument="BTC-USD",
                side=Side.SELL,
                quantity=Decimal("0.001"),
                entry_price=Decimal("97000.5"),
                mark_price=None,
                stop_loss=Decimal("99000"),
                take_profit=None,
                trailing=TrailingView(activation=Decimal("0.03"), active=False, trigger=None),
                time_limit_at=NOON,
                state="WATCHING",
                close_type=None,
            ),
        ),
        allocation=AllocationView(
            totalBalance=1000.0,
            totalReserved=250.5,
            availableBalance=749.5,
            allocationPercentage=33.3,
            reservations=(
                ReservationView(
                    symbol="BTCUSDT", reservedAmount=250.5, timestamp=NOON, orderId=None
                ),
            ),
        ),
        orders=(
            OrderView(
                id="o1",
                venue="ibkr",
                account="DU1234567",
                instrument="SPY",
                side=Side.SELL,
                quantity=Decimal(200),
                filled=Decimal(0),
                type=OrderType.LIMIT,
                limit_price=Decimal("449.95"),
                state=OrderState.UNKNOWN,
                purpose=Purpose.FLATTEN_SHARES,
                strategy_id=None,
                at=NOON,
            ),
        ),
        alerts=(
            AlertView(
                id="n1",
                severity=Severity.CRITICAL,
                title="Assigned",
                at=NOON,
                acknowledged=False,
                body="two puts",
            ),
        ),
    )

"""Pictures of a desk for tests of the terminal: fixed instants, every state at least once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from engine.desk.facts import OrderType, Side, VenueState
from engine.desk.instruments import Right
from engine.desk.intents import Purpose, Severity
from engine.desk.snapshot import (
    AlertView,
    AllocationSetView,
    AllocationView,
    AssignmentKind,
    AssignmentState,
    AssignmentTiming,
    AssignmentView,
    BarrierView,
    CandidateView,
    DifferenceView,
    LegView,
    OrderState,
    OrderView,
    PlanLineView,
    PositionView,
    ReservationView,
    SetState,
    Snapshot,
    StrategyStatus,
    StrategyView,
    TrailingView,
    VenueView,
)

NOW = datetime(2026, 11, 20, 15, 4, 31, tzinfo=UTC)
EXPIRY = date(2026, 12, 18)


def leg(right: str, strike: str, expected: int, held: int, bid: float, ask: float) -> LegView:
    return LegView(
        right=Right(right),
        strike=Decimal(strike),
        expiry=EXPIRY,
        expected=Decimal(expected),
        held=Decimal(held),
        bid=bid,
        ask=ask,
    )


def plan_line(
    instrument: str, side: Side, quantity: int, purpose: Purpose, reason: str, price: float
) -> PlanLineView:
    return PlanLineView(
        instrument=instrument,
        side=side,
        quantity=Decimal(quantity),
        purpose=purpose,
        reason=reason,
        estimated_price=price,
        multiplier=Decimal(1) if purpose is Purpose.FLATTEN_SHARES else Decimal(100),
    )


BROKEN_PLAN = (
    plan_line(
        "SPY",
        Side.SELL,
        200,
        Purpose.FLATTEN_SHARES,
        "assigned shares, no part of the strategy",
        439.08,
    ),
    plan_line(
        "SPY 18Dec26 460 C",
        Side.BUY,
        2,
        Purpose.BUY_BACK_SHORT,
        "uncovered once the shares are sold",
        0.43,
    ),
    plan_line(
        "SPY 18Dec26 435 P",
        Side.SELL,
        2,
        Purpose.SELL_LONG,
        "protects nothing any more",
        4.15,
    ),
    plan_line(
        "SPY 18Dec26 465 C",
        Side.SELL,
        2,
        Purpose.SELL_LONG,
        "after the short call is bought back",
        0.19,
    ),
)

BROKEN = StrategyView(
    id="SPY-IC-1",
    kind="iron_condor",
    underlying="SPY",
    venue="ibkr",
    account="DU1234567",
    status=StrategyStatus.BROKEN,
    reason="short put 440 was assigned early: 200 shares appeared",
    dte=28,
    legs=(
        leg("P", "440", -2, 0, 6.35, 6.41),
        leg("P", "435", 2, 2, 4.15, 4.22),
        leg("C", "460", -2, -2, 0.41, 0.43),
        leg("C", "465", 2, 2, 0.19, 0.21),
    ),
    shares=Decimal(200),
    plan=BROKEN_PLAN,
    underlying_price=439.10,
)

INTACT = StrategyView(
    id="QQQ-PCS-2",
    kind="put_credit_spread",
    underlying="QQQ",
    venue="ibkr",
    account="DU1234567",
    status=StrategyStatus.INTACT,
    reason="",
    dte=28,
    legs=(leg("P", "380", -5, -5, 1.12, 1.15), leg("P", "370", 5, 5, 0.71, 0.74)),
    shares=Decimal(0),
    plan=(
        plan_line(
            "QQQ 18Dec26 380 P", Side.BUY, 5, Purpose.BUY_BACK_SHORT, "short leg first", 1.15
        ),
        plan_line(
            "QQQ 18Dec26 370 P", Side.SELL, 5, Purpose.SELL_LONG, "after the short leg", 0.71
        ),
    ),
    underlying_price=402.33,
)

COVERED_CALL = replace(
    INTACT,
    id="AAPL-CC",
    kind="covered_call",
    underlying="AAPL",
    dte=1,
    legs=(leg("C", "240", -1, -1, 2.05, 2.10),),
    shares=Decimal(100),
    plan=(),
    underlying_price=238.42,
)

CLOSING = replace(
    INTACT,
    id="IWM-IC-4",
    kind="iron_condor",
    underlying="IWM",
    status=StrategyStatus.CLOSING,
    reason="one day to expiry",
    dte=1,
    legs=(
        leg("P", "210", -3, 0, 0.55, 0.58),
        leg("P", "205", 3, 3, 0.22, 0.25),
        leg("C", "230", -3, -2, 0.61, 0.66),
        leg("C", "235", 3, 3, 0.20, 0.24),
    ),
    underlying_price=219.87,
    plan=(),
)

ALERTS = (
    AlertView(
        id="al-1",
        severity=Severity.CRITICAL,
        title="SPY-IC-1 is broken: short put 440 assigned early",
        at=NOW - timedelta(seconds=9),
        acknowledged=False,
        body="2 contracts of SPY 18Dec26 440 P are gone and 200 shares of SPY appeared.\n"
        "4 orders would close what is left.",
    ),
    AlertView(
        id="al-2",
        severity=Severity.WARNING,
        title="IWM-IC-4 expires in one day: closing",
        at=NOW - timedelta(minutes=12),
        acknowledged=True,
    ),
    AlertView(
        id="al-3",
        severity=Severity.INFO,
        title="ibkr is ready: 13 positions in 1 account",
        at=NOW - timedelta(hours=2),
        acknowledged=True,
    ),
)

ASSIGNMENTS = (
    AssignmentView(
        id="as-1",
        venue="ibkr",
        account="DU1234567",
        instrument="SPY 18Dec26 440 P",
        kind=AssignmentKind.ASSIGNED,
        type=AssignmentTiming.EARLY,
        quantity=Decimal(2),
        strategy_id="SPY-IC-1",
        detected_at=NOW - timedelta(seconds=10),
        state=AssignmentState.WAITING,
        evidence="position -2 -> 0 and SPY +200 within one batch; no execution of ours explains it",
    ),
    AssignmentView(
        id="as-0",
        venue="ibkr",
        account="DU1234567",
        instrument="AAPL 20Nov26 230 C",
        kind=AssignmentKind.EXPIRED,
        type=AssignmentTiming.EXPIRATION,
        quantity=Decimal(1),
        strategy_id=None,
        detected_at=NOW - timedelta(days=1),
        state=AssignmentState.NOTED,
    ),
)


def order(name: str, instrument: str, side: Side, filled: int, state: OrderState) -> OrderView:
    return OrderView(
        id=name,
        venue="ibkr",
        account="DU1234567",
        instrument=instrument,
        side=side,
        quantity=Decimal(3),
        filled=Decimal(filled),
        type=OrderType.LIMIT,
        limit_price=Decimal("0.66"),
        state=state,
        purpose=Purpose.BUY_BACK_SHORT,
        strategy_id="IWM-IC-4",
        at=NOW,
    )


ORDERS = (
    order("o-1", "IWM 21Nov26 230 C", Side.BUY, 1, OrderState.WORKING),
    order("o-2", "IWM 21Nov26 210 P", Side.BUY, 3, OrderState.FILLED),
    replace(
        order("o-3", "IWM 21Nov26 205 P", Side.SELL, 0, OrderState.HELD),
        limit_price=None,
        type=None,
        reason="waits for the short leg",
    ),
)

IBKR = VenueView(
    name="ibkr",
    kind="ib",
    state=VenueState.READY,
    detail="",
    age_seconds=0.4,
    can_trade=True,
)

SETS = (
    AllocationSetView(
        symbol="BTCUSDT",
        percent=Decimal("33.3"),
        threshold=Decimal("5.0"),
        z_score=2.41,
        bars_seen=100,
        bars_needed=100,
        state=SetState.IN_POSITION,
        reserved=Decimal("333.30"),
        quantity=Decimal("0.00357"),
        entry_price=Decimal("93200"),
        mark_price=Decimal("95410.5"),
        take_profit=Decimal("107180"),
        stop_loss=Decimal("91336"),
        would_keep="0.00357 is held between its OCO",
    ),
    AllocationSetView(
        symbol="ETHUSDT",
        percent=Decimal("33.3"),
        threshold=Decimal("6.0"),
        z_score=6.12,
        bars_seen=100,
        bars_needed=100,
        state=SetState.BUYING,
        reserved=Decimal("333.30"),
        quantity=Decimal(0),
        entry_price=None,
        mark_price=Decimal("3188.2"),
        take_profit=None,
        stop_loss=None,
    ),
    AllocationSetView(
        symbol="BNBUSDT",
        percent=Decimal("33.3"),
        threshold=Decimal("7.0"),
        z_score=None,
        bars_seen=43,
        bars_needed=100,
        state=SetState.WAITING,
        reserved=Decimal(0),
        quantity=Decimal(0),
        entry_price=None,
        mark_price=Decimal("640.1"),
        take_profit=None,
        stop_loss=None,
    ),
)

ALLOCATION = AllocationView(
    totalBalance=1000.0,
    totalReserved=666.6,
    availableBalance=333.4,
    allocationPercentage=66.66,
    reservations=(
        ReservationView(
            symbol="BTCUSDT",
            reservedAmount=333.3,
            timestamp=NOW - timedelta(minutes=40),
            orderId="12345",
        ),
        ReservationView(
            symbol="ETHUSDT",
            reservedAmount=333.3,
            timestamp=NOW - timedelta(seconds=3),
            orderId=None,
        ),
    ),
    venue="binance",
    currency="USDT",
    sets=SETS,
)

BARRIERS = (
    BarrierView(
        id="kraken-1",
        venue="kraken",
        instrument="BTC-USD",
        side=Side.BUY,
        quantity=Decimal("0.125"),
        entry_price=Decimal("91200"),
        mark_price=Decimal("93415.5"),
        stop_loss=Decimal("86640"),
        take_profit=Decimal("100320"),
        trailing=TrailingView(activation=Decimal("93936"), active=False, trigger=None),
        time_limit_at=NOW + timedelta(hours=3, minutes=12),
        state="HOLDING",
        close_type=None,
        account="main",
        gross=Decimal("276.94"),
        net=Decimal("271.24"),
        fees=Decimal("5.70"),
        since=NOW - timedelta(minutes=48),
        set_by="the assignment manager of kraken",
        resident_stop=Decimal("86640"),
    ),
    BarrierView(
        id="kraken-2",
        venue="kraken",
        instrument="ETH-USD",
        side=Side.SELL,
        quantity=Decimal("3.5"),
        entry_price=Decimal("3100"),
        mark_price=Decimal("3188.2"),
        stop_loss=Decimal("3255"),
        take_profit=Decimal("2790"),
        trailing=None,
        time_limit_at=NOW + timedelta(minutes=14),
        state="HOLDING",
        close_type=None,
        account="main",
        gross=Decimal("-308.70"),
        net=Decimal("-314.13"),
        fees=Decimal("5.43"),
        since=NOW - timedelta(minutes=6),
        set_by="the assignment manager of kraken",
    ),
    BarrierView(
        id="kraken-3",
        venue="kraken",
        instrument="SOL-USD",
        side=Side.BUY,
        quantity=Decimal("40"),
        entry_price=Decimal("180"),
        mark_price=Decimal("188.4"),
        stop_loss=Decimal("171"),
        take_profit=None,
        trailing=TrailingView(activation=Decimal("185.4"), active=True, trigger=Decimal("187.2")),
        time_limit_at=None,
        state="HOLDING",
        close_type=None,
        account="main",
        gross=Decimal("336.00"),
        net=Decimal("332.40"),
        fees=Decimal("3.60"),
        since=NOW - timedelta(hours=5),
        set_by="alice",
    ),
)

POSITIONS = (
    *(
        PositionView(
            venue="kraken",
            account="main",
            ref=f"PF_{barrier.instrument[:3]}USD",
            instrument=barrier.instrument,
            quantity=barrier.quantity * barrier.side.sign,
            entry_price=barrier.entry_price,
            mark_price=barrier.mark_price,
            barrier_id=barrier.id,
        )
        for barrier in BARRIERS
    ),
    PositionView(
        venue="kraken",
        account="main",
        ref="PF_LTCUSD",
        instrument="LTC-USD",
        quantity=Decimal("-12"),
        entry_price=Decimal("98.40"),
        mark_price=Decimal("97.15"),
    ),
)

CANDIDATES = (
    CandidateView(
        id="TLT-VS-1",
        kind="vertical",
        underlying="TLT",
        venue="ibkr",
        account="DU1234567",
        legs=(leg("P", "90", -4, -4, 0.84, 0.87), leg("P", "88", 4, 4, 0.41, 0.43)),
    ),
)

DIFFERENCES = (
    DifferenceView(
        venue="ibkr",
        account="DU1234567",
        instrument="QQQ",
        expected=Decimal(0),
        held=Decimal(100),
        explained_by="",
    ),
)

KRAKEN = VenueView(
    name="kraken",
    kind="ccxt",
    state=VenueState.READY,
    detail="",
    age_seconds=0.2,
    can_trade=True,
)
BINANCE = replace(KRAKEN, name="binance", age_seconds=0.6)

EMPTY = Snapshot(
    mode="paper", armed=True, started_at=NOW - timedelta(minutes=1), at=NOW, venues=(IBKR,)
)

CALM = replace(
    EMPTY, strategies=(INTACT, COVERED_CALL), alerts=ALERTS[1:], assignments=ASSIGNMENTS[1:]
)

TROUBLE = replace(
    EMPTY,
    mode="demo",
    started_at=NOW - timedelta(hours=3),
    strategies=(INTACT, BROKEN, CLOSING, COVERED_CALL),
    assignments=ASSIGNMENTS,
    orders=ORDERS,
    alerts=ALERTS,
)

EVERYTHING = replace(
    TROUBLE,
    mode="live",
    venues=(IBKR, KRAKEN, BINANCE),
    barriers=BARRIERS,
    positions=POSITIONS,
    allocation=ALLOCATION,
    candidates=CANDIDATES,
    differences=DIFFERENCES,
)

STALE = replace(
    EVERYTHING,
    venues=(
        IBKR,
        replace(KRAKEN, state=VenueState.STALE, detail="no message", age_seconds=42.0),
        replace(BINANCE, state=VenueState.DOWN, detail="refused", age_seconds=310.0),
    ),
)

PERPS_ONLY = replace(EMPTY, mode="demo", venues=(KRAKEN,), barriers=BARRIERS, positions=POSITIONS)


def many(count: int) -> Snapshot:
    """So many strategies and so many barriers, named by their number."""
    return replace(
        EVERYTHING,
        strategies=tuple(
            replace(BROKEN if n == 0 else INTACT, id=f"S-{n:04}") for n in range(count)
        ),
        barriers=tuple(
            replace(BARRIERS[n % 3], id=f"B-{n:04}", instrument=f"C{n:04}-USD")
            for n in range(count)
        ),
        positions=(),
        orders=(),
    )


HOSTILE_TEXT = "[@click=app.close_all]x[/foo]\x1b[31m\x1b]52;c;aGk=\x07\u202egnol\u2066\x9b2J\r\n"
HOSTILE = replace(
    EVERYTHING,
    venues=(replace(IBKR, name=HOSTILE_TEXT), *EVERYTHING.venues[1:]),
    strategies=(
        replace(
            BROKEN,
            id=HOSTILE_TEXT,
            kind=HOSTILE_TEXT,
            underlying=HOSTILE_TEXT,
            venue=HOSTILE_TEXT,
            account=HOSTILE_TEXT,
            reason=HOSTILE_TEXT,
            plan=tuple(
                replace(planned, instrument=HOSTILE_TEXT, reason=HOSTILE_TEXT)
                for planned in BROKEN_PLAN
            ),
        ),
    ),
    assignments=(
        replace(
            ASSIGNMENTS[0],
            instrument=HOSTILE_TEXT,
            evidence=HOSTILE_TEXT,
            strategy_id=HOSTILE_TEXT,
            venue=HOSTILE_TEXT,
        ),
    ),
    alerts=(replace(ALERTS[0], title=HOSTILE_TEXT, body=HOSTILE_TEXT),),
    orders=(
        replace(ORDERS[2], instrument=HOSTILE_TEXT, reason=HOSTILE_TEXT, strategy_id=HOSTILE_TEXT),
    ),
    barriers=(
        replace(
            BARRIERS[0],
            id=HOSTILE_TEXT,
            instrument=HOSTILE_TEXT,
            state=HOSTILE_TEXT,
            reason=HOSTILE_TEXT,
            set_by=HOSTILE_TEXT,
            account=HOSTILE_TEXT,
            venue=HOSTILE_TEXT,
        ),
    ),
    positions=(
        replace(POSITIONS[0], instrument=HOSTILE_TEXT, barrier_id=HOSTILE_TEXT),
        replace(
            POSITIONS[3],
            instrument=HOSTILE_TEXT,
            ref=HOSTILE_TEXT,
            venue=HOSTILE_TEXT,
            account=HOSTILE_TEXT,
        ),
    ),
    candidates=(
        replace(
            CANDIDATES[0],
            id=HOSTILE_TEXT,
            kind=HOSTILE_TEXT,
            underlying=HOSTILE_TEXT,
            venue=HOSTILE_TEXT,
        ),
    ),
    differences=(replace(DIFFERENCES[0], instrument=HOSTILE_TEXT, explained_by=HOSTILE_TEXT),),
    allocation=replace(
        ALLOCATION,
        venue=HOSTILE_TEXT,
        currency=HOSTILE_TEXT,
        sets=(replace(SETS[0], symbol=HOSTILE_TEXT, would_keep=HOSTILE_TEXT, reason=HOSTILE_TEXT),),
        reservations=(
            replace(ALLOCATION.reservations[0], symbol=HOSTILE_TEXT, orderId=HOSTILE_TEXT),
        ),
    ),
)

"""Many assignments in one packet: every close reaches the broker before any question does, and what
is most at risk goes first where the message budget is short."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from msgspec import structs

from engine.desk.options.definitions import StrategyDefinition
from engine.desk.snapshot import AssignmentKind, StrategyStatus
from tests.engine.desk.world import definition
from tests.engine.desk.world import option as contract
from tests.engine.service.house import ACCOUNT, MORNING, NIGHT, House
from tests.fakes.tws.hours import open_around, session
from tests.fakes.tws.records import Position, Right, Scene, option, stock
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import EXPIRY, MARKET_RULES, quote

FIRST_STOCK, FIRST_PUT, FIRST_CALL = 910_000, 920_000, 930_000


def many(count: int, now: datetime, *, calls: int = 0) -> Scene:
    """A short put in each of many underlyings, and short calls beside it; stock trades now,
    options as regular hours are."""
    regular = session(MORNING, MORNING + timedelta(hours=6.5))
    open_now = open_around(now)
    stocks = [stock(FIRST_STOCK + n, f"U{n}") for n in range(count)]
    held = {
        option(FIRST_PUT + n, one, Right.PUT, Decimal(440), EXPIRY): -1
        for n, one in enumerate(stocks)
    } | {
        option(FIRST_CALL + n, one, Right.CALL, Decimal(460), EXPIRY): -1
        for n, one in enumerate(stocks[:calls])
    }
    return Scene(
        accounts=(ACCOUNT,),
        instruments=(
            *(replace(one, trading_hours=open_now, liquid_hours=regular) for one in stocks),
            *(replace(one, trading_hours=regular, liquid_hours=regular) for one in held),
        ),
        positions=tuple(
            Position(account=ACCOUNT, con_id=one.con_id, quantity=Decimal(quantity))
            for one, quantity in held.items()
        ),
        quotes=(
            *((one.con_id, quote("449.98", "450.02")) for one in stocks),
            *((one.con_id, quote("4.10", "4.15")) for one in held),
        ),
        market_rules=MARKET_RULES,
    )


def declared(count: int, *, calls: int = 0) -> tuple[StrategyDefinition, ...]:
    put, call = contract("P", 440, "1"), contract("C", 460, "2")
    return tuple(
        structs.replace(
            definition(
                f"S{n}",
                "strangle" if n < calls else "single",
                {put: Decimal(-1)} | ({call: Decimal(-1)} if n < calls else {}),
            ),
            underlying=f"U{n}",
        )
        for n in range(count)
    )


async def test_ten_in_one_packet_are_ten_closes_before_any_question(tmp_path: Path) -> None:
    async with House(tmp_path, scene=many(10, NIGHT), strategies=declared(10)) as house:
        # Nothing that connecting asked for is still on its way.
        await house.until(lambda s: len(house.tap.quoted) == 20 and bool(s.accounts))
        known = len(house.tws.received)
        house.tws.assign_together(tuple(FIRST_PUT + n for n in range(10)))
        snapshot = await house.until(lambda s: all(x.status == "CLOSED" for x in s.strategies))
        assert [a.kind for a in snapshot.assignments] == [AssignmentKind.ASSIGNED] * 10
        arrived = list(house.tws.received)[known:]
        assert [int(one.fields[0]) for one in arrived[:10]] == [Ask.PLACE_ORDER] * 10
        assert sorted(house.sent()) == sorted(f"SELL 100 {FIRST_STOCK + n}" for n in range(10))
        assert house.held() == {}


async def test_more_than_the_budget_takes_flattens_all_shares_before_any_option(
    tmp_path: Path,
) -> None:
    scene = many(14, MORNING, calls=14)
    async with House(
        tmp_path, now=MORNING, scene=scene, strategies=declared(14, calls=14)
    ) as house:
        house.tws.assign_together(tuple(FIRST_PUT + n for n in range(14)))
        await house.reconciled()
        await house.until(lambda s: all(x.status is StrategyStatus.CLOSED for x in s.strategies))
        sent = house.sent()
        assert len(sent) == 28
        assert all(one.startswith("SELL 100 ") for one in sent[:14])
        assert all(one.startswith("BUY 1 ") for one in sent[14:])
        assert house.held() == {}

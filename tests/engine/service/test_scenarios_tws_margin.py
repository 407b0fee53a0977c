"""Margin and account values through the loopback TWS: shown beside the plan, in nobody's way."""

from decimal import Decimal
from pathlib import Path

from engine.attach import status_document
from engine.desk.snapshot import StrategyStatus
from tests.engine.service.house import ACCOUNT, MORNING, House
from tests.fakes.tws.policy import reject
from tests.fakes.tws.scenes import CALL_460, PUT_440, SPY
from tui.rows.closing import Kind, Target, closing_of
from tui.rows.sheets import plan_rows


def sheet(house: House) -> str:
    closing = closing_of(house.engine.snapshot(), Target(kind=Kind.STRATEGY, id="SPY-IC-1"))
    assert closing is not None
    return "\n".join(row.text for row in plan_rows([closing], width=120))


async def test_a_plan_that_waits_shows_its_margin_beside_each_line(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.tws.set_order_policy(reject(201), CALL_460)
        house.tws.assign(PUT_440)
        await house.tws.flat(SPY, ACCOUNT)
        await house.until(lambda s: bool(s.orders) and s.strategies[0].shares == 0)
        house.clock.advance(4)
        snapshot = await house.until(lambda s: all(x.margin for x in s.strategies[0].plan))
        lines = status_document(snapshot)["strategies"][0]["plan"]
        changes = {line["instrument"]: line["margin"]["maintenance_change"] for line in lines}
        assert changes == {
            "SPY 18Dec26 460 C": None,
            "SPY 18Dec26 435 P": "-450",
            "SPY 18Dec26 465 C": "-450",
        }
        text = sheet(house)
        assert "the venue would refuse it: 201: " in text
        assert "alone: maintenance margin -450.00, initial margin -500.00 USD" in text
        assert house.sent() == ["SELL 200 SPY"]
        assert [o.client_id for o in house.views()] == [17]


async def test_previews_leave_no_order_behind_and_the_close_goes_on(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        house.tws.assign(PUT_440)
        await house.tws.flat(SPY, ACCOUNT)
        await house.until(lambda s: bool(s.orders) and s.strategies[0].shares == 0)
        house.clock.advance(4)
        await house.until(lambda s: all(x.margin for x in s.strategies[0].plan))
        await house.restart()
        await house.described()
        await house.reconciled()
        assert len(house.engine.desk.floor.orders) == 1
        assert not house.engine.desk.floor.strays
        house.clock.advance(7 * 3600)
        house.tws.open_markets(at=MORNING)
        await house.status_is(StrategyStatus.CLOSED)
        assert sorted(house.sent()) == [
            "BUY 2 C460",
            "SELL 2 C465",
            "SELL 2 P435",
            "SELL 200 SPY",
        ]
        assert house.held() == {}


async def test_the_account_is_shown_as_its_broker_values_it(tmp_path: Path) -> None:
    async with House(tmp_path) as house:
        snapshot = await house.until(lambda s: bool(s.accounts))
        (account,) = status_document(snapshot)["accounts"]
        assert account.pop("at")
        assert account == {
            "venue": "ibkr",
            "account": ACCOUNT,
            "currency": "USD",
            "net_liquidation": "100000",
            "excess_liquidity": "98000",
            "maintenance_margin": "2000",
        }
        house.tws.set_account_value(ACCOUNT, "ExcessLiquidity", "-5.00", "USD")
        await house.until(lambda s: s.accounts[0].excess_liquidity == Decimal(-5))
        await house.restart()
        assert house.engine.snapshot().accounts[0].excess_liquidity == -5

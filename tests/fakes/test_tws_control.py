"""The loopback TWS in its own process, commanded over its control channel."""

import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from ib_insync import Contract, MarketOrder

from tests.fakes.channel import codec
from tests.fakes.channel.commands import commands_of
from tests.fakes.channel.control import Control, Refused, perform
from tests.fakes.tws import LoopbackTws, condor_scene, policy
from tests.fakes.tws.listener import connected_ib
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.records import (
    ExecutionTiming,
    OptionEvent,
    OrderRecord,
    Position,
    Quote,
    Rows,
    Scene,
    Side,
)
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import PUT_440, SPY, quote

RECORDS = [
    (OrderPolicy := policy.OrderPolicy, policy.partial(Decimal(1), Decimal("0.5"), times=3)),
    (OrderPolicy, policy.warn(10349, policy.Answer.FILL)),
    (Scene, condor_scene(now=datetime(2026, 11, 16, tzinfo=UTC))),
    (Quote, quote("1.05", "-1")),
    (tuple[policy.Row, ...], policy.POSITION_FIRST),
    (datetime | None, datetime(2026, 11, 16, 9, 30, tzinfo=UTC)),
    (timedelta, timedelta(hours=1.5)),
    (date | None, None),
    (Ask, Ask.POSITIONS),
]


@pytest.mark.parametrize(("hint", "record"), RECORDS)
def test_records_cross_the_channel_whole(hint: object, record: object) -> None:
    assert codec.from_json(hint, codec.to_json(record)) == record


@pytest.mark.parametrize(("hint", "value"), [(int, "1"), (bool, 1), (Position, {"nope": 1})])
def test_what_does_not_fit_is_refused(hint: object, value: object) -> None:
    with pytest.raises((codec.NotAllowed, TypeError)):
        codec.from_json(hint, value)


async def test_only_commands_can_be_called_and_only_with_their_arguments() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        with pytest.raises(LookupError):
            await perform(tws, "stop", {})
        with pytest.raises(TypeError):
            await perform(tws, "assign", {"self": 1, "con_id": PUT_440})
        assert await perform(tws, "connected_clients", {}) == []


def test_every_command_has_types_the_channel_can_carry() -> None:
    for name, method in commands_of(LoopbackTws).items():
        assert "return" in method.__annotations__, name


async def test_a_process_serves_a_client_and_obeys_control() -> None:
    with tws_process() as remote:
        remote_tws = _Address(remote.port)
        async with connected_ib(remote_tws) as ib:  # type: ignore[arg-type]
            control = remote.control
            assert control.connected_clients() == (7,)
            rows = ib.positionEvent
            event = control.assign(
                PUT_440, Decimal(1), rows=Rows.STOCK_FIRST, executions=ExecutionTiming.AFTER
            )
            await rows
            assert isinstance(event, OptionEvent)
            assert (event.shares, len(event.exec_ids)) == (Decimal(100), 2)
            assert event.second_row_ns is not None
            assert 0 < event.second_row_ns < time.monotonic_ns()
            order = MarketOrder("SELL", 100, tif="DAY", orderRef="flat")
            trade = ib.placeOrder(Contract(conId=SPY, exchange="SMART"), order)
            await trade.filledEvent
            (record,) = control.orders_reached(1)
            assert isinstance(record, OrderRecord)
            assert (record.order_ref, record.action) == ("flat", Side.SELL)
            assert event.second_row_ns < record.arrived_ns < time.monotonic_ns()
            control.set_order_policy(policy.reject(201), con_id=PUT_440)
            control.set_quote(SPY, quote("400", "401"))
            with pytest.raises(Refused):
                control.assign(con_id=1)
            with pytest.raises(Refused):
                control.clients_reached(5, within_seconds=0.01)
            with pytest.raises(AttributeError):
                control.stop()
            assert {held.con_id for held in control.positions()} >= {PUT_440}


def test_control_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - the system's own errors
        Control(tmp_path / "nobody.sock", LoopbackTws)


class _Address:
    """Where a TWS of another process listens."""

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port

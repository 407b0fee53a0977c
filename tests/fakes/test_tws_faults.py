"""The ways the loopback TWS misbehaves, and that ib_insync reads every one of them."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from ib_insync import Contract, LimitOrder

from tests.fakes.tws import LoopbackTws, condor_scene, hours
from tests.fakes.tws.listener import connected_ib, listening
from tests.fakes.tws.records import EndMark, Instrument, SecType
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import PUT_440, SPY

HOSTILE = "\x1b[31m]0;x\x07\u202egnp \u00e9\U0001f4a3 [bold]|,;%s{0}" + "A" * 3000


async def test_a_dropped_link_is_seen_and_mended() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        for reset in (False, True):
            async with connected_ib(tws) as ib:
                gone = ib.disconnectedEvent
                tws.drop_link(reset=reset)
                await gone
            await tws.clients_reached(0)


async def test_a_tws_that_does_not_listen_refuses_and_later_accepts() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        tws.stop_accepting()
        with pytest.raises(ConnectionRefusedError):
            async with listening(tws):
                pass
        await tws.resume_accepting()
        async with listening(tws) as listener:
            await listener.settled()


async def test_a_silent_tws_keeps_the_socket_and_says_nothing() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.go_silent()
        listener.client.reqPositions()
        order = LimitOrder("BUY", 2, 4.15, tif="DAY")
        listener.client.placeOrder(10, Contract(conId=PUT_440, exchange="SMART"), order)
        await tws.orders_reached(1)
        await tws.requests_reached(Ask.POSITIONS, 1)
        tws.speak()
        await listener.settled()
        assert listener.names("position", "openOrder", "execDetails") == []
        assert len(tws.book.executions) == 1
        tws.go_silent()
        with pytest.raises(asyncio.TimeoutError):
            async with connected_ib(tws, client_id=9, timeout_seconds=0.05):
                pass


async def test_a_snapshot_without_its_end_then_with_it() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.withhold_end(EndMark.POSITIONS)
        listener.client.reqPositions()
        await listener.settled()
        assert len(listener.of("position")) == 4
        assert listener.of("positionEnd") == []
        tws.restore_end(EndMark.POSITIONS)
        await listener.heard("positionEnd")


async def test_a_snapshot_cut_off_with_and_without_the_link() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.cut_snapshot(2)
        listener.client.reqPositions()
        await listener.settled()
        assert listener.names("position", "positionEnd") == ["position"] * 2
        tws.cut_snapshot(0, drop_link=True)
        listener.client.reqPositions()
        await listener.heard("connectionClosed")
        assert len(listener.of("position")) == 2


async def test_other_ends_can_be_withheld_too() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        for mark in EndMark:
            tws.withhold_end(mark)
        listener.client.reqAllOpenOrders()
        listener.client.reqCompletedOrders(False)
        listener.client.reqContractDetails(5, Contract(conId=SPY))
        listener.client.reqAccountUpdatesMulti(6, "DU1234567", "", False)
        await listener.settled()
        ends = ("openOrderEnd", "completedOrdersEnd", "contractDetailsEnd")
        assert listener.names(*ends, "accountUpdateMultiEnd") == []
        assert len(listener.of("accountUpdateMulti")) == 7
        for mark in EndMark:
            tws.restore_end(mark)
        await listener.settled()
        assert {*listener.names(*ends, "accountUpdateMultiEnd")} == {*ends, "accountUpdateMultiEnd"}


async def test_rows_repeated_five_times_and_zero_rows_in_the_snapshot() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.assign(PUT_440)
        tws.show_zero_rows()
        tws.repeat_rows(5)
        listener.client.reqPositions()
        await listener.heard("positionEnd")
        quantities = [args[2] for args in listener.of("position") if args[1].conId == PUT_440]
        assert quantities == [0] * 5
        assert len(listener.of("position")) == 25
        tws.resend_positions()
        await listener.settled()
        assert len(listener.of("position")) == 50


async def test_a_client_that_unsubscribed_hears_no_rows() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        listener.client.reqPositions()
        listener.client.cancelPositions()
        await listener.heard("positionEnd")
        tws.assign(PUT_440)
        await listener.settled()
        assert len(listener.of("position")) == 4


async def test_connectivity_messages_and_rows_muted_between_them() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        listener.client.reqPositions()
        await listener.heard("positionEnd")
        for code in (1100, 1100, 2110, 2103):
            tws.send_error(code)
        tws.mute_live_rows()
        tws.assign(PUT_440)
        tws.mute_live_rows(False)
        for code in (1101, 1102, 2148):
            tws.send_error(code)
        tws.send_error(10197, 12, "x")
        await listener.settled()
        codes = [code for _, code in listener.errors()]
        assert codes == [1100, 1100, 2110, 2103, 1101, 1102, 2148, 10197]
        assert len(listener.of("position")) == 4


async def test_hostile_text_passes_through_whole() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_instrument(
            Instrument(
                con_id=5,
                symbol=HOSTILE,
                sec_type=SecType.STOCK,
                long_name=HOSTILE + "\\",
                local_symbol="\udcff\udcfe",
                trading_class=HOSTILE,
            )
        )
        tws.set_position(replace(tws.positions()[0], con_id=5))
        tws.send_error(399, -1, HOSTILE)
        listener.client.reqContractDetails(9, Contract(conId=5))
        listener.client.reqPositions()
        await listener.settled()
        ((_, details),) = listener.of("contractDetails")
        assert details.contract.symbol == HOSTILE
        assert details.longName == HOSTILE + "\\"
        assert details.contract.localSymbol == "\\xff\\xfe"
        assert listener.of("error")[-1][2] == HOSTILE


async def test_a_client_that_is_no_client_is_cut_off() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        for garbage in (
            b"GET / HTTP/1.1\r\n\r\n" + b"\0" * 4_000_000,
            b"API\0\x00\x00\x00\x09v100..101",
            b"API\0\x00\x00\x00\x09v157..176\xff\xff\xff\xff",
        ):
            reader, writer = await asyncio.open_connection(tws.host, tws.port)
            writer.write(garbage)
            try:
                async with asyncio.timeout(5):
                    await reader.read()
            except ConnectionError:
                pass  # closed with our bytes unread: a reset, and cut off all the same
            finally:
                writer.close()
            await tws.wait_for(lambda: not tws._sessions)


def test_hours_open_around_and_closed_at() -> None:
    noon = datetime(2026, 7, 1, 16, 0, tzinfo=UTC)
    assert hours.open_around(noon) == "20260701:1000-20260701:1800"
    closed = hours.closed_at(noon, timedelta(hours=21, minutes=30))
    assert closed == "20260701:CLOSED;20260702:0930-20260702:1600"


def test_a_week_with_a_holiday_and_an_early_close() -> None:
    text = hours.week(
        date(2026, 11, 25),
        days=5,
        holidays=frozenset({date(2026, 11, 26)}),
        early_closes={date(2026, 11, 27): "1300"},
    )
    assert text == (
        "20261125:0930-20261125:1600;20261126:CLOSED;20261127:0930-20261127:1300;"
        "20261128:CLOSED;20261129:CLOSED"
    )


async def test_markets_close_and_open_on_command() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        tws.close_markets(at=datetime(2026, 7, 1, 16, 0, tzinfo=UTC))
        tws.set_hours("20260701:0400-20260701:2000", "20260701:CLOSED", SPY)
        (put,) = await ib.reqContractDetailsAsync(Contract(conId=PUT_440))
        (spy,) = await ib.reqContractDetailsAsync(Contract(conId=SPY))
        assert put.liquidHours.startswith("20260701:CLOSED;20260702:1800")
        assert (spy.tradingHours, spy.liquidHours) == (
            "20260701:0400-20260701:2000",
            "20260701:CLOSED",
        )
        tws.open_markets(PUT_440)
        (put,) = await ib.reqContractDetailsAsync(Contract(conId=PUT_440))
        assert "CLOSED" not in put.liquidHours


async def test_quantities_stay_exact() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_position(replace(tws.positions()[0], quantity=Decimal("-0.1")))
        listener.client.reqPositions()
        await listener.heard("positionEnd")
        assert listener.of("position")[0][2] == -0.1

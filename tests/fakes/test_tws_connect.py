"""The unmodified ib_insync against the loopback TWS: the ordinary day."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from ib_insync import IB, Contract, LimitOrder, MarketOrder, Option, Stock

from tests.fakes.tws import LoopbackTws, condor_scene
from tests.fakes.tws.listener import connected_ib, listening
from tests.fakes.tws.records import MarketDataAccess, Quote, Side
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import (
    CALL_460,
    PUT_435,
    PUT_440,
    SPY,
    cash_settled_scene,
    empty_scene,
    quote,
)

NOON = datetime(2026, 11, 16, 17, 0, tzinfo=UTC)


async def test_ib_sees_accounts_positions_and_values() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        assert ib.managedAccounts() == ["DU1234567"]
        held = {row.contract.conId: (row.position, row.avgCost) for row in ib.positions()}
        assert held[PUT_440] == (-2.0, 310.0)
        assert len(held) == 4
        assert {item.contract.conId for item in ib.portfolio()} == set(held)
        values = {(one.tag, one.value) for one in ib.accountValues()}
        assert ("NetLiquidation", "100000.00") in values


async def test_position_rows_of_options_name_no_exchange() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        assert {row.contract.exchange for row in ib.positions()} == {""}


async def test_contract_details_carry_hours_rules_and_underlying() -> None:
    async with LoopbackTws(condor_scene(now=NOON)) as tws, connected_ib(tws) as ib:
        (details,) = await ib.reqContractDetailsAsync(Contract(conId=PUT_440))
        assert details.contract.strike == 440.0
        assert details.contract.lastTradeDateOrContractMonth == "20261218"
        assert details.underConId == SPY
        assert details.underSecType == "STK"
        assert details.liquidHours == "20261116:1000-20261116:1800"
        assert details.timeZoneId == "US/Eastern"
        pairs = zip(
            details.validExchanges.split(","), details.marketRuleIds.split(","), strict=True
        )
        assert dict(pairs)["SMART"] == "32"
        steps = await ib.reqMarketRuleAsync(32)
        assert [(step.lowEdge, step.increment) for step in steps] == [(0.0, 0.01), (3.0, 0.05)]


async def test_contracts_are_found_by_description_too() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        chain = await ib.reqContractDetailsAsync(Option("SPY", "20261218", exchange="SMART"))
        assert len(chain) == 4
        spy, put = await ib.qualifyContractsAsync(
            Stock("SPY", "SMART", "USD"), Option("SPY", "20261218", 435, "P", "SMART")
        )
        assert (spy.conId, put.conId) == (SPY, PUT_435)


async def test_an_unknown_or_expired_contract_gets_200() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        tws.expire(PUT_440)
        codes: list[int] = []
        ib.errorEvent += lambda _req, code, _text, _contract: codes.append(code)
        assert await ib.reqContractDetailsAsync(Contract(conId=1)) == []
        assert await ib.reqContractDetailsAsync(Contract(conId=PUT_440)) == []
        assert codes == [200, 200]
        expired = Contract(conId=PUT_440, includeExpired=True)
        assert len(await ib.reqContractDetailsAsync(expired)) == 1


async def test_an_index_option_says_its_underlying_is_an_index() -> None:
    async with LoopbackTws(cash_settled_scene()) as tws, connected_ib(tws) as ib:
        (row, _) = ib.positions()
        (details,) = await ib.reqContractDetailsAsync(Contract(conId=row.contract.conId))
        assert (details.underSecType, details.underSymbol) == ("IND", "SPX")


async def test_quotes_arrive_and_follow() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        ticker = ib.reqMktData(Contract(conId=PUT_440, exchange="SMART"))
        await ticker.updateEvent
        assert (ticker.bid, ticker.ask, ticker.last, ticker.close) == (4.10, 4.15, 4.10, 4.15)
        assert ticker.marketDataType == 1
        tws.set_quote(PUT_440, quote("4.20", "4.30"))
        await ticker.updateEvent
        assert (ticker.bid, ticker.ask) == (4.20, 4.30)


async def test_a_snapshot_ends() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        (ticker,) = await ib.reqTickersAsync(Contract(conId=SPY, exchange="SMART"))
        assert (ticker.bid, ticker.ask) == (449.98, 450.02)


async def test_an_absent_side_is_minus_one_or_never_said() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_quote(PUT_440, Quote(bid=Decimal(-1), close=Decimal(4)))
        listener.client.reqMktData(50, Contract(conId=PUT_440), "", False, False, [])
        await listener.settled()
        assert listener.of("priceSizeTick") == [(50, 1, -1.0, 0.0), (50, 9, 4.0, 0.0)]


async def test_market_data_not_permitted_is_354_or_delayed_when_asked_for() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        tws.set_market_data_access(MarketDataAccess.DELAYED)
        listener.client.reqMktData(50, Contract(conId=PUT_440), "", False, False, [])
        listener.client.reqMarketDataType(3)
        listener.client.reqMktData(51, Contract(conId=PUT_440), "", False, False, [])
        await listener.settled()
        assert listener.errors() == [(50, 354), (51, 10167)]
        assert listener.of("marketDataType") == [(51, 3)]
        assert [tick for _, tick, _, _ in listener.of("priceSizeTick")] == [66, 67, 68, 75]
        listener.client.cancelMktData(51)
        await listener.settled()
        tws.set_quote(PUT_440, quote("1", "2"))
        await listener.settled()
        assert len(listener.of("priceSizeTick")) == 4


async def test_an_order_fills_and_its_execution_carries_its_reference() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        put = Contract(conId=PUT_440, exchange="SMART")
        order = LimitOrder("BUY", 2, 4.15, orderRef="bh-1", tif="DAY", account="DU1234567")
        trade = ib.placeOrder(put, order)
        await trade.filledEvent
        (record,) = await tws.orders_reached(1)
        assert (record.con_id, record.action, record.quantity) == (PUT_440, Side.BUY, Decimal(2))
        assert (record.order_type, record.limit_price) == ("LMT", Decimal("4.15"))
        assert (record.tif, record.order_ref, record.account) == ("DAY", "bh-1", "DU1234567")
        assert (record.outside_rth, record.what_if, record.transmit) == (False, False, True)
        (fill,) = trade.fills
        assert (fill.execution.orderRef, fill.execution.acctNumber) == ("bh-1", "DU1234567")
        assert fill.execution.clientId == 7
        assert fill.execution.permId == trade.order.permId > 0
        assert fill.commissionReport.commission == 1.0
        assert PUT_440 not in {row.contract.conId for row in ib.positions()}


async def test_arrival_is_stamped_and_flags_are_read() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        order = LimitOrder("SELL", 5, 900, outsideRth=True, tif="GTC", orderRef="r")
        ib.placeOrder(Stock("SPY", "SMART", "USD", conId=SPY), order)
        (record,) = await tws.orders_reached(1)
        assert record.outside_rth
        assert record.arrived_ns > 0
        assert (record.tif, record.symbol, len(record.fields)) == ("GTC", "SPY", 115)


async def test_a_new_client_learns_of_orders_and_fills_before_its_time() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        async with connected_ib(tws) as ib:
            resting = LimitOrder("BUY", 2, 1.00, orderRef="rests", tif="GTC")
            ib.placeOrder(Contract(conId=PUT_440, exchange="SMART"), resting)
            done = MarketOrder("BUY", 1, orderRef="done", tif="DAY")
            trade = ib.placeOrder(Contract(conId=CALL_460, exchange="SMART"), done)
            await trade.filledEvent
        await tws.clients_reached(0)
        async with connected_ib(tws) as again:
            (open_trade,) = again.openTrades()
            assert open_trade.order.orderRef == "rests"
            assert open_trade.orderStatus.status == "Submitted"
            (fill,) = again.fills()
            assert (fill.execution.orderRef, fill.execution.side) == ("done", "BOT")
            assert {one.order.orderRef for one in again.trades()} == {"rests", "done"}
            assert again.client.getReqId() > open_trade.order.orderId
        async with connected_ib(tws, client_id=8) as other:
            assert other.openTrades() == []
            (seen,) = await other.reqAllOpenOrdersAsync()
            assert (seen.order.orderRef, seen.order.clientId) == ("rests", 7)


async def test_a_what_if_order_answers_with_margin_and_leaves_nothing() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as ib:
        state = await ib.whatIfOrderAsync(
            Contract(conId=PUT_440, exchange="SMART"), LimitOrder("BUY", 2, 4.15)
        )
        assert (state.initMarginChange, state.commission) == ("-500.0", 1.0)
        assert tws.order_views() == ()
        assert tws.orders[0].what_if


async def test_a_client_id_in_use_gets_326_and_is_cut_off() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws) as first:
        make: Any = IB
        second = make()
        codes: list[int] = []
        second.errorEvent += lambda _req, code, _text, _contract: codes.append(code)
        gone = second.client.conn.disconnected
        attempt = asyncio.ensure_future(
            second.connectAsync(tws.host, tws.port, clientId=7, timeout=0.2)
        )
        await gone
        with pytest.raises(asyncio.TimeoutError):
            await attempt
        assert codes == [326]
        assert first.isConnected()
        assert tws.connected_clients() == (7,)


async def test_a_client_id_is_free_once_its_socket_is_gone() -> None:
    async with LoopbackTws(condor_scene()) as tws:
        for _ in range(5):
            async with listening(tws, client_id=3) as listener:
                await listener.settled()
            await tws.clients_reached(0)
        tws.occupy_client_id(3)
        with pytest.raises(asyncio.TimeoutError):
            async with connected_ib(tws, client_id=3, timeout_seconds=0.1):
                pass
        tws.free_client_id(3)
        async with connected_ib(tws, client_id=3):
            pass


async def test_several_accounts_need_one_named() -> None:
    scene = condor_scene()
    both = replace(scene, accounts=(*scene.accounts, "DU7654321"))
    async with LoopbackTws(both) as tws, connected_ib(tws) as ib:
        assert ib.managedAccounts() == ["DU1234567", "DU7654321"]
        codes: list[int] = []
        ib.errorEvent += lambda _req, code, _text, _contract: codes.append(code)
        put = Contract(conId=PUT_440, exchange="SMART")
        refused = ib.placeOrder(put, MarketOrder("BUY", 1, tif="DAY"))
        await refused.cancelledEvent
        named = ib.placeOrder(put, MarketOrder("BUY", 1, tif="DAY", account="DU7654321"))
        await named.filledEvent
        assert codes == [435]
        assert {row.account for row in ib.positions()} == {"DU1234567", "DU7654321"}


async def test_connecting_asks_what_ib_insync_is_known_to_ask() -> None:
    async with LoopbackTws(condor_scene()) as tws, connected_ib(tws):
        kinds = [int(one.fields[0]) for one in tws.received]
        assert kinds[0] == Ask.START_API
        assert kinds[-1] == Ask.EXECUTIONS
        assert {Ask.POSITIONS, Ask.OPEN_ORDERS, Ask.COMPLETED_ORDERS} <= set(kinds)


async def test_unknown_requests_are_kept_and_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.ERROR)
    async with LoopbackTws(empty_scene()) as tws, listening(tws) as listener:
        listener.client.reqNewsProviders()
        listener.client.send(999, 1, "what is this")
        await listener.settled()
        assert [one.fields[0] for one in tws.received][-3:-1] == ["85", "999"]
        assert listener.errors() == []
    assert not caplog.records


async def test_account_summary_ids_and_accounts_on_request() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        listener.client.reqIds(1)
        listener.client.reqManagedAccts()
        listener.client.reqAccountSummary(9, "All", "NetLiquidation,BuyingPower")
        await listener.heard("accountSummaryEnd")
        assert len(listener.of("accountSummary")) == 2
        assert listener.of("managedAccounts")[-1] == ("DU1234567",)
        assert len(listener.of("nextValidId")) == 2


async def test_leaving_while_clients_are_connected_closes_them() -> None:
    async with LoopbackTws(condor_scene()) as tws, listening(tws) as listener:
        await tws.stop()
        await listener.heard("connectionClosed")

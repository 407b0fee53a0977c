"""What Binance USD-M does to a position of its own accord, and how ccxt.pro lets it through."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.fakes.binance_spot.overheard import user_sockets, user_stream
from tests.fakes.binanceusdm import open_usdm
from tests.fakes.exchange import Refusal, Side

BTC = "BTC/USDT:USDT"
TWO = Decimal(2)


def orders(heard: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    """(client id up to its number, execution type, status, last quantity) of each order event."""
    rows = [message["o"] for message in heard if message["e"] == "ORDER_TRADE_UPDATE"]
    return [(row["c"].rstrip("0123456789"), row["x"], row["X"], row["l"]) for row in rows]


async def test_a_deleveraging_is_told_with_a_pending_row_ahead() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        heard = await user_stream(venue, client)
        fill = venue.adl("BTCUSDT", Decimal("0.5"))
        assert (fill.side, venue.held("BTCUSDT")) == (Side.SELL, Decimal("1.5"))
        assert orders(heard) == [
            ("adl_autoclose", "NEW", "NEW_ADL", "0"),
            ("adl_autoclose", "CALCULATED", "FILLED", "0.5"),
        ]
        (update,) = (message for message in heard if message["e"] == "ACCOUNT_UPDATE")
        assert update["a"]["P"][0]["pa"] == "1.5"


async def test_a_deleveraging_comes_through_orders_and_not_through_trades() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", -TWO, Decimal(50000))
        watched = asyncio.create_task(client.watch_orders())
        trades = asyncio.create_task(client.watch_my_trades())
        await venue.until(lambda: user_sockets(venue) != [])
        venue.adl("BTCUSDT", pending=False)
        (order,) = await watched
        assert (order["info"]["x"], order["filled"], order["side"]) == ("CALCULATED", 2.0, "buy")
        assert not trades.done()
        trades.cancel()
        await asyncio.gather(trades, return_exceptions=True)


async def test_a_deleveraging_told_as_a_trade_is_on_both_streams_under_one_id() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        watched = asyncio.create_task(client.watch_orders())
        trades = asyncio.create_task(client.watch_my_trades())
        await venue.until(lambda: user_sockets(venue) != [])
        venue.adl("BTCUSDT", status="NEW_ADL", execution="TRADE", pending=False)
        (order,), (trade,) = await watched, await trades
        assert order["info"]["X"] == "NEW_ADL"
        assert str(order["info"]["t"]) == trade["id"]


@pytest.mark.parametrize(("insurance", "status"), [(False, "FILLED"), (True, "NEW_INSURANCE")])
async def test_a_liquidation_has_a_client_id_of_its_own(insurance: bool, status: str) -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        heard = await user_stream(venue, client)
        venue.liquidate("BTCUSDT", insurance=insurance)
        assert orders(heard) == [
            ("autoclose-", "NEW", "NEW", "0"),
            ("autoclose-", "CALCULATED", status, "2"),
        ]
        assert {message["o"]["o"] for message in heard if "o" in message} == {"LIQUIDATION"}


async def test_forced_orders_are_asked_for_by_kind() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        venue.adl("BTCUSDT", Decimal(1))
        venue.liquidate("BTCUSDT")
        (liquidated,) = await client.fetch_my_liquidations(BTC)
        assert liquidated["info"]["clientOrderId"].startswith("autoclose-")
        params = {"autoCloseType": "ADL"}
        (deleveraged,) = await client.fetch_my_liquidations(BTC, params=params)
        assert deleveraged["info"]["clientOrderId"] == "adl_autoclose"
        assert len(await client.fapiPrivateGetForceOrders()) == 2
        assert len(await client.fetch_my_trades(BTC)) == 2


async def test_settlement_and_delivery_close_the_position() -> None:
    async with open_usdm() as (venue, client):
        heard = await user_stream(venue, client)
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        venue.settle("BTCUSDT")
        venue.set_position("ETHUSDT", -TWO, Decimal(2500))
        venue.deliver("ETHUSDT", Decimal(2600))
        assert [row for row in orders(heard) if row[1] == "CALCULATED"] == [
            ("settlement_autoclose-", "CALCULATED", "FILLED", "2"),
            ("delivery_autoclose-", "CALCULATED", "FILLED", "2"),
        ]
        assert venue.positions() == ()


async def test_nothing_can_be_taken_off_a_flat_position() -> None:
    async with open_usdm() as (venue, _):
        with pytest.raises(Refusal):
            venue.adl("BTCUSDT")


async def test_a_resting_target_expires_when_the_position_is_deleveraged_away() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        await client.create_order(BTC, "limit", "sell", 2, 55000, {"reduceOnly": True})
        heard = await user_stream(venue, client)
        venue.adl("BTCUSDT", Decimal(1))
        assert venue.orders(open_only=True) != ()
        venue.adl("BTCUSDT")
        assert orders(heard)[-1][1:3] == ("EXPIRED", "EXPIRED")


async def test_positions_are_watched_down_to_flat() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        (first,) = await client.watch_positions()
        assert first["contracts"] == 2.0
        waiting = asyncio.create_task(client.watch_positions())
        await venue.until(lambda: user_sockets(venue) != [])
        venue.hand_trade("BTCUSDT", Side.SELL, TWO, Decimal(50000))
        (flat,) = await waiting
        assert (flat["side"], flat["contracts"]) == ("both", 0.0)


async def test_a_position_may_move_with_no_fill_at_all() -> None:
    async with open_usdm() as (venue, client):
        heard = await user_stream(venue, client)
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        assert [message["e"] for message in heard] == ["ACCOUNT_UPDATE"]
        assert heard[0]["a"]["m"] == "ADJUSTMENT"
        assert await client.fetch_my_trades(BTC) == []


@pytest.mark.parametrize("first", [True, False])
async def test_a_fill_and_its_position_come_in_either_order(first: bool) -> None:
    async with open_usdm() as (venue, client):
        heard = await user_stream(venue, client)
        venue.account_update_first(first)
        venue.hand_trade("BTCUSDT", Side.BUY, TWO, Decimal(50000))
        told = [message["e"] for message in heard]
        pair = ["ACCOUNT_UPDATE", "ORDER_TRADE_UPDATE"]
        assert told == ["ORDER_TRADE_UPDATE", *(pair if first else reversed(pair))]


async def test_a_stop_is_told_from_placing_to_fill() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        heard = await user_stream(venue, client)
        params = {"stopLossPrice": 49000, "reduceOnly": True, "clientAlgoId": "stop1"}
        order = await client.create_order(BTC, "market", "sell", 2, None, params)
        venue.set_quote("BTCUSDT", Decimal(48900), Decimal(48901))
        rows = [(message["e"], message["o"]) for message in heard if "o" in message]
        told = [(kind, row["X"]) for kind, row in rows]
        assert told == [
            ("ALGO_UPDATE", "NEW"),
            ("ALGO_UPDATE", "TRIGGERING"),
            ("ALGO_UPDATE", "TRIGGERED"),
            ("ORDER_TRADE_UPDATE", "NEW"),
            ("ORDER_TRADE_UPDATE", "FILLED"),
            ("ALGO_UPDATE", "FINISHED"),
        ]
        done = heard[-1]["o"]
        assert (done["caid"], str(done["aid"]), done["aq"]) == ("stop1", order["id"], "2")
        trade = next(row for _, row in rows if row.get("x") == "TRADE")
        assert (str(trade["i"]), trade["c"]) == (done["ai"], "stop1")


async def test_ccxt_takes_a_triggered_stop_for_filled_before_anything_filled() -> None:
    async with open_usdm() as (venue, client):
        venue.set_position("BTCUSDT", TWO, Decimal(50000))
        params = {"stopLossPrice": 49000, "reduceOnly": True}
        await client.create_order(BTC, "limit", "sell", 2, 48950, params)
        waiting = asyncio.create_task(client.watch_orders())
        await venue.until(lambda: user_sockets(venue) != [])
        venue.set_quote("BTCUSDT", Decimal(48900), Decimal(48901))
        await waiting
        algo = next(one for one in client.orders if "aid" in one["info"])
        assert (algo["info"]["X"], algo["info"]["aq"]) == ("TRIGGERED", "0")
        assert (algo["status"], algo["filled"]) == ("closed", 2.0)
        assert venue.held("BTCUSDT") == TWO


async def test_quotes_and_marks_are_watched() -> None:
    async with open_usdm() as (venue, client):
        quote = (await client.watch_bids_asks([BTC]))[BTC]
        assert (quote["bid"], quote["ask"]) == (50000.0, 50000.1)
        venue.set_quote("BTCUSDT", Decimal(50500), Decimal(50501))
        async with asyncio.timeout(5):
            while client.bidsasks[BTC]["bid"] != 50500.0:
                await client.watch_bids_asks([BTC])
        assert (await client.watch_mark_price(BTC))["markPrice"] == 50500.5
        assert {socket.path for socket in venue.clients} == {"/public/ws/0", "/market/ws/1"}

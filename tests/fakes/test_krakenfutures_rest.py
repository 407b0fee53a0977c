"""The Kraken Futures stand-in over REST, as the unmodified ccxt sees it."""

from decimal import Decimal

import ccxt
import ccxt.async_support
import pytest

from tests.fakes.exchange import Side, State, Why, client_of
from tests.fakes.kraken_harness import BTC, ETH, INVERSE, kraken
from tests.fakes.krakenfutures import FillType, KrakenFutures


async def test_markets_have_the_real_steps_and_ticks() -> None:
    async with kraken() as (_, client):
        assert set(client.symbols) == {BTC, ETH, "SOL/USD:USD", INVERSE}
        assert client.market(BTC)["precision"] == {"amount": 0.0001, "price": 1.0}
        assert (client.market(INVERSE)["inverse"], client.market(INVERSE)["settle"]) == (
            True,
            "BTC",
        )


async def test_tickers_tell_quotes_marks_and_sizes() -> None:
    async with kraken() as (venue, client):
        venue.set_quote("PF_ETHUSD", Decimal(3000), Decimal(3001), Decimal("1.5"), mark=Decimal(9))
        ticker = await client.fetch_ticker(ETH)
        assert (ticker["bid"], ticker["ask"], ticker["bidVolume"]) == (3000, 3001, 1.5)
        assert ticker["markPrice"] == 9
        assert (await client.fetch_tickers())[ETH]["ask"] == 3001
        assert (await client.fetch_order_book(ETH))["bids"] == [[3000, 1.5]]


async def test_market_order_fills_and_is_in_positions_trades_and_balance() -> None:
    async with kraken() as (_, client):
        order = await client.create_order(BTC, "market", "buy", 0.5, None, {"cliOrdId": "one"})
        assert (order["status"], order["filled"], order["average"]) == ("closed", 0.5, 64402)
        assert order["clientOrderId"] == "one"
        (position,) = await client.fetch_positions()
        assert (position["side"], position["contracts"]) == ("long", 0.5)
        (trade,) = await client.fetch_my_trades(BTC)
        assert (trade["order"], trade["info"]["cliOrdId"]) == (order["id"], "one")
        assert (trade["takerOrMaker"], trade["info"]["fillType"]) == ("taker", "taker")
        balance = await client.fetch_balance()
        assert balance["USD"]["total"] == 100_000 - 0.5 * 64402 * 0.0005
        assert balance["USD"]["used"] > 0


async def test_flat_position_is_not_listed() -> None:
    async with kraken() as (_, client):
        assert await client.fetch_positions() == []
        await client.create_order(BTC, "market", "buy", 0.5)
        await client.create_order(BTC, "market", "sell", 0.5, None, {"reduceOnly": True})
        assert await client.fetch_positions() == []


async def test_limit_rests_is_edited_and_cancelled() -> None:
    async with kraken() as (venue, client):
        order = await client.create_order(BTC, "limit", "buy", 0.5, 60000)
        assert order["status"] == "open"
        (listed,) = await client.fetch_open_orders(BTC)
        assert (listed["id"], listed["remaining"], listed["filled"]) == (order["id"], 0.5, 0)
        assert listed["info"]["limitPrice"] == 60000
        edited = await client.edit_order(order["id"], BTC, "limit", "buy", 0.4, 61000)
        assert (edited["id"], edited["status"]) == (order["id"], "open")
        assert venue.orders()[0].limit_price == Decimal(61000)
        cancelled = await client.cancel_order(order["id"], BTC)
        assert (cancelled["status"], cancelled["remaining"]) == ("canceled", 0.4)
        assert await client.fetch_open_orders() == []
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order(order["id"], BTC)


async def test_edit_counts_from_what_is_open_unless_told_otherwise() -> None:
    async with kraken() as (venue, client):
        order = await client.create_order(BTC, "limit", "buy", 1, 60000)
        venue.set_quote("PF_XBTUSD", Decimal(59000), Decimal(59001), ask_size=Decimal("0.25"))
        venue.set_quote("PF_XBTUSD", Decimal(64000), Decimal(64001))
        await client.edit_order(order["id"], BTC, "limit", "buy", 0.5)
        assert venue.orders()[0].quantity == Decimal("0.75")
        await client.edit_order(
            order["id"], BTC, "limit", "buy", 0.5, None, {"qtyMode": "ABSOLUTE"}
        )
        assert venue.orders()[0].quantity == Decimal("0.5")


async def test_edit_that_crosses_is_a_taker_after_edit() -> None:
    async with kraken() as (_, client):
        order = await client.create_order(BTC, "limit", "buy", 0.5, 60000)
        await client.edit_order(order["id"], BTC, "limit", "buy", 0.5, 65000)
        (trade,) = await client.fetch_my_trades()
        assert (trade["info"]["fillType"], trade["takerOrMaker"]) == ("takerAfterEdit", "taker")


async def test_orders_are_cancelled_by_client_id_singly_and_in_a_batch() -> None:
    async with kraken() as (venue, client):
        for name in ("a", "b", "c"):
            await client.create_order(BTC, "limit", "buy", 0.1, 60000, {"cliOrdId": name})
        answer = await client.private_post_cancelorder({"cliOrdId": "a"})
        assert answer["cancelStatus"]["status"] == "cancelled"
        assert answer["cancelStatus"]["cliOrdId"] == "a"
        orders = await client.cancel_orders([], BTC, {"clientOrderIds": ["b", "c"]})
        assert [order["status"] for order in orders] == ["canceled", "canceled"]
        assert not venue.orders(open_only=True)
        with pytest.raises(ccxt.BadRequest):
            await client.cancel_order(None, BTC, {"cliOrdId": "a"})  # ccxt sends order_id=None


async def test_cancel_of_a_filled_order_says_so() -> None:
    async with kraken() as (_, client):
        order = await client.create_order(BTC, "market", "buy", 0.5)
        with pytest.raises(ccxt.OrderNotFound, match="filled"):
            await client.cancel_order(order["id"], BTC)


async def test_ioc_takes_what_is_within_its_price_and_no_more() -> None:
    async with kraken() as (venue, client):
        venue.set_quote("PF_XBTUSD", Decimal(64000), Decimal(64001), ask_size=Decimal("1.2"))
        order = await client.create_order(BTC, "limit", "buy", 2, 64100, {"timeInForce": "ioc"})
        assert order["filled"] == 1.2
        assert venue.orders()[0].state is State.CANCELLED
        assert venue.held("PF_XBTUSD") == Decimal("1.2")
        with pytest.raises(ccxt.OrderNotFillable):
            await client.create_order(BTC, "limit", "buy", 1, 63000, {"timeInForce": "ioc"})


async def test_post_only_that_would_take_is_refused() -> None:
    async with kraken() as (_, client):
        with pytest.raises(ccxt.OrderImmediatelyFillable):
            await client.create_order(BTC, "limit", "buy", 1, 65000, {"postOnly": True})


async def test_stop_is_listed_and_sells_when_its_price_is_seen() -> None:
    async with kraken() as (venue, client):
        await client.create_order(BTC, "market", "buy", 0.5)
        stop = await client.create_order(
            BTC, "market", "sell", 0.5, None, {"stopLossPrice": 60000, "triggerSignal": "mark"}
        )
        assert (stop["status"], stop["triggerPrice"], stop["reduceOnly"]) == ("open", 60000, True)
        (listed,) = await client.fetch_open_orders()
        assert (listed["info"]["orderType"], listed["info"]["triggerSignal"]) == ("stop", "mark")
        venue.set_quote("PF_XBTUSD", Decimal(59000), Decimal(59001), mark=Decimal(60001))
        assert await client.fetch_positions()
        venue.set_quote("PF_XBTUSD", Decimal(59000), Decimal(59001), mark=Decimal(60000))
        assert await client.fetch_positions() == []
        assert (await client.fetch_my_trades())[-1]["order"] == stop["id"]


async def test_triggered_stop_may_work_on_under_another_id() -> None:
    async with kraken() as (venue, client):
        venue.stops_change_ids(True)
        await client.create_order(BTC, "market", "buy", 0.5)
        stop = await client.create_order(
            BTC, "market", "sell", 0.5, None, {"stopLossPrice": 60000, "cliOrdId": "stop"}
        )
        venue.set_quote("PF_XBTUSD", Decimal(59000), Decimal(59001))
        (trade,) = [one for one in await client.fetch_my_trades() if one["side"] == "sell"]
        assert trade["order"] != stop["id"]
        assert "cliOrdId" not in trade["info"]


async def test_take_profit_fires_above_a_long() -> None:
    async with kraken() as (venue, client):
        await client.create_order(BTC, "market", "buy", 0.5)
        await client.create_order(BTC, "market", "sell", 0.5, None, {"takeProfitPrice": 70000})
        venue.set_quote("PF_XBTUSD", Decimal(70000), Decimal(70001))
        assert venue.held("PF_XBTUSD") == 0


async def test_reduce_only_never_adds_and_is_cut_to_the_position() -> None:
    async with kraken() as (venue, client):
        with pytest.raises(ccxt.ExchangeError, match="wouldNotReducePosition"):
            await client.create_order(BTC, "market", "sell", 0.5, None, {"reduceOnly": True})
        await client.create_order(BTC, "market", "buy", 0.5)
        order = await client.create_order(BTC, "market", "sell", 2, None, {"reduceOnly": True})
        (event,) = order["info"]["orderEvents"]
        assert (event["amount"], event["takerReducedQuantity"]) == (0.5, 1.5)
        assert venue.held("PF_XBTUSD") == 0


@pytest.mark.parametrize("withdraws", [True, False])
async def test_protective_orders_left_on_a_closed_position(withdraws: bool) -> None:
    async with kraken() as (venue, client):
        venue.withdraw_reduce_only_when_flat(withdraws)
        await client.create_order(BTC, "market", "buy", 0.5)
        await client.create_order(BTC, "market", "sell", 0.5, None, {"stopLossPrice": 60000})
        await client.create_order(BTC, "market", "sell", 0.5)
        assert len(await client.fetch_open_orders()) == (0 if withdraws else 1)


async def test_client_id_is_refused_twice_even_after_its_order_is_done() -> None:
    async with kraken() as (venue, client):
        for _ in range(2):
            await client.create_order(BTC, "market", "buy", 0.1, None, {"cliOrdId": _ * "x" + "a"})
        with pytest.raises(ccxt.DuplicateOrderId):
            await client.create_order(BTC, "market", "buy", 0.1, None, {"cliOrdId": "a"})
        assert len(venue.fills()) == 2


@pytest.mark.parametrize(
    ("why", "error"),
    [
        (Why.INSUFFICIENT_FUNDS, ccxt.InsufficientFunds),
        (Why.MARKET_CLOSED, ccxt.ExchangeNotAvailable),
        (Why.BAD_PRICE, ccxt.InvalidOrder),
    ],
)
async def test_scripted_refusals_are_said_in_the_venues_words(
    why: Why, error: type[Exception]
) -> None:
    async with kraken() as (venue, client):
        venue.refuse_next(why)
        with pytest.raises(error):
            await client.create_order(BTC, "market", "buy", 0.1)
        await client.create_order(BTC, "market", "buy", 0.1)


async def test_status_knows_open_orders_and_what_was_done_moments_ago() -> None:
    async with kraken() as (venue, client):
        done = await client.create_order(BTC, "market", "buy", 0.1, None, {"cliOrdId": "one"})
        found = await client.fetch_order(done["id"])
        assert (found["status"], found["clientOrderId"]) == ("closed", "one")
        (same,) = await client.fetch_orders(params={"cliOrdIds": "one"})
        assert same["id"] == done["id"]
        resting = await client.create_order(BTC, "limit", "buy", 0.1, 60000)
        venue.step_clock_aside(6)
        assert (await client.fetch_order(resting["id"]))["status"] == "open"
        with pytest.raises(ccxt.OrderNotFound):
            await client.fetch_order(done["id"])


async def test_history_keeps_what_status_forgets() -> None:
    async with kraken() as (venue, client):
        done = await client.create_order(BTC, "market", "buy", 0.1, None, {"cliOrdId": "one"})
        later = await client.create_order(BTC, "limit", "buy", 0.1, 60000)
        gone = await client.create_order(BTC, "limit", "buy", 0.2, 59000)
        await client.cancel_order(gone["id"])
        venue.set_quote("PF_XBTUSD", Decimal(59500), Decimal(59501))
        closed = await client.fetch_closed_orders(BTC)
        assert {order["id"] for order in closed} == {done["id"], later["id"]}
        assert {order["clientOrderId"] for order in closed} == {"one", None}
        cancelled = await client.fetch_canceled_orders(BTC)
        assert gone["id"] in {order["id"] for order in cancelled}


async def test_trigger_history_tells_cancelled_stops() -> None:
    async with kraken() as (_, client):
        stop = await client.create_order(BTC, "market", "sell", 1, None, {"stopLossPrice": 60000})
        cancelled = await client.cancel_order(stop["id"])
        assert cancelled["triggerPrice"] == 60000
        (told,) = await client.fetch_canceled_orders(BTC, params={"trigger": True})
        assert (told["id"], told["status"]) == (stop["id"], "canceled")


async def test_orders_go_in_a_batch() -> None:
    async with kraken() as (venue, client):
        orders = await client.create_orders(
            [
                {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.1, "price": 60000},
                {"symbol": BTC, "type": "limit", "side": "buy", "amount": 0.1, "price": 61000},
            ]
        )
        assert [order["status"] for order in orders] == ["open", "open"]
        await client.cancel_all_orders(BTC)
        assert not venue.orders(open_only=True)


async def test_inverse_contracts_have_sizes_ccxt_does_not_show() -> None:
    async with kraken() as (venue, client):
        order = await client.create_order(INVERSE, "market", "buy", 1000)
        assert order["info"]["orderEvents"][0]["amount"] == 1000
        (trade,) = await client.fetch_my_trades()
        assert (trade["amount"], trade["info"]["size"]) == (None, 1000)
        (position,) = await client.fetch_positions()
        assert (position["symbol"], position["contracts"]) == (INVERSE, 1000)
        venue.set_quote("PI_XBTUSD", Decimal(70000), Decimal("70000.5"))
        await client.create_order(INVERSE, "market", "sell", 1000, None, {"reduceOnly": True})
        earned = 1000 / Decimal("64402.5") - 1000 / Decimal(70000)
        fees = (1000 / Decimal("64402.5") + 1000 / Decimal(70000)) * Decimal("0.0005")
        assert abs(venue.balance("XBT") - 1 - earned + fees) < Decimal("1e-12")
        assert (await client.fetch_balance({"type": "fi_xbtusd"}))["BTC"]["total"] > 1


@pytest.mark.parametrize("fill_type", list(FillType))
async def test_every_fill_type_is_told_in_info(fill_type: FillType) -> None:
    async with kraken() as (venue, client):
        venue.happen(fill_type, "PF_XBTUSD", Decimal("-0.5"), Decimal(64000))
        (trade,) = await client.fetch_my_trades()
        assert (trade["info"]["fillType"], trade["side"]) == (fill_type.value, "sell")
        known = "taker" if "taker" in fill_type else "maker" if fill_type == "maker" else None
        assert trade["takerOrMaker"] == known
        assert (trade["fee"]["cost"] is None) is (known is None)


async def test_trade_by_hand_has_no_client_id() -> None:
    async with kraken() as (venue, client):
        venue.hand_trade("PF_XBTUSD", Side.BUY, Decimal("0.5"), Decimal(64000))
        (trade,) = await client.fetch_my_trades()
        assert "cliOrdId" not in trade["info"]
        assert trade["info"]["fillType"] == "taker"


async def test_position_can_move_without_a_fill() -> None:
    async with kraken() as (venue, client):
        await client.create_order(BTC, "market", "buy", 0.5)
        assert venue.move_position("PF_XBTUSD", Decimal("-0.2"), Decimal(1)) == Decimal("0.3")
        (position,) = await client.fetch_positions()
        assert (position["contracts"], position["entryPrice"]) == (0.3, 64402)
        assert len(await client.fetch_my_trades()) == 1


@pytest.mark.parametrize("wrong", [{"apiKey": "other"}, {"secret": "b3RoZXI="}])
async def test_wrong_key_or_signature_is_refused(wrong: dict[str, str]) -> None:
    async with (
        KrakenFutures() as venue,
        client_of(ccxt.async_support.krakenfutures, venue, **wrong) as client,
    ):
        await client.load_markets()
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_positions()
        with pytest.raises(ccxt.AuthenticationError):
            await client.create_order(BTC, "market", "buy", 0.1)
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_closed_orders()
        assert not venue.orders()


async def test_logins_can_be_refused_and_taken_again() -> None:
    async with kraken() as (venue, client):
        venue.refuse_logins()
        with pytest.raises(ccxt.AuthenticationError):
            await client.fetch_positions()
        venue.refuse_logins(False)
        assert await client.fetch_positions() == []

"""Orders at the loopback Binance spot, through the unmodified ccxt: fills, filters, balances."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from tests.fakes.binance_spot import Bar, SpotSymbol, open_spot, spot_client
from tests.fakes.exchange import Side

BTC = "BTC/USDT"
COARSE = SpotSymbol(base="SOL", quote="USDT", step=Decimal("0.01"), min_quantity=Decimal("0.01"))


async def test_a_market_buy_by_cost_spends_at_most_the_cost_and_pays_in_base() -> None:
    async with open_spot() as (venue, client):
        params = {"quoteOrderQty": "333.30", "newClientOrderId": "buy1"}
        order = await client.create_order(BTC, "market", "buy", 0, None, params)
        assert order["status"] == "closed"
        assert order["clientOrderId"] == "buy1"
        assert Decimal(order["info"]["cummulativeQuoteQty"]) <= Decimal("333.30")
        (piece,) = order["info"]["fills"]
        assert (piece["qty"], piece["commissionAsset"]) == ("0.00666000", "BTC")
        assert piece["commission"] == "0.00000666"
        assert venue.free("BTC") == Decimal("0.00665334")
        assert venue.free("USDT") == 1000 - Decimal(order["info"]["cummulativeQuoteQty"])


async def test_commission_in_bnb_leaves_the_bought_quantity_whole() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BNB", Decimal(1))
        venue.set_commission(in_bnb=True)
        await client.create_order(BTC, "market", "buy", "0.01", None)
        assert venue.free("BTC") == Decimal("0.01")
        assert venue.free("BNB") == 1 - Decimal("0.00075000")


async def test_commission_in_bnb_comes_out_of_bought_bnb() -> None:
    async with open_spot() as (venue, client):
        venue.set_commission(in_bnb=True)
        order = await client.create_order("BNB/USDT", "market", "buy", 1)
        assert order["info"]["fills"][0]["commissionAsset"] == "BNB"
        assert venue.free("BNB") == Decimal("0.99925")


async def test_without_enough_bnb_commission_is_in_what_was_bought() -> None:
    async with open_spot() as (venue, client):
        venue.set_commission(in_bnb=True, taker=Decimal("0.001"))
        order = await client.create_order(BTC, "market", "buy", "0.01")
        assert order["info"]["fills"][0]["commissionAsset"] == "BTC"
        assert venue.free("BTC") == Decimal("0.00999")


async def test_a_buy_in_several_fills_sums_up_with_its_commissions() -> None:
    async with open_spot((COARSE,)) as (venue, client):
        venue.set_quote("SOLUSDT", Decimal(100), Decimal(101))
        venue.split_fills(3)
        order = await client.create_order("SOL/USDT", "market", "buy", 1)
        pieces = order["info"]["fills"]
        assert [piece["qty"] for piece in pieces] == ["0.33000000", "0.33000000", "0.34000000"]
        assert len({piece["tradeId"] for piece in pieces}) == 3
        assert venue.free("SOL") == Decimal("0.999")
        assert order["status"] == "closed"


async def test_a_market_buy_beyond_the_book_expires_with_what_it_got() -> None:
    async with open_spot() as (venue, client):
        venue.set_quote("BTCUSDT", Decimal(50000), Decimal(50000), ask_size=Decimal("0.004"))
        order = await client.create_order(BTC, "market", "buy", "0.01")
        assert (order["status"], order["filled"]) == ("expired", 0.004)
        assert venue.locked("USDT") == 0


async def test_a_limit_order_locks_its_worth_until_it_is_cancelled() -> None:
    async with open_spot() as (venue, client):
        order = await client.create_order(BTC, "limit", "buy", "0.01", 40000)
        assert venue.free("USDT") == 600
        assert venue.locked("USDT") == 400
        balance = await client.fetch_balance()
        assert balance["USDT"] == {"free": 600.0, "used": 400.0, "total": 1000.0}
        cancelled = await client.cancel_order(order["id"], BTC)
        assert cancelled["info"]["status"] == "CANCELED"
        assert cancelled["info"]["origClientOrderId"] == order["clientOrderId"]
        assert cancelled["info"]["clientOrderId"] != order["clientOrderId"]
        assert venue.free("USDT") == 1000


async def test_a_resting_order_fills_in_part_then_is_found_by_client_id() -> None:
    async with open_spot() as (venue, client):
        params = {"newClientOrderId": "rest1"}
        await client.create_order(BTC, "limit", "buy", "0.01", 40000, params)
        venue.fill_order("rest1", Decimal("0.004"))
        found = await client.fetch_order("", BTC, {"origClientOrderId": "rest1"})
        assert (found["status"], found["filled"], found["remaining"]) == ("open", 0.004, 0.006)
        assert [one["id"] for one in await client.fetch_open_orders(BTC)] == [found["id"]]
        assert venue.locked("USDT") == Decimal("0.006") * 40000
        (trade,) = await client.fetch_my_trades(BTC)
        assert (trade["order"], trade["takerOrMaker"]) == (found["id"], "maker")
        venue.fill_order("rest1")
        (closed,) = await client.fetch_orders(BTC)
        assert closed["status"] == "closed"


@pytest.mark.parametrize(
    ("order", "code", "text", "error"),
    [
        (("limit", "sell", "0.01", "60000"), -2010, "insufficient balance", "InsufficientFunds"),
        (("limit", "buy", "0.01", "40000.001"), -1013, "PRICE_FILTER", "InvalidOrder"),
        (("limit", "buy", "0.000001", "40000"), -1013, "LOT_SIZE", "InvalidOrder"),
        (("limit", "buy", "0.0001", "40000"), -1013, "NOTIONAL", "BadRequest"),
        (("limit", "buy", "0.01", "9000"), -1013, "PERCENT_PRICE_BY_SIDE", "InvalidOrder"),
    ],
)
async def test_filters_and_funds_refuse_in_the_words_of_binance(
    order: tuple[str, str, str, str], code: int, text: str, error: str
) -> None:
    kind, side, quantity, price = order
    async with open_spot() as (venue, client):
        request = {
            "symbol": "BTCUSDT",
            "type": kind.upper(),
            "side": side.upper(),
            "quantity": quantity,
            "price": price,
            "timeInForce": "GTC",
        }
        with pytest.raises(getattr(ccxt, error)):
            await client.privatePostOrder(request)
        answer = json.loads(client.last_http_response)
        assert answer["code"] == code
        assert text in answer["msg"]
        assert venue.orders() == ()


async def test_a_post_only_order_that_would_take_is_refused() -> None:
    async with open_spot() as (_, client):
        with pytest.raises(ccxt.OrderImmediatelyFillable, match="immediately match and take"):
            await client.create_order(BTC, "limit", "buy", "0.01", 50001, {"postOnly": True})


async def test_a_client_id_is_refused_while_its_order_lives_and_free_after() -> None:
    async with open_spot() as (_, client):
        params = {"newClientOrderId": "twice"}
        order = await client.create_order(BTC, "limit", "buy", "0.001", 40000, params)
        with pytest.raises(ccxt.InvalidOrder, match=r"Duplicate order sent\."):
            await client.create_order(BTC, "limit", "buy", "0.001", 40000, params)
        await client.cancel_order(order["id"], BTC)
        again = await client.create_order(BTC, "limit", "buy", "0.001", 40000, params)
        assert again["id"] != order["id"]


async def test_what_does_not_exist_is_said_to_be_unknown() -> None:
    async with open_spot() as (_, client):
        with pytest.raises(ccxt.OrderNotFound, match="-2013"):
            await client.fetch_order("", BTC, {"origClientOrderId": "nobody"})
        with pytest.raises(ccxt.OrderNotFound, match="-2011"):
            await client.cancel_order("77", BTC)
        with pytest.raises(ccxt.BadSymbol, match="-1121"):
            await client.publicGetTicker24hr({"symbol": "NOPE"})


async def test_a_stop_triggers_on_the_last_price_and_sells_at_the_bid() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", Decimal("0.01"))
        order = await client.create_order(
            BTC, "STOP_LOSS", "sell", "0.01", None, {"stopPrice": 49000}
        )
        assert venue.locked("BTC") == Decimal("0.01")
        venue.set_quote("BTCUSDT", Decimal(48990), Decimal(49010), last=Decimal(49001))
        assert venue.orders(open_only=True) != ()
        venue.set_quote("BTCUSDT", Decimal(48980), Decimal(49000), last=Decimal(48999))
        found = await client.fetch_order(order["id"], BTC)
        assert (found["status"], found["average"]) == ("closed", 48980.0)


async def test_a_stop_that_would_trigger_at_once_is_refused() -> None:
    async with open_spot() as (venue, client):
        venue.set_balance("BTC", Decimal("0.01"))
        with pytest.raises(ccxt.OrderImmediatelyFillable, match="trigger immediately"):
            await client.create_order(BTC, "STOP_LOSS", "sell", "0.01", None, {"stopPrice": 51000})


async def test_a_trade_by_hand_moves_balances_and_stands_in_the_history() -> None:
    async with open_spot() as (venue, client):
        venue.hand_trade("BTCUSDT", Side.BUY, Decimal("0.01"), Decimal(50000))
        assert venue.free("USDT") == 500
        (order,) = await client.fetch_orders(BTC)
        assert order["clientOrderId"].startswith("web_")


async def test_candles_are_the_ones_the_test_gave() -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    bars = tuple(
        Bar.flat(begin + timedelta(minutes=number), Decimal(50000 + number)) for number in range(5)
    )
    async with open_spot() as (venue, client):
        venue.seed_bars("BTCUSDT", "1m", bars)
        since = round((begin + timedelta(minutes=2)).timestamp() * 1000)
        rows: list[list[Any]] = await client.fetch_ohlcv(BTC, "1m", since)
        assert [row[4] for row in rows] == [50002.0, 50003.0, 50004.0]
        assert [row[4] for row in await client.fetch_ohlcv(BTC, "1m", limit=2)] == [
            50003.0,
            50004.0,
        ]


async def test_tickers_tell_the_price_that_was_set() -> None:
    async with open_spot() as (_, client):
        ticker = await client.fetch_ticker(BTC)
        assert (ticker["bid"], ticker["last"]) == (50000.0, 50000.0)
        both = await client.fetch_bids_asks([BTC, "ETH/USDT"])
        assert (both[BTC]["ask"], both["ETH/USDT"]["bid"]) == (50000.01, 2500.0)
        assert abs(await client.fetch_time() - client.milliseconds()) < 5000


async def test_a_wrong_signature_key_or_clock_is_refused() -> None:
    async with open_spot() as (venue, _):
        for spoil, error in (
            ({"secret": "other"}, ccxt.AuthenticationError),
            ({"apiKey": "other"}, ccxt.AuthenticationError),
        ):
            other = spot_client(venue)
            for name, value in spoil.items():
                setattr(other, name, value)
            with pytest.raises(error):
                await other.privateGetAccount()
            await other.close()
        venue.step_clock_aside(30)
        late = spot_client(venue)
        with pytest.raises(ccxt.InvalidNonce, match="-1021"):
            await late.privateGetAccount()
        await late.close()

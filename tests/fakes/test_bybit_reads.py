"""What the unmodified ccxt reads from a loopback Bybit: markets, prices, account, positions."""

from decimal import Decimal

import pytest
from ccxt.base import errors

from tests.fakes.bybit import Bybit
from tests.fakes.exchange import client_of
from tests.fakes.perp_harness import BTC, ETH, PRO, REST, SOL, bybit


async def test_perpetuals_share_their_ids_with_spot_pairs() -> None:
    async with bybit() as (_, client):
        assert {market["symbol"] for market in client.markets_by_id["BTCUSDT"]} == {BTC, "BTC/USDT"}
        market = client.market(BTC)
        assert (market["contractSize"], market["linear"], market["active"]) == (1, True, True)
        assert market["precision"] == {"amount": 0.001, "price": 0.1}
        assert client.market(SOL)["limits"]["amount"]["min"] == 0.1


async def test_spot_cannot_be_traded() -> None:
    async with bybit() as (_, client):
        with pytest.raises(errors.BadSymbol):
            await client.create_order("BTC/USDT", "limit", "buy", 1, 60000)


async def test_the_rest_only_client_is_served_alike() -> None:
    async with Bybit() as venue, client_of(REST.bybit, venue) as client:
        assert abs(await client.fetch_time() - venue.now_ms()) < 1000
        assert (await client.fetch_ticker(BTC))["bid"] == 60000


async def test_tickers_tell_the_quote() -> None:
    async with bybit() as (venue, client):
        venue.set_quote("ETHUSDT", Decimal(2999), Decimal(3001), ask_size=Decimal("0.5"))
        tickers = await client.fetch_tickers()
        assert set(tickers) == {BTC, ETH, SOL}
        ticker = tickers[ETH]
        assert (ticker["bid"], ticker["ask"], ticker["askVolume"]) == (2999, 3001, 0.5)
        assert (ticker["last"], ticker["markPrice"]) == (3000, 3000)
        assert (await client.fetch_order_book(ETH))["asks"] == [[3001, 0.5]]


async def test_balance_has_what_positions_tie_up() -> None:
    async with bybit() as (venue, client):
        venue.set_position("BTCUSDT", Decimal(1), Decimal(59000))
        balance = await client.fetch_balance()
        usdt = balance["USDT"]
        assert (usdt["total"], usdt["used"], usdt["free"]) == (100_000, 6_000, 94_000)


async def test_flat_positions_are_listed_only_when_asked_for_by_name() -> None:
    async with bybit() as (venue, client):
        assert await client.fetch_positions() == []
        venue.set_position("SOLUSDT", Decimal("-1.5"), Decimal(151))
        venue.set_position("BTCUSDT", Decimal(2), Decimal(59000))
        found = {one["symbol"]: one for one in await client.fetch_positions()}
        assert set(found) == {BTC, SOL}
        assert (found[SOL]["side"], found[SOL]["contracts"]) == ("short", 1.5)
        assert (found[BTC]["side"], found[BTC]["entryPrice"]) == ("long", 59000)
        assert (found[BTC]["unrealizedPnl"], found[BTC]["hedged"]) == (2000, False)
        (flat,) = await client.fetch_positions([ETH])
        assert (flat["side"], flat["contracts"]) == (None, 0)


async def test_liquidation_price_is_told_where_there_is_one() -> None:
    async with bybit() as (venue, client):
        venue.set_balance("USDT", Decimal(10_000))
        venue.set_position("BTCUSDT", Decimal(1), Decimal(60000))
        (position,) = await client.fetch_positions()
        assert position["liquidationPrice"] == 50_000


async def test_leverage_is_kept_and_not_set_twice() -> None:
    async with bybit() as (_, client):
        await client.set_leverage(5, BTC)
        assert (await client.fetch_leverage(BTC))["longLeverage"] == 5
        with pytest.raises(errors.BadRequest, match="110043"):
            await client.set_leverage(5, BTC)


@pytest.mark.parametrize("wrong", ["apiKey", "secret"])
async def test_wrong_keys_are_not_let_in(wrong: str) -> None:
    async with Bybit() as venue, client_of(PRO.bybit, venue, **{wrong: "another"}) as client:
        with pytest.raises(errors.AuthenticationError):
            await client.private_get_v5_account_info()
        assert await client.fetch_time()


async def test_a_clock_too_far_aside_is_an_expired_request() -> None:
    async with bybit() as (venue, client):
        venue.step_clock_aside(60)
        with pytest.raises(errors.InvalidNonce):
            await client.fetch_balance()

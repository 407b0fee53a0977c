"""What the unmodified ccxt reads from a loopback OKX: markets, prices, account, positions."""

from decimal import Decimal

import pytest
from ccxt.base import errors

from tests.fakes.exchange import client_of
from tests.fakes.okx import Okx
from tests.fakes.perp_harness import BTC, ETH, PRO, REST, SOL, okx


async def test_markets_are_counted_in_contracts() -> None:
    async with okx() as (_, client):
        assert set(client.symbols) == {BTC, ETH, SOL}
        sizes = [client.market(symbol)["contractSize"] for symbol in (BTC, ETH, SOL)]
        assert sizes == [0.01, 0.1, 1]
        market = client.market(BTC)
        assert (market["id"], market["linear"], market["active"]) == ("BTC-USDT-SWAP", True, True)
        assert market["precision"] == {"amount": 0.01, "price": 0.1}


async def test_the_rest_only_client_is_served_alike() -> None:
    async with Okx() as venue, client_of(REST.okx, venue) as client:
        assert abs(await client.fetch_time() - venue.now_ms()) < 1000
        assert (await client.fetch_ticker(BTC))["bid"] == 60000


async def test_tickers_tell_the_quote() -> None:
    async with okx() as (venue, client):
        venue.set_quote("ETH-USDT-SWAP", Decimal(2999), Decimal(3001), ask_size=Decimal("0.5"))
        tickers = await client.fetch_tickers()
        assert set(tickers) == {BTC, ETH, SOL}
        ticker = tickers[ETH]
        assert (ticker["bid"], ticker["ask"], ticker["askVolume"]) == (2999, 3001, 0.5)
        assert (await client.fetch_order_book(ETH))["asks"][0][:2] == [3001, 0.5]


async def test_balance_has_what_positions_tie_up() -> None:
    async with okx() as (venue, client):
        venue.set_position("BTC-USDT-SWAP", Decimal(100), Decimal(59000))
        balance = await client.fetch_balance()
        # 1 BTC, marked at 60000 with leverage 3, has earned 1000
        assert balance["USDT"] == {"total": 101_000, "free": 81_000, "used": 20_000}


async def test_positions_are_net_and_flat_ones_are_not_listed() -> None:
    async with okx() as (venue, client):
        assert await client.fetch_positions() == []
        venue.set_position("SOL-USDT-SWAP", Decimal("-1.5"), Decimal(151))
        venue.set_position("BTC-USDT-SWAP", Decimal(2), Decimal(59000))
        venue.set_position("ETH-USDT-SWAP", Decimal(0), Decimal(0))
        found = {one["symbol"]: one for one in await client.fetch_positions()}
        assert set(found) == {BTC, SOL}
        assert (found[SOL]["side"], found[SOL]["contracts"]) == ("short", 1.5)
        assert (found[BTC]["side"], found[BTC]["entryPrice"]) == ("long", 59000)
        assert found[BTC]["unrealizedPnl"] == 20
        assert [one["symbol"] for one in await client.fetch_positions([SOL])] == [SOL]
        assert (await client.fetch_position_mode())["hedged"] is False


async def test_liquidation_price_is_told_where_there_is_one() -> None:
    async with okx() as (venue, client):
        venue.set_balance("USDT", Decimal(10_000))
        venue.set_position("BTC-USDT-SWAP", Decimal(100), Decimal(60000))
        (position,) = await client.fetch_positions()
        assert position["liquidationPrice"] == 50_000


async def test_leverage_is_kept() -> None:
    async with okx() as (_, client):
        await client.set_leverage(5, BTC)
        assert (await client.fetch_leverage(BTC))["longLeverage"] == 5


@pytest.mark.parametrize("wrong", ["apiKey", "secret", "password"])
async def test_wrong_keys_are_not_let_in(wrong: str) -> None:
    async with Okx() as venue, client_of(PRO.okx, venue, **{wrong: "another"}) as client:
        with pytest.raises(errors.AuthenticationError):
            await client.private_get_account_balance()
        assert await client.fetch_time()


async def test_a_clock_too_far_aside_is_an_expired_request() -> None:
    async with okx() as (venue, client):
        venue.step_clock_aside(60)
        with pytest.raises(errors.InvalidNonce):
            await client.fetch_balance()

"""Recorded messages of the exchanges, read by the translators without any connection."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.desk.facts import Execution, ExecutionOrigin, OrderReport, OrderRow, PositionRow, Side
from engine.desk.instruments import ContractSpec, Perpetual, SpotPair
from engine.desk.orders import client_order_id
from engine.venues.crypto.binance_spot import BinanceSpot
from engine.venues.crypto.binance_usdm import BinanceUsdm
from engine.venues.crypto.bybit import Bybit
from engine.venues.crypto.kraken import KrakenFutures
from engine.venues.crypto.markets import Market, Markets, UnknownMarket
from engine.venues.crypto.okx import Okx
from engine.venues.crypto.settings import CryptoSettings
from engine.venues.crypto.tracker import OwnOrders
from engine.venues.crypto.translator import (
    Holdings,
    News,
    Subscribed,
    Surroundings,
    Translator,
    Unclear,
)
from tests.recorded import TWS_RECORDED

RECORDED = TWS_RECORDED.parent / "venues"
pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="no recorded messages here")

OWN = client_order_id("main", "M1", "E1", "close", 1)


def recorded(path: str) -> Any:
    return json.loads(Path(RECORDED / f"{path}.json").read_text())


def a_market(ref: str, lot: str = "1", *, inverse: bool = False, spot: bool = False) -> Market:
    pair = {"symbol": "BTC-USDT", "base": "BTC", "quote": "USDT"}
    return Market(
        symbol=ref,
        instrument=SpotPair(ref=ref, **pair)
        if spot
        else Perpetual(ref=ref, contract_size=Decimal(lot), inverse=inverse, **pair),
        spec=ContractSpec(ref=ref),
        lot=Decimal(1) if inverse else Decimal(lot),
        step=Decimal("0.001"),
    )


def heard(
    kind: type[Translator], message: Any, *markets: Market, others: Iterable[str] = ()
) -> list[News]:
    """What a translator that knows these markets makes of a message."""
    around = Surroundings(
        name="exchange",
        wire=None,  # type: ignore[arg-type]
        settings=CryptoSettings(connector="any"),
        own=OwnOrders(),
        now=lambda: datetime.now(UTC),
        start=lambda work: work.close(),
        ask=lambda: None,
        markets=Markets(markets, others),
    )
    return [it for it in kind(around).hear(message) if not isinstance(it, Subscribed)]


def test_a_fill_at_kraken_is_read_exactly() -> None:
    message = recorded("krakenfutures/ws_futures_fills_delta")
    message["fills"][0]["cli_ord_id"] = OWN
    (fill,) = heard(KrakenFutures, message, a_market("PF_ETHUSD"))
    assert isinstance(fill, Execution)
    assert (fill.quantity, fill.price) == (Decimal("0.001"), Decimal("3162.0"))
    assert (fill.fee, fill.fee_currency) == (Decimal("0.001581"), "USD")
    assert fill.at == datetime(2025, 12, 8, 9, 17, 17, 3000, tzinfo=UTC)
    assert (fill.client_order_id, fill.origin) == (OWN, ExecutionOrigin.OURS)


def test_a_rebate_is_a_cost_below_zero_and_dated_futures_are_left_out() -> None:
    message = recorded("krakenfutures/ws_futures_fills_snapshot")
    fills = heard(
        KrakenFutures,
        message,
        a_market("PI_ETHUSD", inverse=True),
        others=["FI_XBTUSD_200925"],
    )
    (fill,) = fills
    assert isinstance(fill, Execution)
    assert (fill.quantity, fill.fee_currency) == (Decimal(5000), "ETH")
    message["fills"][0]["instrument"] = "PI_ETHUSD"
    rebate = heard(KrakenFutures, message, a_market("PI_ETHUSD", inverse=True))[0]
    assert isinstance(rebate, Execution)
    assert rebate.fee == Decimal("-0.00009142857")


def test_a_market_nobody_listed_is_not_passed_over_in_silence() -> None:
    message = recorded("krakenfutures/ws_futures_fills_snapshot")
    with pytest.raises(UnknownMarket, match="FI_XBTUSD_200925"):
        heard(KrakenFutures, message, a_market("PI_ETHUSD"))


def test_an_order_of_somebody_else_at_kraken_is_none_of_ours() -> None:
    for name in ("open_orders_delta", "open_orders_snapshot"):
        message = recorded(f"krakenfutures/ws_futures_{name}")
        assert heard(KrakenFutures, message, a_market("PI_XBTUSD")) == []


def test_an_empty_list_of_positions_at_kraken_says_flat() -> None:
    message = {"feed": "open_positions", "account": "a", "positions": [], "seq": 1}
    assert heard(KrakenFutures, message) == [Holdings(rows=())]
    assert heard(KrakenFutures, {"feed": "open_positions", "account": "a"}) == []


def test_an_order_at_okx_is_an_execution_in_base_units_and_a_row() -> None:
    message = recorded("okx/ws_orders")
    message["data"][0] |= {"clOrdId": OWN, "fillFee": "-0.0217", "fillFeeCcy": "USDT"}
    fill, row = heard(Okx, message, a_market("BTC-USDT-SWAP", "0.01"))
    assert isinstance(fill, Execution)
    assert (fill.quantity, fill.price) == (Decimal("0.0003"), Decimal("103698.9"))
    assert (fill.fee, fill.origin) == (Decimal("0.0217"), ExecutionOrigin.OURS)
    assert isinstance(row, OrderRow)
    assert (row.report, row.filled) == (OrderReport.FILLED, Decimal("0.0003"))


def test_an_execution_at_bybit_is_read() -> None:
    message = recorded("bybit/ws_account_execution")
    (fill,) = heard(Bybit, message, a_market("BTCUSDT"))
    assert isinstance(fill, Execution)
    assert (fill.side, fill.quantity, fill.fee) == (
        Side.SELL,
        Decimal("0.5"),
        Decimal("26.3725275"),
    )
    assert (fill.origin, fill.fee_currency) == (ExecutionOrigin.HAND, "USDT")


def test_spot_and_options_at_bybit_are_left_out() -> None:
    message = recorded("bybit/ws_account_execution")
    message["data"][0]["category"] = "spot"
    assert heard(Bybit, message, a_market("BTCUSDT")) == []


def test_a_short_position_at_bybit_is_below_zero() -> None:
    message = recorded("bybit/ws_account_position")
    (row,) = heard(Bybit, message, a_market("ETHUSDT"))
    assert isinstance(row, PositionRow)
    assert (row.quantity, row.average_cost) == (Decimal("-0.01"), Decimal("3641.075"))
    message["data"][0]["positionIdx"] = 2
    assert isinstance(heard(Bybit, message, a_market("ETHUSDT"))[0], Unclear)


def test_both_with_zero_at_binance_is_flat_and_sides_of_a_hedge_are_asked_for() -> None:
    message = recorded("binanceusdm/account_update")
    flat, *sides = heard(BinanceUsdm, message, a_market("BTCUSDT"))
    assert isinstance(flat, PositionRow)
    assert (flat.quantity, flat.average_cost) == (Decimal(0), None)
    assert [type(side) for side in sides] == [Unclear, Unclear]


@pytest.mark.parametrize("name", ["order_update_trade", "order_update_trade_partial"])
def test_a_trade_at_binance_futures_is_read(name: str) -> None:
    message = recorded(f"binanceusdm/{name}")
    (fill,) = heard(BinanceUsdm, message, a_market(message["o"]["s"]))
    assert isinstance(fill, Execution)
    assert fill.quantity == Decimal(message["o"]["l"])
    assert fill.execution_id == f"{message['o']['s']}-{message['o']['t']}"
    assert fill.origin is ExecutionOrigin.HAND


def test_a_new_order_at_binance_futures_is_no_trade() -> None:
    message = recorded("binanceusdm/order_update_new")
    assert heard(BinanceUsdm, message, a_market(message["o"]["s"])) == []


def test_a_trade_at_binance_spot_is_read_with_its_commission() -> None:
    message = recorded("binance_spot/execution_report_trade")
    message["c"] = OWN
    fill, row = heard(BinanceSpot, message, a_market("ETHUSDT", spot=True))
    assert isinstance(fill, Execution)
    assert (fill.fee, fill.fee_currency) == (Decimal("0.001"), "ETH")
    assert (fill.execution_id, fill.client_order_id) == ("ETHUSDT-98765432", OWN)
    assert isinstance(row, OrderRow)
    assert (row.report, row.filled) == (OrderReport.FILLED, Decimal(1))


@pytest.mark.parametrize("name", ["canceled", "expired"])
def test_an_order_that_ended_at_binance_spot_is_cancelled(name: str) -> None:
    message = recorded(f"binance_spot/execution_report_{name}")
    message["c"] = OWN
    (row,) = heard(BinanceSpot, message, a_market("ETHUSDT", spot=True))
    assert isinstance(row, OrderRow)
    assert (row.report, row.filled) == (OrderReport.CANCELLED, Decimal(0))


def test_events_come_wrapped_or_not() -> None:
    message = recorded("binance_spot/execution_report_wrapped")
    message["event"]["c"] = OWN
    (row,) = heard(BinanceSpot, message, a_market("ETHBTC", spot=True))
    assert isinstance(row, OrderRow)
    assert row.report is OrderReport.WORKING


def test_a_leg_names_its_list() -> None:
    message = recorded("binance_spot/execution_report_stop_loss")
    message["c"] = OWN + "sl"
    (row,) = heard(BinanceSpot, message, a_market("ETHUSDT", spot=True))
    assert isinstance(row, OrderRow)
    assert (row.client_order_id, row.report) == (OWN, OrderReport.WORKING)

"""Perpetuals, spot pairs and every kind of order on them, in a test's few words."""

from decimal import Decimal
from typing import Any

from engine.desk.facts import OrderType, Side, TimeInForce
from engine.desk.instruments import ContractSpec, Perpetual, PriceStep, SpotPair
from engine.desk.intents import Purpose
from engine.venues.port import PricedOrder

BTC = SpotPair(ref="BTCUSDT", symbol="BTCUSDT", base="BTC", quote="USDT")
PERP = Perpetual(ref="BTC-USD", symbol="BTC-USD", base="BTC", quote="USD")
TICKS = (PriceStep(from_price=Decimal(0), increment=Decimal("0.1")),)
SPOT_RULES = ContractSpec(
    ref=BTC.ref,
    price_steps=TICKS,
    quantity_step=Decimal("0.001"),
    minimum_quantity=Decimal("0.001"),
    minimum_notional=Decimal(5),
)
PERP_RULES = ContractSpec(
    ref=PERP.ref,
    price_steps=TICKS,
    quantity_step=Decimal("0.001"),
    minimum_quantity=Decimal("0.001"),
)


def order(
    id_: str,
    instrument: SpotPair | Perpetual,
    side: Side,
    quantity: str,
    *,
    account: str = "main",
    **terms: Any,
) -> PricedOrder:
    return PricedOrder(
        client_order_id=id_,
        account=account,
        instrument=instrument,
        side=side,
        quantity=Decimal(quantity),
        outside_rth=False,
        purpose=Purpose.BARRIER_EXIT,
        **{"order_type": OrderType.MARKET, "limit_price": None, **terms},
    )


def market(id_: str, instrument: Any, side: Side, quantity: str, **more: Any) -> PricedOrder:
    return order(id_, instrument, side, quantity, time_in_force=TimeInForce.GTC, **more)


def spend(id_: str, amount: str, quantity: str = "1") -> PricedOrder:
    return market(id_, BTC, Side.BUY, quantity, spend=Decimal(amount))


def limit(
    id_: str, instrument: Any, side: Side, quantity: str, price: str, **more: Any
) -> PricedOrder:
    more = {"time_in_force": TimeInForce.GTC, **more}
    terms = {"order_type": OrderType.LIMIT, "limit_price": Decimal(price)}
    return order(id_, instrument, side, quantity, **terms, **more)


def ioc(id_: str, instrument: Any, side: Side, quantity: str, price: str, **more: Any) -> Any:
    return limit(id_, instrument, side, quantity, price, time_in_force=TimeInForce.IOC, **more)


def stop(
    id_: str, instrument: Any, side: Side, quantity: str, price: str, **more: Any
) -> PricedOrder:
    terms = {"order_type": OrderType.STOP, "stop_price": Decimal(price)}
    return order(id_, instrument, side, quantity, time_in_force=TimeInForce.GTC, **terms, **more)


def oco(id_: str, quantity: str, above: str, below: str) -> PricedOrder:
    return order(
        id_,
        BTC,
        Side.SELL,
        quantity,
        order_type=OrderType.OCO,
        limit_price=Decimal(above),
        stop_price=Decimal(below),
        time_in_force=TimeInForce.GTC,
    )

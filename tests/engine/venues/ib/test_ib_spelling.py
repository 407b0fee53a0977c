"""Our spelling of requests is the library's, byte for byte."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ib_insync.client import Client as LibraryClient

from engine.desk.facts import OrderType, Side
from engine.desk.instruments import Instrument
from engine.desk.intents import Purpose
from engine.venues.ib.translate import contract_of, order_of, what_if_of
from engine.venues.ib.wire import ExecutionFilter, make_connection
from engine.venues.ib.wrapper import Wrapper
from engine.venues.port import PricedOrder
from tests.engine.desk.world import P440, SPY

Request = Callable[[Any], None]


class Deaf:
    """Hears nothing, whatever it is told."""

    def __getattr__(self, name: str) -> object:
        return lambda *args: None


def spelled(request: Request) -> tuple[list[bytes], list[bytes]]:
    """What a request is in our spelling, and in the library's own."""
    connection = make_connection(
        Wrapper(Deaf()),  # type: ignore[arg-type]
        ZoneInfo("UTC"),
        started=lambda: None,
        failed=lambda _: None,
        lost=lambda _: None,
        broken=lambda *_: None,
    )
    library = connection.library
    library._serverVersion = 176
    library.isConnected = lambda: True
    ours: list[bytes] = []
    theirs: list[bytes] = []
    library.conn.sendMsg = ours.append
    request(library)
    library.sendMsg = lambda text: theirs.append(library._prefix(text.encode()))
    library.send = partial(LibraryClient.send, library)
    request(library)
    return ours, theirs


@given(
    st.sampled_from([SPY, P440]),
    st.sampled_from(Side),
    st.decimals("0.0001", "1e6", places=4),
    st.none() | st.decimals("0.01", "1e6", places=2),
    st.booleans(),
)
def test_an_order(
    instrument: Instrument, side: Side, quantity: Decimal, limit: Decimal | None, late: bool
) -> None:
    order = order_of(
        PricedOrder(
            client_order_id="bh3k2q7x9",
            account="DU1234567",
            instrument=instrument,
            side=side,
            quantity=quantity,
            order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
            limit_price=limit,
            outside_rth=late,
            purpose=Purpose.FLATTEN_SHARES,
        )
    )
    ours, theirs = spelled(lambda client: client.placeOrder(7, contract_of(instrument), order))
    assert ours == theirs
    assert len(ours[0].split(b"\0")) > 100


@pytest.mark.parametrize(
    "request_of",
    [
        lambda client: client.placeOrder(
            8, contract_of(P440), what_if_of("DU1234567", Side.BUY, Decimal(2))
        ),
        lambda client: client.cancelOrder(7),
        lambda client: client.reqPositions(),
        lambda client: client.reqExecutions(9, ExecutionFilter()),
        lambda client: client.reqContractDetails(10, contract_of(P440)),
        lambda client: client.reqMktData(11, contract_of(SPY), "", False, False, []),
        lambda client: client.reqAccountSummary(12, "All", "NetLiquidation"),
        lambda client: client.reqCompletedOrders(False),
        lambda client: client.reqIds(1),
    ],
)
def test_every_other_request(request_of: Request) -> None:
    ours, theirs = spelled(request_of)
    assert ours == theirs
    assert len(ours) == 1


def test_nothing_is_spelled_to_a_connection_that_is_down() -> None:
    with pytest.raises(ConnectionError):
        spelled(lambda client: setattr(client, "isConnected", lambda: False) or client.reqIds(1))

"""What the stand-ins of the crypto exchanges share: matching, refusals, faults, streams."""

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal

import aiohttp
import pytest

from tests.fakes.exchange import (
    Account,
    Answer,
    BalanceChanged,
    Budget,
    Cause,
    Event,
    ExchangeServer,
    Fault,
    FillMade,
    Force,
    Kind,
    Market,
    NewOrder,
    OrderChanged,
    PositionChanged,
    Refusal,
    Request,
    Rules,
    Settlement,
    Side,
    Signal,
    Socket,
    State,
    Why,
)
from tests.fakes.exchange.client import repointed
from tests.fakes.exchange.server import Handler

PERP = Market(id="BTC", base="BTC", quote="USD", settle="USD")
INVERSE = Market(
    id="INV",
    base="BTC",
    quote="USD",
    settle="BTC",
    settlement=Settlement.INVERSE,
    step=Decimal(1),
    smallest=Decimal(1),
)
SPOT = Market(id="SPOT", base="BTC", quote="USDT", settle="USDT", settlement=Settlement.SPOT)


class Toy(ExchangeServer):
    """The smallest venue there is."""

    def routes(self) -> Mapping[str, Handler]:
        return {"POST /orders": self._order, "GET /orders/{id}": self._look}

    def sockets(self) -> tuple[str, ...]:
        return ("/ws",)

    def on_text(self, socket: Socket, text: str) -> None:
        socket.subscriptions.add(text)
        socket.send({"subscribed": text})

    def on_event(self, event: Event) -> None:
        if isinstance(event, FillMade):
            self.publish({"fill": event.fill.id}, channel="fills")
        if isinstance(event, PositionChanged):
            self.publish({"position": str(event.position.quantity)}, channel="positions")

    def _order(self, request: Request) -> Answer:
        order = self.account.place(market_order(Side.BUY, request.params["quantity"]))
        return Answer(body={"id": order.id, "state": order.state})

    def _look(self, request: Request) -> Answer:
        order = self.account.find(order_id=request.part("id"))
        return Answer(body={"known": order is not None})


def market_order(side: Side, quantity: str, **also: object) -> NewOrder:
    said: dict[str, object] = {"market": "BTC", "kind": Kind.MARKET, **also}
    return NewOrder(side=side, quantity=Decimal(quantity), **said)  # type: ignore[arg-type]


def limit_order(side: Side, quantity: str, price: str, **also: object) -> NewOrder:
    return market_order(side, quantity, kind=Kind.LIMIT, limit_price=Decimal(price), **also)


def stop_order(side: Side, quantity: str, price: str, **also: object) -> NewOrder:
    return market_order(side, quantity, kind=Kind.STOP_MARKET, stop_price=Decimal(price), **also)


def toy(rules: Rules | None = None) -> Toy:
    venue = Toy([PERP, INVERSE, SPOT], rules=rules)
    venue.set_quote("BTC", Decimal(99), Decimal(101))
    return venue


def why_refused(account: Account, new: NewOrder) -> Why:
    with pytest.raises(Refusal) as refused:
        account.place(new)
    return refused.value.why


def test_market_order_fills_at_the_touch_and_is_told_in_order() -> None:
    account, told = toy().account, list[Event]()
    account.listen(told.append)
    order = account.place(market_order(Side.BUY, "2", client_id="a"))
    assert (order.state, order.average_price) == (State.FILLED, Decimal(101))
    assert [type(event) for event in told] == [
        OrderChanged,
        OrderChanged,
        FillMade,
        PositionChanged,
        BalanceChanged,
    ]
    assert account.balances["USD"] == Decimal("-0.101")


def test_market_order_takes_what_is_there_and_the_rest_is_cancelled() -> None:
    venue = toy()
    venue.set_quote("BTC", Decimal(99), Decimal(101), ask_size=Decimal("1.2"))
    order = venue.account.place(market_order(Side.BUY, "2"))
    assert (order.state, order.cause) == (State.CANCELLED, Cause.NO_LIQUIDITY)
    assert (order.filled, venue.held("BTC")) == (Decimal("1.2"), Decimal("1.2"))
    assert not venue.account.place(market_order(Side.BUY, "1")).filled


def test_limit_rests_until_the_market_comes_and_fills_at_its_price_as_maker() -> None:
    venue = toy()
    order = venue.account.place(limit_order(Side.BUY, "2", "95"))
    assert order.state is State.OPEN
    venue.set_quote("BTC", Decimal(93), Decimal(94), ask_size=Decimal("0.5"))
    (fill,) = venue.fills()
    assert (fill.price, fill.maker, fill.remaining) == (Decimal(95), True, Decimal("1.5"))
    venue.set_quote("BTC", Decimal(93), Decimal(94))
    assert venue.orders()[0].state is State.FILLED


def test_ioc_limit_does_not_pay_more_than_its_price() -> None:
    venue = toy()
    order = venue.account.place(limit_order(Side.BUY, "2", "100", force=Force.IOC))
    assert (order.state, order.filled) == (State.CANCELLED, Decimal(0))


def test_stop_waits_for_its_signal_and_then_sells() -> None:
    venue = toy()
    venue.set_position("BTC", Decimal(2), Decimal(100))
    order = venue.account.place(
        stop_order(Side.SELL, "2", "90", reduce_only=True, signal=Signal.MARK)
    )
    venue.set_quote("BTC", Decimal(80), Decimal(82), mark=Decimal(91))
    assert order.state is State.WAITING
    venue.set_quote("BTC", Decimal(80), Decimal(82), mark=Decimal(90))
    assert (venue.orders()[0].average_price, venue.held("BTC")) == (Decimal(80), Decimal(0))


def test_spawning_trigger_ends_and_a_new_order_works() -> None:
    venue = toy(Rules(trigger_spawns=True))
    venue.set_position("BTC", Decimal(2), Decimal(100))
    venue.account.place(stop_order(Side.SELL, "0", "90", close_position=True))
    venue.set_quote("BTC", Decimal(80), Decimal(82))
    trigger, worker = venue.orders()
    assert (trigger.state, worker.state) == (State.TRIGGERED, State.FILLED)
    assert (worker.parent_id, worker.quantity) == (trigger.id, Decimal(2))


def test_reduce_only_is_cut_to_the_position_or_refused() -> None:
    account = toy().account
    account.set_position("BTC", Decimal(2), Decimal(100))
    add = market_order(Side.BUY, "1", reduce_only=True)
    assert why_refused(account, add) is Why.WOULD_NOT_REDUCE
    order = account.place(market_order(Side.SELL, "5", reduce_only=True))
    assert (order.quantity, account.held("BTC")) == (Decimal(2), Decimal(0))


def test_resting_reduce_only_orders_count_where_the_venue_counts_them() -> None:
    account = toy(Rules(resting_reduce_only_counts=True)).account
    account.set_position("BTC", Decimal(2), Decimal(100))
    account.place(limit_order(Side.SELL, "2", "120", reduce_only=True))
    close = market_order(Side.SELL, "2", reduce_only=True)
    assert why_refused(account, close) is Why.WOULD_NOT_REDUCE


def test_resting_reduce_only_dies_with_the_position_but_not_before_it() -> None:
    account = toy().account
    early = account.place(stop_order(Side.SELL, "2", "90", reduce_only=True))
    account.place(market_order(Side.BUY, "2"))
    assert account.orders[early.id].state is State.WAITING
    account.place(market_order(Side.SELL, "2"))
    assert account.orders[early.id].cause is Cause.WOULD_NOT_REDUCE


@pytest.mark.parametrize(
    ("ever", "refused"), [(True, True), (False, False)], ids=["ever", "while open"]
)
def test_client_id_is_refused_twice(ever: bool, refused: bool) -> None:
    account = toy(Rules(duplicates_ever=ever)).account
    account.place(market_order(Side.BUY, "1", client_id="a"))
    account.place(limit_order(Side.BUY, "1", "50", client_id="b"))
    assert why_refused(account, market_order(Side.BUY, "1", client_id="b")) is (
        Why.DUPLICATE_CLIENT_ID
    )
    if refused:
        again = market_order(Side.BUY, "1", client_id="a")
        assert why_refused(account, again) is Why.DUPLICATE_CLIENT_ID
    else:
        assert account.place(market_order(Side.BUY, "1", client_id="a")).filled


def test_scripted_refusal_hits_the_market_it_names() -> None:
    account = toy().account
    account.refuse_next(Why.INSUFFICIENT_FUNDS, market_id="INV")
    account.place(market_order(Side.BUY, "1"))
    account.refuse_next(Why.INSUFFICIENT_FUNDS)
    assert why_refused(account, market_order(Side.BUY, "1")) is Why.INSUFFICIENT_FUNDS
    account.place(market_order(Side.BUY, "1"))


def test_paused_matching_takes_orders_and_fills_them_later() -> None:
    venue = toy()
    venue.pause_matching()
    order = venue.account.place(market_order(Side.BUY, "1"))
    assert order.state is State.OPEN
    venue.resume_matching()
    assert venue.orders()[0].state is State.FILLED


def test_positions_average_turn_and_realise() -> None:
    venue = toy()
    venue.force_fill("BTC", Side.BUY, Decimal(1), Decimal(100), "x")
    venue.force_fill("BTC", Side.BUY, Decimal(1), Decimal(200), "x")
    assert venue.positions()[0].entry_price == Decimal(150)
    fill = venue.force_fill("BTC", Side.SELL, Decimal(3), Decimal(160), "x")
    assert fill.realised == Decimal(20)
    (position,) = venue.positions()
    assert (position.quantity, position.entry_price) == (Decimal(-1), Decimal(160))


def test_inverse_contracts_earn_base() -> None:
    venue = toy()
    venue.force_fill("INV", Side.BUY, Decimal(1000), Decimal(100), "x")
    fill = venue.force_fill("INV", Side.SELL, Decimal(1000), Decimal(200), "x")
    assert fill.realised == Decimal(5)


def test_spot_moves_balances_and_refuses_what_they_do_not_cover() -> None:
    venue = toy()
    venue.set_quote("SPOT", Decimal(99), Decimal(100))
    venue.set_balance("USDT", Decimal(150))
    account = venue.account
    account.place(limit_order(Side.BUY, "1", "90", market="SPOT"))
    assert account.locked("USDT") == Decimal(90)
    buy = market_order(Side.BUY, "1", market="SPOT")
    assert why_refused(account, buy) is Why.INSUFFICIENT_FUNDS
    account.place(market_order(Side.BUY, "0.5", market="SPOT"))
    assert venue.balance("USDT") == Decimal(100)
    assert venue.balance("BTC") == Decimal("0.5") * (1 - Decimal("0.0005"))
    assert not venue.positions()


def test_edit_and_cancel_change_live_orders_only() -> None:
    account = toy().account
    order = account.place(limit_order(Side.BUY, "2", "95"))
    assert account.edit(order.id, limit_price=Decimal(96)).limit_price == Decimal(96)
    assert account.edit(order.id, limit_price=Decimal(102)).state is State.FILLED
    with pytest.raises(Refusal) as refused:
        account.cancel(order.id)
    assert refused.value.why is Why.ORDER_CLOSED
    with pytest.raises(Refusal) as refused:
        account.cancel("nobody")
    assert refused.value.why is Why.UNKNOWN_ORDER


def test_budget_slides() -> None:
    budget = Budget(10, 5.0)
    assert budget.spend(6, 0.0)
    assert budget.spend(4, 1.0)
    assert not budget.spend(1, 4.9)
    assert budget.spend(6, 5.0)
    assert (budget.used(5.0), budget.refused) == (10, 1)


@pytest.mark.parametrize("fault", list(Fault))
async def test_faults_lose_the_answer_before_or_after_the_order(fault: Fault) -> None:
    async with toy() as venue, aiohttp.ClientSession() as client:
        venue.fault(fault, path="/orders", method="POST")
        timeout = aiohttp.ClientTimeout(total=0.2)
        try:
            async with client.post(
                f"{venue.url}/orders", data={"quantity": "1"}, timeout=timeout
            ) as answer:
                assert answer.status in (429, 500)
        except (TimeoutError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            pass
        assert bool(venue.fills()) is fault.done
        async with client.post(f"{venue.url}/orders", data={"quantity": "1"}) as answer:
            assert (await answer.json())["state"] == "filled"
        assert [request.method for request in venue.requests("/orders")] == ["POST", "POST"]


async def test_held_streams_come_when_released_in_the_order_of_release() -> None:
    async with (
        toy() as venue,
        aiohttp.ClientSession() as client,
        client.ws_connect(f"{venue.url}/ws") as socket,
    ):
        for channel in ("fills", "positions"):
            await socket.send_str(channel)
            assert await socket.receive_json() == {"subscribed": channel}
        venue.hold("fills")
        venue.force_fill("BTC", Side.BUY, Decimal(1), Decimal(100), "x")
        assert await socket.receive_json() == {"position": "1"}
        assert venue.release("fills") == 1
        assert "fill" in await socket.receive_json()


async def test_mute_sockets_stay_open_and_lose_what_is_sent() -> None:
    async with toy() as venue, aiohttp.ClientSession() as client:
        async with client.ws_connect(f"{venue.url}/ws", autoping=False) as socket:
            await venue.until(lambda: venue.connections() == 1)
            venue.mute_sockets()
            await socket.send_str("fills")
            await socket.ping(b"still there?")
            assert (await socket.receive()).type is aiohttp.WSMsgType.PONG
            venue.mute_sockets(False)
            await socket.send_str("positions")
            assert json.loads((await socket.receive()).data) == {"subscribed": "positions"}
            assert venue.drop_sockets() == 1
            closed = await socket.receive()
            assert closed.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        await venue.until(lambda: venue.connections() == 0)
        venue.accept_sockets(False)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(f"{venue.url}/ws")


async def test_stopping_ends_requests_left_without_an_answer() -> None:
    async with aiohttp.ClientSession() as client:
        async with toy() as venue:
            venue.fault(Fault.SILENT)
            waiting = asyncio.create_task(client.get(f"{venue.url}/orders/1"))
            await venue.until(lambda: len(venue.journal) == 1)
        with pytest.raises(aiohttp.ClientError):
            (await waiting).raise_for_status()


def test_hosts_are_replaced_wherever_they_are_nested() -> None:
    urls = {"api": {"ws": "wss://a.b/ws/v1", "rest": "https://{hostname}/x?y=1"}, "logo": "none"}
    assert repointed(urls, "127.0.0.1:9") == {
        "api": {"ws": "ws://127.0.0.1:9/ws/v1", "rest": "http://127.0.0.1:9/x?y=1"},
        "logo": "none",
    }

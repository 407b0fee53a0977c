from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec import structs

from engine.desk.facts import (
    BalanceReported,
    BookSnapshot,
    CloseType,
    ContractDescribed,
    ExecutionOrigin,
    ExecutionReported,
    OrderReported,
    OrderUnanswered,
    PositionReported,
    PositionRow,
    Side,
    VenueChanged,
    VenueState,
)
from engine.venues.paper import coins
from engine.venues.paper.coin_market import CoinMarket, CoinMarketSettings
from engine.venues.paper.exchange import PaperExchange
from engine.venues.paper.exercise import DrillRefused
from engine.venues.port import Venue
from tests.engine.venues.paper.paper_coins import ioc, limit, market, oco, spend, stop

PERPS = {it.instrument.base: it.instrument for it in coins.PERPETUALS}
BTC, ETH, SOL = (PERPS[it] for it in ("BTC", "ETH", "SOL"))
PAIR = coins.PAIRS[0].instrument
STILL = CoinMarketSettings(jumps_per_minute=0.0, pull=0.0)


@dataclass
class Floor:
    """An exchange whose prices move only when the test moves them."""

    rig: object
    venue: PaperExchange = field(init=False)

    def open(self, listings, settings=STILL, **options):
        quiet = [
            replace(it, coin=replace(it.coin, volatility=1e-12, price=100.0)) for it in listings
        ]
        self.coins = {it.coin.name: it.coin for it in quiet}
        self.market = CoinMarket(self.coins.values(), settings=settings)
        self.venue = PaperExchange(
            "paper",
            self.rig.sink,
            listings=quiet,
            market=self.market,
            clock=self.rig.clock,
            ticks=self.rig.ticks,
            **options,
        )
        return self.rig.running(self.venue)

    async def place(self, *orders):
        for order in orders:
            self.venue.place(order)
        await self.rig.settle()

    async def move(self, price, coin="BTC"):
        self.market.move(self.coins[coin], price)
        await self.rig.tick()

    def orders(self):
        """Give id -> what was last said of it."""
        told = {it.row.client_order_id: it.row for it in self.rig.sink.of(OrderReported)}
        return {name: (row.report.value, row.filled) for name, row in told.items()}

    def executions(self):
        return [it.execution for it in self.rig.sink.of(ExecutionReported)]

    def free(self, currency):
        told = [it for it in self.rig.sink.of(BalanceReported) if it.currency == currency]
        return told[-1].free, told[-1].total

    def held(self):
        return [
            (it.row.instrument.base, it.row.quantity) for it in self.rig.sink.of(PositionReported)
        ]


@pytest.fixture
def floor(rig):
    return Floor(rig)


def long(instrument, quantity, cost="100"):
    return PositionRow(
        account="main",
        instrument=instrument,
        quantity=Decimal(quantity),
        average_cost=Decimal(cost),
    )


async def test_at_start_it_tells_rules_balances_book_and_history_then_goes_on(rig, floor):
    funds = {"USDT": Decimal(1000)}
    async with floor.open(coins.PAIRS, funds=funds, bar_seconds=2, history_bars=30) as sink:
        kept: Venue = floor.venue
        assert (kept.kind, kept.clock_skew_seconds) == ("paper", 0.0)
        assert [it.state for it in sink.of(VenueChanged)] == [VenueState.SYNCING, VenueState.READY]
        for described in sink.of(ContractDescribed):
            assert described.spec.trading == described.spec.liquid == ()
            assert described.spec.minimum_notional == 5
        (book,) = sink.of(BookSnapshot)
        assert (book.accounts, book.positions) == (("main",), ())
        assert floor.free("USDT") == (1000, 1000)
        assert floor.free("BNB") == (0, 0)
        assert set(sink.quotes) == {"BTCUSDT", "BNBUSDT", "ETHUSDT"}
        history = sink.barred["BTCUSDT"]
        assert [it.at for it in history] == [
            rig.now - timedelta(seconds=2 * ago) for ago in range(30, 0, -1)
        ]
        await rig.tick(1.75)
        assert len(sink.barred["BTCUSDT"]) == 30
        await rig.tick(0.25)
        assert sink.barred["BTCUSDT"][-1].at == rig.now - timedelta(seconds=2)


async def test_every_tick_quotes_everything_listed(rig, floor):
    async with floor.open(coins.PERPETUALS) as sink:
        before, heard = sink.quoted, sink.heard_count
        await rig.tick(0.25)
        assert sink.quoted == before + 3
        assert sink.heard_count == heard + 1
        assert sink.quotes[BTC.ref].at == rig.now
        assert sink.barred == {}


async def test_a_sweep_walks_the_book_and_ends_with_what_its_price_allows(rig, floor):
    async with floor.open(coins.PERPETUALS, positions=[long(BTC, "100")]) as sink:
        first, second, *_ = floor.market.levels(coins.PERPETUALS[0], Side.SELL)
        wanted = str(first.size + second.size + 1)
        await floor.place(ioc("a", BTC, Side.SELL, wanted, str(second.price), reduce_only=True))
        assert [(it.quantity, it.price) for it in floor.executions()] == [
            (first.size, first.price),
            (second.size, second.price),
        ]
        assert floor.orders() == {"a": ("CANCELLED", first.size + second.size)}
        assert floor.held() == [("BTC", 100 - first.size - second.size)]
        assert all(it.fee_currency == "USD" for it in floor.executions())
        assert len({it.execution_id for it in floor.executions()}) == 2
        kinds = [type(batch[0]) for batch in sink.batches[-4:]]
        assert kinds == [OrderReported, ExecutionReported, PositionReported, OrderReported]


async def test_a_market_order_beyond_the_book_is_filled_on_later_ticks(rig, floor):
    async with floor.open(coins.PERPETUALS):
        shown = sum(it.size for it in floor.market.levels(coins.PERPETUALS[0], Side.BUY))
        await floor.place(market("a", BTC, Side.BUY, str(shown * 2)))
        assert floor.orders() == {"a": ("WORKING", shown)}
        for _ in range(4):
            await rig.tick()
        assert floor.orders() == {"a": ("FILLED", shown * 2)}


async def test_what_a_perpetual_wins_goes_into_its_funds_less_the_fees(rig, floor):
    async with floor.open(coins.PERPETUALS, positions=[long(BTC, "2")]):
        await floor.move(110.0)
        await floor.place(market("a", BTC, Side.SELL, "2"))
        (sold,) = floor.executions()
        won = 2 * (sold.price - 100) - sold.fee
        assert floor.free("USD") == (won, won)
        assert sold.fee == 2 * sold.price * Decimal("0.0005")
        assert floor.held() == [("BTC", 0)]


async def test_a_resting_limit_and_a_stop_wait_for_their_price_and_can_be_cancelled(rig, floor):
    async with floor.open(coins.PERPETUALS, positions=[long(BTC, "1")]):
        await floor.place(
            limit("limit", BTC, Side.SELL, "0.1", "110"),
            stop("stop", BTC, Side.SELL, "0.2", "95", reduce_only=True),
            stop("other", BTC, Side.SELL, "0.2", "90", reduce_only=True),
            stop("late", BTC, Side.SELL, "0.2", "101", reduce_only=True),
        )
        assert floor.orders()["late"][0] == "REJECTED"
        await floor.move(111.0)
        await floor.move(94.0)
        floor.venue.cancel(stop("other", BTC, Side.SELL, "0.2", "90"))
        await floor.move(80.0)
        floor.venue.cancel(stop("never", BTC, Side.SELL, "0.2", "90"))
        await rig.settle()
        assert floor.orders() == {
            "limit": ("FILLED", Decimal("0.1")),
            "stop": ("FILLED", Decimal("0.2")),
            "late": ("REJECTED", 0),
            "other": ("CANCELLED", 0),
            "never": ("REJECTED", 0),
        }
        assert floor.executions()[1].price < 95


async def test_a_buy_for_an_amount_its_bracket_and_the_balances(rig, floor):
    async with floor.open(coins.PAIRS, funds={"USDT": Decimal(1000)}) as sink:
        await floor.place(spend_btc("buy", "333"))
        bought = sum(it.quantity for it in floor.executions())
        cost = sum(it.quantity * it.price for it in floor.executions())
        fee = sum(it.fee for it in floor.executions())
        assert 333 - cost < Decimal("0.01") * 100
        assert fee == bought * Decimal("0.001")
        assert floor.free("USDT") == (1000 - cost, 1000 - cost)
        assert floor.free("BTC") == (bought - fee, bought - fee)
        sellable = str((bought - fee).quantize(Decimal("0.00001"), "ROUND_FLOOR"))
        await floor.place(replace_pair(oco("oco", sellable, "110", "95")))
        assert floor.free("BTC")[0] < Decimal("0.00001")
        await floor.move(120.0)
        for _ in range(3):
            await rig.tick()
        sold = [it for it in floor.executions() if it.side is Side.SELL]
        assert {(it.price, it.exit_leg) for it in sold} == {(110, CloseType.TAKE_PROFIT)}
        assert floor.orders()["oco"] == ("FILLED", Decimal(sellable))
        assert floor.free("USDT")[0] > 1000
        assert sink.of(PositionReported) == []


async def test_more_than_is_free_is_neither_bought_nor_sold(rig, floor):
    async with floor.open(coins.PAIRS, funds={"USDT": Decimal(100)}):
        await floor.place(
            spend_btc("dear", "100.01"),
            replace_pair(oco("naked", "1", "110", "95")),
            market("elsewhere", ETH, Side.BUY, "1"),
            market("whose", PAIR, Side.BUY, "0.1", account="other"),
        )
        assert {it[0] for it in floor.orders().values()} == {"REJECTED"}
        assert floor.executions() == []


async def test_a_book_that_is_asked_for_shows_everything_and_an_id_trades_once(rig, floor):
    async with floor.open(coins.PERPETUALS) as sink:
        order = market("a", BTC, Side.BUY, "0.1")
        await floor.place(order, order)
        await floor.place(order)
        floor.venue.ask()
        floor.venue.ask()
        await rig.settle()
        assert len(sink.of(BookSnapshot)) == 2
        book = sink.of(BookSnapshot)[-1]
        assert [row.quantity for row in book.positions] == [Decimal("0.1")]
        assert [it.client_order_id for it in book.executions] == ["a"]
        assert [it.client_order_id for it in book.orders] == ["a"]


async def test_before_it_runs_an_order_is_unanswered(rig, floor):
    floor.open(coins.PERPETUALS)
    await floor.place(market("a", BTC, Side.BUY, "0.1"))
    floor.venue.cancel(market("a", BTC, Side.BUY, "0.1"))
    await rig.settle()
    assert len(rig.sink.of(OrderUnanswered)) == 2


# --- assignments ---------------------------------------------------------------------------------


async def test_the_exchange_puts_a_perpetual_on_the_book_by_itself_once(rig, floor):
    async with floor.open(
        coins.PERPETUALS, positions=[long(ETH, "1")], assigned_after_seconds=4.0
    ) as sink:
        await rig.tick(3.9)
        assert floor.executions() == []
        await rig.tick(0.2)
        batch = next(it for it in sink.batches if isinstance(it[0], ExecutionReported))
        execution, row = batch[0].execution, batch[1].row
        assert (execution.origin, execution.client_order_id) == (ExecutionOrigin.ASSIGNEE, None)
        assert (execution.instrument, row.instrument) == (BTC, BTC)
        assert row.quantity == execution.quantity == coins.BTC.lot
        assert row.average_cost == execution.price
        await rig.tick(60)
        assert len(floor.executions()) == 1


async def test_a_drill_assigns_what_nobody_holds_and_the_sides_take_turns(rig, floor):
    async with floor.open(coins.PERPETUALS, positions=[long(ETH, "1")]):
        said = [floor.venue.drill_perpetual()]
        await rig.settle()
        said.append(floor.venue.drill_perpetual())
        await rig.settle()
        assert floor.held() == [("BTC", coins.BTC.lot), ("SOL", -coins.SOL.lot)]
        assert said == [
            "0.050 BTC-USD long of a stranger was put on the book.",
            "20.0 SOL-USD short of a stranger was put on the book.",
        ]


async def test_a_drill_on_a_held_position_adds_to_it(rig, floor):
    async with floor.open(coins.PERPETUALS, positions=[long(ETH, "-1")]):
        floor.venue.drill_perpetual("ETH-USD", quantity=Decimal("0.5"))
        await rig.settle()
        assert floor.held() == [("ETH", Decimal("-1.5"))]


async def test_a_drill_of_what_cannot_be_is_refused_in_plain_words(rig, floor):
    floor.open(coins.PERPETUALS)
    with pytest.raises(DrillRefused, match="not connected"):
        floor.venue.drill_perpetual()
    async with rig.running(floor.venue):
        with pytest.raises(DrillRefused, match="Listed: BTC-USD, ETH-USD, SOL-USD"):
            floor.venue.drill_perpetual("DOGE-USD")
        with pytest.raises(DrillRefused, match="no multiple"):
            floor.venue.drill_perpetual("BTC-USD", quantity=Decimal("0.0001"))
    async with floor.open(coins.PAIRS):
        with pytest.raises(DrillRefused, match="Listed: none"):
            floor.venue.drill_perpetual()


def spend_btc(id_, amount):
    return replace_pair(spend(id_, amount))


def replace_pair(order):
    return structs.replace(order, instrument=PAIR)

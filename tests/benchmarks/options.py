"""What the options room costs the engine's loop, beside a plain comparison of rows.

Run `python -m tests.benchmarks.options`. One position row, a whole reconciliation, a picture and
its document; the plain comparison is a dictionary of what was held, which is what the same machine
needs at the least in the same minute. Then ten assignments in one packet against a whole engine:
when the first closing order reached the broker and when the last did. Last, what a whole engine
spends of its loop on a book of two thousand rows (tests.benchmarks.loop_time).
"""

import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter

from engine.attach import AttachClient, AttachError, Role
from engine.attach.document import encode_snapshot
from engine.attach.protocol import picture_frame
from engine.desk.desk import Outcome
from engine.desk.facts import (
    ContractDescribed,
    DeadlinePassed,
    Fact,
    OrderPriced,
    OrderType,
    PositionRow,
    VenueChanged,
    VenueState,
)
from engine.desk.instruments import Instrument, OptionContract, Right
from engine.desk.intents import PlaceOrder
from engine.desk.market import Quote
from engine.desk.picture import draw_some, picture
from engine.service.drawing import SLICE
from tests.benchmarks import loop_time
from tests.engine.desk.world import ACCOUNT, NIGHT, SPY, VENUE, World, definition, option
from tests.fakes.channel.control import Control
from tests.fakes.tws.hours import closed_at, open_around
from tests.fakes.tws.policy import silent
from tests.fakes.tws.process import tws_process
from tests.fakes.tws.records import Position, stock
from tests.fakes.tws.records import Right as TwsRight
from tests.fakes.tws.records import option as listed
from tests.fakes.tws.scenes import ACCOUNT as TWS_ACCOUNT
from tests.fakes.tws.scenes import EXPIRY
from tests.fakes.tws.scenes import quote as shown

SINGLES = 200
CONDORS = 500


def told(name: str, seconds: Iterable[float], plain: float | None = None) -> None:
    """Print what one kind of thing cost, and how many plain comparisons that is."""
    times = sorted(seconds)
    median, worst = statistics.median(times), times[max(0, int(len(times) * 0.99) - 1)]
    ratio = "" if plain is None else f", {median / plain:.1f} plain"
    print(f"{name}: median {median * 1e6:.0f} us, 99% {worst * 1e6:.0f} us{ratio}")


def timed(call: Callable[[], object]) -> float:
    before = perf_counter()
    call()
    return perf_counter() - before


def compared(rows: Iterable[PositionRow]) -> float:
    """Compare rows with a dictionary of what was held: the least any reconciliation does."""
    rows = tuple(rows)
    held = {(row.account, row.instrument.ref): row.quantity for row in rows}

    def compare() -> list[PositionRow]:
        return [r for r in rows if held.get((r.account, r.instrument.ref)) != r.quantity]

    return statistics.median(timed(compare) for _ in range(50))


def singles(count: int) -> tuple[World, list[OptionContract]]:
    """Many short puts, each a strategy of its own."""
    puts = [option("P", 200 + n, f"9{n}") for n in range(count)]
    world = World(
        held={put: Decimal(-1) for put in puts},
        strategies=tuple(
            definition(f"S{n}", "single", {put: Decimal(-1)}) for n, put in enumerate(puts)
        ),
    )
    world.tell(*(ContractDescribed(venue=VENUE, spec=world.spec(put)) for put in puts))
    return world, puts


def one_at_a_time(count: int) -> None:
    """Assign each strategy in turn: the option row, the stock row, the price."""
    world, puts = singles(count)
    times: dict[str, list[float]] = {"option row": [], "stock row": [], "prices": []}
    plain = compared([PositionRow(account=ACCOUNT, instrument=puts[0], quantity=Decimal(-1))])
    for put in puts:
        world.now += timedelta(seconds=1)
        row = world.row_fact(put, 0)
        times["option row"].append(applied(world, row)[0])
        shares = world.row_fact(SPY, 100)
        seconds, outcome = applied(world, shares)
        times["stock row"].append(seconds)
        (order,) = [i for i in outcome.intents if isinstance(i, PlaceOrder)]
        times["prices"].append(applied(world, priced(order))[0])
        world.fill(order)
    for name, found in times.items():
        told(f"{count} strategies, {name}", found, plain)


def applied(world: World, *facts: Fact) -> tuple[float, Outcome]:
    """Apply facts; the seconds it took and what came of it."""
    before = perf_counter()
    outcome = world.desk.apply(facts, world.now)
    return perf_counter() - before, outcome


def priced(order: PlaceOrder) -> OrderPriced:
    return OrderPriced(
        client_order_id=order.client_order_id,
        order_type=OrderType.LIMIT,
        limit_price=Decimal(1),
        outside_rth=True,
        bid=Decimal(1),
        ask=Decimal(1),
    )


def ten_at_once() -> None:
    """Ten assignments in one batch of rows."""
    world, puts = singles(SINGLES)
    facts: list[Fact] = [world.row_fact(put, 0) for put in puts[:10]]
    facts.append(world.row_fact(SPY, 1000))
    told("ten assignments in one batch", [applied(world, *facts)[0]])


class Connecting(World):
    """Takes the first book as an engine does; turns are what each turn of it took, in seconds."""

    turns: list[float]

    def connect(self) -> None:
        ready = VenueChanged(venue=VENUE, state=VenueState.READY)
        self.turns = [applied(self, self.snapshot(), ready)[0]]
        while self.desk.is_behind:
            self.now += timedelta(milliseconds=1)
            self.turns.append(applied(self, DeadlinePassed())[0])


def first_books(count: int) -> Connecting:
    """The first book of many strategies, some times."""
    gc.collect()
    gc.freeze()  # as an engine does when it starts
    worlds = [condors(count) for _ in range(5)]
    plain = compared(worlds[-1].snapshot().positions)
    told(f"{4 * count} rows, the first book, all of it", [sum(w.turns) for w in worlds], plain)
    told(f"{4 * count} rows, the first book, longest turn", [max(w.turns) for w in worlds], plain)
    return worlds[-1]


def condors(count: int) -> Connecting:
    """Many iron condors, two thousand contracts for five hundred."""
    held: dict[Instrument, Decimal] = {}
    strategies = []
    day = date(2026, 12, 18)
    shape = (("P", 0, -2), ("P", -5, 2), ("C", 20, -2), ("C", 25, 2))
    for number in range(count):
        legs: dict[OptionContract, Decimal] = {}
        for place, (right, away, quantity) in enumerate(shape):
            leg = OptionContract(
                ref=str(10_000 + number * 4 + place),
                underlying="SPY",
                right=Right(right),
                strike=Decimal(1000 + number * 50 + away),
                expiry=day,
            )
            held[leg] = legs[leg] = Decimal(quantity)
        strategies.append(definition(f"SPY-IC-{number}", legs=legs))
    world = Connecting(held=held, strategies=tuple(strategies))
    world.tell(*(ContractDescribed(venue=VENUE, spec=world.spec(leg)) for leg in held))
    return world


def reconciliation(world: World) -> None:
    """A whole book of rows with nothing new, and with ten differences."""
    book = world.snapshot()
    plain = compared(book.positions)

    def apply() -> float:
        world.now += timedelta(milliseconds=10)
        return applied(world, world.snapshot())[0]

    told("2000 rows, nothing new", [apply() for _ in range(20)], plain)
    legs = [(key, quantity) for key, quantity in world.book.items() if key[1] != SPY]
    times = []
    for turn in range(10):
        ten = legs[turn * 10 : turn * 10 + 10]
        for gone in (True, False):
            world.book |= {key: Decimal(0) if gone else quantity for key, quantity in ten}
            times.append(apply())
    told("2000 rows, ten differences", times, plain)


def pictures(world: World) -> None:
    """The picture of five hundred strategies, and its document."""
    options = [i for _, i in world.book]
    quotes = {
        (VENUE, leg.ref): Quote.of(at=world.now, bid=1.05, ask=1.1, last=1.05) for leg in options
    }

    def draw() -> object:
        return picture(
            world.desk, now=world.now, mode="live", started_at=NIGHT, venues=(), quotes=quotes
        )

    def draw_slice() -> None:
        left[0] = draw_some(world.desk, quotes, left[0] or 0, SLICE)

    slices: list[float] = []
    left: list[int | None] = [0]
    while left[0] is not None:
        slices.append(timed(draw_slice))
    told(f"picture, slices of {SLICE} drawn ahead", slices)
    told("picture, first after them", [timed(draw)])
    told("picture, nothing new", [timed(draw) for _ in range(20)])
    times = []
    for turn in range(20):
        for leg in options[turn::20]:
            quotes[VENUE, leg.ref] = Quote.of(at=world.now, bid=1.1, ask=1.15, last=1.1)
        times.append(timed(draw))
    told("picture, every twentieth quote new", times)
    times = []
    for turn in range(20):
        for key in quotes:
            quotes[key] = Quote.of(at=world.now, bid=2.1 + turn, ask=2.15 + turn, last=2.1 + turn)
        times.append(timed(draw))
    told("picture, every quote new", times)
    snapshot = picture(
        world.desk, now=world.now, mode="live", started_at=NIGHT, venues=(), quotes=quotes
    )
    document = encode_snapshot(snapshot)
    told("document", [timed(lambda: encode_snapshot(snapshot)) for _ in range(10)])
    sent = picture_frame(1, document)
    print(
        f"document: {len(document) / 1000:.0f} kB, sent as {len(sent) / 1000:.0f} kB (at most 200)"
    )


# --- ten in one packet, a whole engine -----------------------------------------------------------

STOCKS, PUTS, TOGETHER, ROUNDS = 910_000, 920_000, 10, 8


def stage(control: Control) -> None:
    """Hold short puts on ten underlyings, one for each round; options closed, stock trading."""
    now = datetime.now(UTC)
    open_now, closed = open_around(now), closed_at(now, timedelta(hours=30))
    for number in range(TOGETHER):
        under = stock(STOCKS + number, f"U{number}")
        control.set_instrument(replace(under, trading_hours=open_now, liquid_hours=open_now))
        control.set_quote(under.con_id, shown("449.98", "450.02"))
        for turn in range(ROUNDS):
            con_id = PUTS + turn * TOGETHER + number
            put = listed(con_id, under, TwsRight.PUT, Decimal(200 + turn), EXPIRY)
            control.set_instrument(replace(put, trading_hours=closed, liquid_hours=closed))
            held = Position(account=TWS_ACCOUNT, con_id=con_id, quantity=Decimal(-1))
            control.set_position(held, push=False)


def config(state: Path, port: int) -> str:
    head = (
        f'mode = "live"\n[engine]\nstate_dir = "{state}"\n[venues.ibkr]\nkind = "ib"\n'
        f'host = "127.0.0.1"\nport = {port}\nclient_id = 17\naccounts = ["{TWS_ACCOUNT}"]\n'
        '[options]\nvenue = "ibkr"\n'
    )
    return head + "".join(
        f'[[options.strategies]]\nid = "S{number}-{turn}"\nkind = "single"\n'
        f'underlying = "U{number}"\nlegs = [{{ right = "P", strike = "{200 + turn}", '
        f'expiry = "{EXPIRY}", quantity = -1 }}]\n'
        for number in range(TOGETHER)
        for turn in range(ROUNDS)
    )


async def ready(path: Path) -> None:
    """Wait until the book is known and the account's worth, which is asked for last, is told."""
    while True:
        try:
            client = await AttachClient.connect(path, role=Role.READ_ONLY, client_name="bench")
        except AttachError:
            await asyncio.sleep(0.05)
            continue
        async with client:
            async for snapshot in client.snapshots():
                if snapshot.venues[0].state == "ready" and snapshot.accounts:
                    return


def ten_in_one_packet() -> None:
    """Assign ten puts in one packet, some times; when each close arrived at the broker."""
    with tws_process(scene="empty") as tws, tempfile.TemporaryDirectory() as folder:
        stage(tws.control)
        file, state = Path(folder) / "bulkhead.toml", Path(folder) / "s"
        file.write_text(config(state, tws.port))
        program = subprocess.Popen(
            [sys.executable, "-m", "engine.cli", "engine", "--config", str(file)],
            stderr=subprocess.DEVNULL,
        )
        try:
            asyncio.run(ready(state / "bulkhead.sock"))
            firsts, lasts = [], []
            # A broker that answers each close at once would be measured with the closes.
            tws.control.set_order_policy(silent())
            for turn in range(ROUNDS):
                # The budget of the round before is used up, and so is its "while closing".
                time.sleep(3)
                before = len(tws.control.order_records())
                puts = tuple(PUTS + turn * TOGETHER + number for number in range(TOGETHER))
                handed_ns = tws.control.assign_together(puts)
                tws.control.orders_reached(before + TOGETHER)
                orders = [o for o in tws.control.order_records()[before:] if not o.what_if]
                for order in orders:
                    tws.control.fill_order(order.order_id)
                assert len(orders) == TOGETHER, f"{len(orders)} orders"
                took = sorted((order.arrived_ns - handed_ns) / 1e9 for order in orders)
                firsts.append(took[0])
                lasts.append(took[-1])
        finally:
            program.terminate()
            program.wait()
    told("ten in one packet, the first close", firsts)
    told("ten in one packet, the last close", lasts)
    ratios = sorted(last / first for first, last in zip(firsts, lasts, strict=True))
    print(
        f"the last against the first: median {statistics.median(ratios):.2f}, "
        f"worst {ratios[-1]:.2f} (at most 3)"
    )


def main() -> None:
    one_at_a_time(1)
    one_at_a_time(SINGLES)
    ten_at_once()
    world = first_books(CONDORS)
    pictures(world)
    reconciliation(world)
    ten_in_one_packet()
    loop_time.main()


if __name__ == "__main__":
    main()

import json
from decimal import Decimal

import pytest

from engine.desk.facts import (
    BookSnapshot,
    ExecutionReported,
    OrderReport,
    OrderReported,
    PositionReported,
    Side,
    VenueWarned,
)
from engine.desk.instruments import Perpetual, Right, SpotPair
from engine.venues.paper.storage import PaperStateError
from engine.venues.paper.venue import PaperVenue


async def busy(rig, words, **options):
    """Leave an account with a fill, a resting order and shares under way."""
    put = words.option(Right.PUT, 440)
    venue = rig.venue(words.held(put, -2), words.held(words.spy, 100), **options)
    async with rig.running(venue):
        await rig.tick(5)
        venue.place(words.priced("done", words.spy, Side.SELL, 60))
        venue.place(words.priced("rests", words.spy, Side.SELL, 40, "900.00"))
        await rig.settle()
        venue.drill_assignment()
        await rig.settle()
    return venue


async def test_a_restored_account_is_the_same_account(rig, words):
    venue = await busy(rig, words)
    written = json.dumps(venue.state())
    again = PaperVenue.restore(json.loads(written), rig.sink, **rig.options())
    assert json.dumps(again.state()) == written


async def test_after_a_restart_the_book_goes_on_where_it_was(rig, words):
    state = (await busy(rig, words)).state()
    rig.sink.batches.clear()
    again = PaperVenue.restore(state, rig.sink, **rig.options())
    async with rig.running(again) as sink:
        (book,) = sink.of(BookSnapshot)
        assert [row.quantity for row in book.positions] == [40]
        assert [it.quantity for it in book.executions] == [60]
        assert {it.client_order_id: it.report for it in book.orders} == {
            "done": OrderReport.FILLED,
            "rests": OrderReport.WORKING,
        }
        await rig.tick()
        assert [it.row.quantity for it in sink.of(PositionReported)] == [240]
        again.place(words.priced("done", words.spy, Side.SELL, 60))
        await rig.settle()
        assert sink.of(OrderReported)[-1].row.report is OrderReport.FILLED
        assert sink.of(ExecutionReported) == []
        rig.market.move("SPY", 901.0)
        await rig.tick()
        (filled,) = sink.of(ExecutionReported)
        assert filled.execution.client_order_id == "rests"
        assert filled.execution.execution_id != book.executions[0].execution_id


async def test_every_change_is_on_disk_before_it_is_told(rig, words, tmp_path):
    file = tmp_path / "paper.json"
    venue = rig.venue(words.held(words.spy, 100), state_file=file)
    told_and_saved = []
    keep = rig.sink.facts

    def facts(batch):
        batch = tuple(batch)
        keep(batch)
        if isinstance(batch[0], ExecutionReported):
            saved = json.loads(file.read_text())["book"]["executions"]
            told_and_saved.append(batch[0].execution.execution_id == saved[0]["execution_id"])

    rig.sink.facts = facts
    async with rig.running(venue):
        venue.place(words.priced("c1", words.spy, Side.SELL, 60))
        await rig.settle()
    assert told_and_saved == [True]
    assert file.stat().st_mode & 0o077 == 0
    assert [it.name for it in tmp_path.iterdir()] == ["paper.json"]


async def test_open_starts_an_account_once_and_finds_it_again(rig, words, tmp_path):
    file = tmp_path / "paper.json"

    def opened():
        return PaperVenue.open(
            "paper",
            rig.sink,
            state_file=file,
            positions=[words.held(words.spy, 100)],
            **rig.options(),
        )

    venue = opened()
    async with rig.running(venue):
        venue.place(words.priced("c1", words.spy, Side.SELL, 60))
        await rig.settle()
    rig.sink.batches.clear()
    async with rig.running(opened()) as sink:
        assert [row.quantity for row in sink.of(BookSnapshot)[0].positions] == [40]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"version": 1}', '{"version": 2}', '{"version": 1, "book": 3}']
)
async def test_a_file_that_is_no_account_is_refused_in_plain_words(rig, tmp_path, text):
    file = tmp_path / "paper.json"
    file.write_text(text)
    with pytest.raises(PaperStateError, match=r"no (paper )?account|cannot be read"):
        PaperVenue.open("paper", rig.sink, state_file=file, **rig.options())


async def test_a_disk_that_refuses_warns_once_and_the_account_goes_on(rig, words, tmp_path):
    file = tmp_path / "gone" / "paper.json"
    venue = rig.venue(words.held(words.spy, 100), state_file=file)
    async with rig.running(venue) as sink:
        venue.place(words.priced("c1", words.spy, Side.SELL, 60))
        await rig.settle()
        assert len(sink.of(VenueWarned)) == 1
        assert len(sink.of(ExecutionReported)) == 1
        file.parent.mkdir()
        venue.place(words.priced("c2", words.spy, Side.SELL, 40))
        await rig.settle()
        assert len(json.loads(file.read_text())["book"]["executions"]) == 2


async def test_every_kind_of_instrument_survives_the_file(rig, words):
    kinds = (
        words.spy,
        words.option(Right.CALL, 460),
        Perpetual(
            ref="PF_XBTUSD", symbol="BTC-USD", base="BTC", quote="USD", contract_size=Decimal("0.1")
        ),
        SpotPair(ref="BTCUSDT", symbol="BTC/USDT", base="BTC", quote="USDT"),
    )
    venue = rig.venue(*(words.held(it, 1) for it in kinds))
    again = PaperVenue.restore(json.loads(json.dumps(venue.state())), rig.sink, **rig.options())
    async with rig.running(again) as sink:
        assert tuple(row.instrument for row in sink.of(BookSnapshot)[0].positions) == kinds

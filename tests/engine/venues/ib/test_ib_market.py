"""Contract details, market rules and quotes of the IB venue, over the real wire."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from engine.desk.facts import ContractDescribed, PositionReported
from engine.desk.instruments import ContractSpec, Stock
from engine.venues.ib.venue import IbVenue
from tests.engine.venues.ib.ib_harness import Sink, snapshot_after, venue_at
from tests.fakes.tws import ACCOUNT, LoopbackTws, cash_settled_scene, condor_scene, empty_scene
from tests.fakes.tws.records import MarketDataAccess, Position, Quote
from tests.fakes.tws.requests import Ask
from tests.fakes.tws.scenes import (
    CALL_460,
    EXPIRY,
    PUT_435,
    PUT_440,
    SPX,
    SPX_PUT_4400,
    SPY,
    quote,
)

NOON = datetime(2026, 11, 16, 17, 0, tzinfo=UTC)


async def spec_of(sink: Sink, con_id: int) -> ContractSpec:
    def found() -> list[ContractSpec]:
        specs = [fact.spec for fact in sink.all(ContractDescribed)]
        return [spec for spec in specs if spec.ref == str(con_id)]

    await sink.until(lambda: bool(found()))
    return found()[-1]


async def test_a_held_option_is_described_with_hours_ticks_and_underlying() -> None:
    async with LoopbackTws(condor_scene(now=NOON)) as tws, venue_at(tws) as (_, sink):
        spec = await spec_of(sink, PUT_440)
        assert spec.time_zone == "US/Eastern"
        (session,) = spec.liquid
        assert session.opens_at == datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
        assert session.closes_at == datetime(2026, 11, 16, 23, 0, tzinfo=UTC)
        assert [(str(s.from_price), str(s.increment)) for s in spec.price_steps] == [
            ("0", "0.01"),
            ("3", "0.05"),
        ]
        assert spec.underlying_ref == str(SPY)
        assert not spec.cash_settled


async def test_what_options_are_written_on_is_described_too() -> None:
    async with LoopbackTws(condor_scene(now=NOON)) as tws, venue_at(tws) as (_, sink):
        spec = await spec_of(sink, SPY)
        assert spec.underlying_ref is None
        assert len(spec.trading) == 1


async def test_an_option_on_an_index_is_cash_settled() -> None:
    async with LoopbackTws(cash_settled_scene()) as tws, venue_at(tws) as (_, sink):
        spec = await spec_of(sink, SPX_PUT_4400)
        assert spec.cash_settled
        assert spec.underlying_ref == str(SPX)
        assert spec.price_steps[0].increment == Decimal("0.05")


async def test_details_are_asked_once_for_each_contract() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (venue, sink):
        await spec_of(sink, SPY)
        for _ in range(3):
            await snapshot_after(venue, sink)
        assert tws.requests_of(Ask.CONTRACT_DETAILS) == 5
        assert tws.requests_of(Ask.MARKET_RULE) == 2
        assert len(sink.all(ContractDescribed)) == 5


async def test_an_unknown_time_zone_means_no_hours_and_an_alarm() -> None:
    tws = LoopbackTws(condor_scene())
    tws.set_instrument(replace(tws.book.instrument(PUT_440), time_zone_id="Mars/Olympus"))
    async with tws, venue_at(tws) as (_, sink):
        spec = await spec_of(sink, PUT_440)
        assert (spec.trading, spec.liquid) == ((), ())
        assert sink.warnings("hours")[0].critical


async def test_hours_that_cannot_be_read_mean_no_hours_and_an_alarm() -> None:
    tws = LoopbackTws(condor_scene())
    tws.set_hours("tomorrow", "20261116:0930", PUT_440)
    async with tws, venue_at(tws) as (_, sink):
        spec = await spec_of(sink, PUT_440)
        assert spec.trading == ()
        assert sink.warnings("hours")[0].critical


async def test_an_expired_contract_has_no_details_and_hurts_nothing() -> None:
    tws = LoopbackTws(condor_scene())
    tws.set_instrument(replace(tws.book.instrument(PUT_440), resolves=False))
    async with tws, venue_at(tws) as (_, sink):
        await spec_of(sink, SPY)
        assert sink.warnings("200")
        assert str(PUT_440) not in {fact.spec.ref for fact in sink.all(ContractDescribed)}


async def test_quotes_come_for_what_is_held_and_what_it_is_written_on() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        await sink.until(lambda: len(sink.quotes) == 5)
        assert (sink.quotes[str(PUT_440)].bid, sink.quotes[str(PUT_440)].ask) == (4.1, 4.15)
        tws.set_quote(SPY, quote("451.00", "451.02"))
        await sink.until(lambda: sink.quotes[str(SPY)].ask == 451.02)
        assert sink.quotes[str(SPY)].bid == 451.0


async def test_a_side_without_a_quote_is_none() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        await sink.until(lambda: str(PUT_440) in sink.quotes)
        tws.set_quote(PUT_440, Quote(bid=Decimal(-1), ask=Decimal("4.15")))
        await sink.until(lambda: sink.quotes[str(PUT_440)].bid is None)
        assert sink.quotes[str(PUT_440)].ask == 4.15


async def test_watched_instruments_are_quoted_and_described() -> None:
    tws = LoopbackTws(empty_scene())
    for one in condor_scene().instruments:
        tws.set_instrument(one)
    tws.set_quote(SPY, quote("449.98", "450.02"))
    async with tws, venue_at(tws) as (venue, sink):
        venue.watch([Stock(ref=str(SPY), symbol="SPY"), Stock(ref="?", symbol="unresolved")])
        await spec_of(sink, SPY)
        await sink.until(lambda: sink.quotes[str(SPY)].bid == 449.98)
        venue.watch([])
        await tws.requests_reached(Ask.CANCEL_MARKET_DATA, 1)


async def test_quotes_end_when_nothing_is_held_any_more() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws) as (_, sink):
        await sink.until(lambda: len(sink.quotes) == 5)
        tws.set_position(Position(account=ACCOUNT, con_id=CALL_460, quantity=Decimal(0)))
        await sink.until_count(PositionReported)
        await tws.requests_reached(Ask.CANCEL_MARKET_DATA, 1)


async def test_delayed_data_is_taken_where_live_data_is_refused_and_said_once() -> None:
    tws = LoopbackTws(condor_scene())
    for con_id in (PUT_440, PUT_435):
        tws.set_market_data_access(MarketDataAccess.DELAYED, con_id)
    async with tws, venue_at(tws) as (_, sink):
        await sink.until(lambda: len(sink.quotes) == 5)
        assert sink.quotes[str(PUT_440)].bid == 4.1
        assert len(sink.warnings("delayed")) == 1
        types = [m.fields[2] for m in tws.received if m.fields[0] == str(int(Ask.MARKET_DATA_TYPE))]
        assert types == ["3", "1", "3", "1"]


async def test_no_market_data_at_all_is_said_and_hurts_nothing() -> None:
    tws = LoopbackTws(condor_scene())
    tws.set_market_data_access(MarketDataAccess.NONE, PUT_440)
    async with tws, venue_at(tws) as (venue, sink):
        await sink.until(lambda: bool(sink.warnings("354")))
        await sink.until(lambda: len(sink.quotes) == 4)
        await snapshot_after(venue, sink)
        assert str(PUT_440) not in sink.quotes


async def test_underlyings_are_quoted_first_where_lines_are_few() -> None:
    async with LoopbackTws(condor_scene()) as tws, venue_at(tws, most_lines=2) as (_, sink):
        await sink.until(lambda: str(SPY) in sink.quotes)
        assert sink.warnings("lines")
        assert EXPIRY.year == 2026


async def test_a_venue_says_its_kind() -> None:
    assert IbVenue.kind == "ib"

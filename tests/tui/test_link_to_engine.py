"""News, loss and return of the engine, as the person at the terminal sees them."""

from dataclasses import replace

import pytest
from textual.app import App
from textual.geometry import Region

from engine.desk.facts import VenueState
from engine.desk.intents import Severity
from tests.tui import samples
from tests.tui.conftest import OpenDesk
from tui.widgets.row_list import RowList


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    rung: list[str] = []
    monkeypatch.setattr(App, "bell", lambda self: rung.append("bell"))
    return rung


async def test_a_lost_engine_shows_at_once_and_the_picture_dims(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        desk.clock.now += 12
        desk.engine.die()
        await desk.pilot.pause()
        assert "ENGINE LOST - reconnecting" in desk.text("banner")
        assert "12s old" in desk.text("banner")
        rows = desk.app.screen.query_one("#pane-1", RowList).rows
        assert all(row.stale for row in rows if row.key)


async def test_the_terminal_comes_back_by_itself(open_desk: OpenDesk) -> None:
    async with open_desk(samples.TROUBLE) as desk:
        desk.engine.die()
        await desk.pilot.pause()
        desk.engine.return_to_life()
        await desk.show(samples.CALM)
        assert desk.engine.attached == 2
        assert not desk.app.screen.query_one("#banner").display
        assert "SPY-IC-1" not in desk.text("pane-1")
        assert desk.app.view.attempt == 0


async def test_no_news_for_long_is_said(open_desk: OpenDesk) -> None:
    async with open_desk(samples.CALM) as desk:
        desk.clock.now += 20
        desk.app.redraw()
        await desk.pilot.pause()
        assert "NO NEWS" in desk.text("banner")


async def test_ages_run_on_between_pictures(open_desk: OpenDesk) -> None:
    async with open_desk(samples.CALM) as desk:
        desk.clock.now += 7
        desk.app.redraw()
        await desk.pilot.pause()
        assert "ready 7s" in desk.text("header")
        assert "15:04:38" in desk.text("header")


async def test_a_new_critical_alert_rings_once(open_desk: OpenDesk, bells: list[str]) -> None:
    async with open_desk(samples.CALM) as desk:
        assert bells == []
        await desk.show(samples.TROUBLE)
        await desk.show(replace(samples.TROUBLE, venues=()))
        assert bells == ["bell"]


async def test_an_alert_that_is_no_longer_new_does_not_ring(
    open_desk: OpenDesk, bells: list[str]
) -> None:
    seen = replace(samples.ALERTS[0], acknowledged=True)
    async with open_desk(replace(samples.TROUBLE, alerts=(seen,))):
        assert bells == []


async def test_a_warning_does_not_ring(open_desk: OpenDesk, bells: list[str]) -> None:
    warning = replace(samples.ALERTS[0], severity=Severity.WARNING)
    async with open_desk(replace(samples.TROUBLE, alerts=(warning,))):
        assert bells == []


async def test_only_changed_lines_are_drawn_again(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(samples.CALM) as desk:
        drawn: list[int] = []
        original = RowList.refresh

        def counted(self: RowList, *regions: object, **options: object) -> object:
            drawn.append(len(regions) if self.id == "pane-1" else 0)
            return original(self, *regions, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(RowList, "refresh", counted)
        leg = replace(samples.INTACT.legs[0], bid=1.13)
        moved = replace(samples.INTACT, legs=(leg, *samples.INTACT.legs[1:]))
        await desk.show(replace(samples.CALM, strategies=(moved, samples.COVERED_CALL)))
        assert sum(drawn) == 1


async def test_what_was_said_goes_after_a_while(open_desk: OpenDesk) -> None:
    async with open_desk(samples.CALM) as desk:
        await desk.press("t")
        assert "Palette" in desk.text("bottom")
        desk.clock.now += 9
        desk.app.redraw()
        await desk.pilot.pause()
        assert "intact" in desk.text("bottom")


async def test_a_venue_that_goes_down_dims_its_rows(open_desk: OpenDesk) -> None:
    async with open_desk(samples.CALM) as desk:
        down = replace(samples.IBKR, state=VenueState.DOWN, age_seconds=31.0)
        await desk.show(replace(samples.CALM, venues=(down,)))
        assert "ibkr × down 31s" in desk.text("header")
        rows = desk.app.screen.query_one("#pane-1", RowList).rows
        assert any(row.stale for row in rows)


async def test_a_price_that_moved_is_drawn_in_its_own_cells(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_desk(samples.CALM, size=(80, 24)) as desk:
        regions: list[Region] = []
        original = RowList.refresh

        def kept(self: RowList, *changed: Region, **options: object) -> object:
            regions.extend(changed if self.id == "pane-1" else ())
            return original(self, *changed, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(RowList, "refresh", kept)
        leg = replace(samples.INTACT.legs[0], bid=1.13)
        moved = replace(samples.INTACT, legs=(leg, *samples.INTACT.legs[1:]))
        await desk.show(replace(samples.CALM, strategies=(moved, samples.COVERED_CALL)))
        assert [(region.width, region.height) for region in regions] == [(8, 1)]
        strip = desk.app.screen.query_one("#pane-1", RowList).render_line(regions[0].y)
        assert strip.text[regions[0].x : regions[0].right] == "    1.13"

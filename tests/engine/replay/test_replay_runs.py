"""A replay is the live desk with a clock of bars: several symbols, costs, endings, pictures."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from engine.config import ConfigError
from engine.desk.facts import CloseType
from engine.errors import InputError
from engine.replay import Costs, ReplayOptions, Report, as_text, replay_files
from tests.engine.replay.bars_made import FIRST, Row, flat, walk, write

QUIET = [100.0, 101.0] * 6
FREE = Costs(fee_percent=Decimal(0), spread_percent=Decimal(0))
D = Decimal


def sets(folder: Path, *rows: tuple[str, float, float, float, float]) -> Path:
    path = folder / "F.json"
    names = ("symbol", "allocationPercent", "zScoreThreshold", "profitPercent", "stopLossPercent")
    path.write_text(
        json.dumps({"parameterSets": [dict(zip(names, row, strict=True)) for row in rows]})
    )
    return path


def run(folder: Path, rows: list[Row], costs: Costs = FREE, window: int = 10) -> Report:
    file = write(folder / "BTCUSDT.csv", rows)
    return replay_files(
        [str(file)],
        sets(folder, ("BTCUSDT", 50, 5, 10, 2)),
        options=ReplayOptions(window=window, costs=costs),
    )


def after(rows: list[Row], *more: tuple[float, float, float, float]) -> list[Row]:
    count = len(rows)
    return rows + [(FIRST + timedelta(minutes=count + n), *bar, 1.0) for n, bar in enumerate(more)]


SPIKE = flat([*QUIET, 110.0])


@pytest.mark.parametrize(
    ("bar", "close_type", "price"),
    [
        ((111, 122, 111, 112), CloseType.TAKE_PROFIT, "121"),
        ((111, 111, 107, 109), CloseType.STOP_LOSS, "107.8"),
        ((105, 106, 104, 105), CloseType.STOP_LOSS, "105"),
        ((111, 122, 107, 112), CloseType.STOP_LOSS, "107.8"),
    ],
)
def test_a_bracket_is_held_against_the_bars_that_follow(
    tmp_path: Path, bar: tuple[float, float, float, float], close_type: CloseType, price: str
) -> None:
    report = run(tmp_path, after(SPIKE, (110, 120, 108, 112), bar))
    [trade] = report.trades
    assert trade.close_type is close_type
    assert trade.entry_price == 110
    assert trade.exit_price == D(price)
    assert report.both_legs_in_one_bar == (bar[1] == 122 and bar[2] == 107)
    assert bool(report.both_legs_in_one_bar) == any("the stop counts" in n for n in report.notes)


def test_the_bar_of_the_signal_reaches_nothing(tmp_path: Path) -> None:
    rows = [*SPIKE[:-1], (SPIKE[-1][0], 100.0, 150.0, 90.0, 110.0, 1.0)]
    assert run(tmp_path, rows).trades == ()


def test_spread_and_fees_are_paid_as_the_exchange_takes_them(tmp_path: Path) -> None:
    costs = Costs(fee_percent=D("0.1"), spread_percent=D("0.2"))
    report = run(tmp_path, after(SPIKE, (111, 123, 111, 112)), costs)
    buy, sale = report.fills
    assert buy.price == D("110.110")
    assert buy.quantity == D("4.54091363")
    assert buy.fee == buy.quantity * D("0.001") * buy.price
    assert sale.quantity == D("4.53637271")
    assert sale.price == D("121.121")
    assert sale.fee == sale.quantity * sale.price * D("0.001")
    earned = sale.quantity * sale.price - sale.fee
    assert report.final_equity == 1000 - buy.quantity * buy.price + earned
    assert report.fees == buy.fee + sale.fee


def test_a_position_still_open_is_worth_its_last_close(tmp_path: Path) -> None:
    report = run(tmp_path, after(SPIKE, (110, 115, 109, 115)))
    [one] = report.symbols
    assert (one.entries, one.exits) == (1, {})
    assert one.open_value == one.open_quantity * 115
    assert report.final_equity == 500 + one.open_value + D(500) - one.open_quantity * 110
    assert "1 still open" in as_text(report)


def test_signals_tell_what_became_of_them(tmp_path: Path) -> None:
    rows = flat([*QUIET, 110.0, 120.0, 90.0, 90.0])
    report = run(tmp_path, rows)
    assert [(s.kind, s.taken) for s in report.signals] == [("ENTRY", True), ("ENTRY", False)]
    assert report.signals[0].outcome == "Reserved $500.00 (50%) for BTCUSDT"
    assert report.signals[1].outcome == "Already have position in BTCUSDT, skipping buy signal"
    [one] = report.symbols
    assert one.reached == 2
    assert one.highest_z_at == FIRST + timedelta(minutes=13)
    assert one.exits == {"STOP_LOSS": 1}
    assert one.in_position_percent == pytest.approx(100 * 2 / 16)


def test_symbols_share_one_account_in_time_order(tmp_path: Path) -> None:
    later = [(at + timedelta(minutes=1), *rest) for at, *rest in SPIKE]
    files = [
        write(tmp_path / "ETHUSDT.csv.gz", later),
        write(tmp_path / "BTCUSDT.csv", after(SPIKE, *[(110, 110, 110, 110)] * 2)),
    ]
    report = replay_files(
        [str(file) for file in files],
        sets(tmp_path, ("BTCUSDT", 60, 5, 10, 2), ("ETHUSDT", 40, 5, 10, 2)),
        options=ReplayOptions(window=10, costs=FREE),
    )
    assert [(fill.symbol, fill.quantity * fill.price) for fill in report.fills] == [
        ("BTCUSDT", pytest.approx(D(600), abs=D("0.00001"))),
        ("ETHUSDT", pytest.approx(D(400), abs=D("0.00001"))),
    ]
    assert [one.utilisation_percent > 0 for one in report.symbols] == [True, True]


def test_holes_doubles_and_sets_without_bars_are_said(tmp_path: Path) -> None:
    rows = flat([*QUIET, 101.0, 100.0, 101.0])
    holed = [*rows[:5], rows[4], *rows[7:]]
    file = write(tmp_path / "BTCUSDT.csv", holed)
    report = replay_files(
        [str(file)],
        sets(tmp_path, ("BTCUSDT", 50, 5, 10, 2), ("ETHUSDT", 50, 5, 10, 2)),
        options=ReplayOptions(window=10),
    )
    [one] = report.symbols
    assert (one.bars, one.missing, one.skipped) == (13, 2, 1)
    told = " ".join(report.notes)
    assert "No bars were given for ETHUSDT" in told
    assert "2 bars are missing" in told
    assert "1 bar stands twice" in told


def test_the_same_files_give_the_same_report_and_progress_ends_whole(tmp_path: Path) -> None:
    seen: list[tuple[float, int]] = []
    file = write(tmp_path / "BTCUSDT.csv", walk(9000))
    chosen = sets(tmp_path, ("BTCUSDT", 50, 3, 2, 1))
    first = replay_files([str(file)], chosen, progress=lambda part, bars: seen.append((part, bars)))
    assert first == replay_files([str(file)], chosen)
    assert seen == sorted(seen)
    assert len(seen) == 3
    assert seen[-1] == (1.0, 9000)


def test_the_document_is_json_and_the_picture_fits_its_width(tmp_path: Path) -> None:
    file = write(tmp_path / "BTCUSDT.csv", walk(3000))
    report = replay_files([str(file)], sets(tmp_path, ("BTCUSDT", 50, 3, 2, 1)))
    document = json.loads(json.dumps(report.as_document()))
    assert document["finalEquity"] == f"{report.final_equity:.2f}"
    assert len(document["equity"]) == 1000
    assert document["equity"][-1]["at"] == report.ended_at.isoformat()
    assert len(document["trades"]) == len(report.trades) > 12
    for width in (60, 80, 120):
        lines = as_text(report, width).splitlines()
        assert max(map(len, lines)) <= width
    assert "█" in as_text(report)


def test_a_replay_in_which_nothing_happens_still_draws(tmp_path: Path) -> None:
    report = run(tmp_path, flat([100.0] * 30))
    assert report.final_equity == 1000
    [one] = report.symbols
    assert (one.highest_z, one.reached) == (None, 0)
    assert "none" in as_text(report)


def test_bars_of_another_length_than_the_settings_are_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "BTCUSDT.csv", flat(QUIET))
    with pytest.raises(InputError, match="60 s apart, not 300 s"):
        replay_files(
            [str(file)],
            sets(tmp_path, ("BTCUSDT", 50, 5, 10, 2)),
            options=ReplayOptions(interval_seconds=300),
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ReplayOptions(window=9), "A window of 9 bars cannot be used; allowed: from 10"),
        (ReplayOptions(costs=Costs(cash=D(0))), "cannot begin with 0"),
        (ReplayOptions(costs=Costs(cash=D(-5))), "cannot begin with -5"),
        (ReplayOptions(costs=Costs(fee_percent=D(100))), "A fee of 100%"),
        (ReplayOptions(costs=Costs(spread_percent=D("-0.1"))), "A spread of -0.1%"),
        (ReplayOptions(exit_z_score=D(5)), "F.json: BTCUSDT is bought at a z-score of 5 and would"),
    ],
)
def test_figures_no_account_has_are_refused(
    tmp_path: Path, options: ReplayOptions, said: str
) -> None:
    file = write(tmp_path / "BTCUSDT.csv", flat(QUIET))
    with pytest.raises(InputError, match=said):
        replay_files([str(file)], sets(tmp_path, ("BTCUSDT", 50, 5, 10, 2)), options=options)


def test_the_picture_says_when_how_long_and_why_not(tmp_path: Path) -> None:
    """The first signal is bought, the second finds it still open, the third bar is its stop."""
    lines = as_text(run(tmp_path, flat([*QUIET, 110.0, 119.5, 90.0]))).splitlines()
    assert "2 buy signals, 1 taken, 2 fills" in lines
    assert "1x Already have position in BTCUSDT, skipping buy signal" in lines
    assert any(line.split() == ["01-05", "00:01", "01-05", "00:15"] for line in lines)
    [trade] = [line for line in lines if "->" in line and "stop loss" in line]
    assert trade.split()[:4] == ["01-05", "00:13", "2m", "BTCUSDT"]


def test_a_faulty_parameter_file_is_refused_by_its_own_words(tmp_path: Path) -> None:
    file = write(tmp_path / "BTCUSDT.csv", flat(QUIET))
    with pytest.raises(ConfigError, match="zScoreThreshold"):
        replay_files([str(file)], sets(tmp_path, ("BTCUSDT", 50, 0, 10, 2)))

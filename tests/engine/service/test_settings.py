"""The config while the engine runs: checked, saved, taken over."""

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.config import ConfigError, SaveError
from engine.desk.facts import ConfigApplied
from engine.desk.instruments import Right
from engine.desk.snapshot import CandidateView, LegView
from engine.service.settings import Edit, Settings

TEXT = """\
# my strategies
[venues.ibkr]
kind = "ib"
accounts = ["DU1234567"]
[options]
venue = "ibkr"
[[options.strategies]]
id = "A"
kind = "single"
underlying = "SPY"
legs = [ { right = "P", strike = "440", expiry = "2026-12-18", quantity = -2 } ]
"""


class Stage:
    def __init__(self, folder: Path) -> None:
        self.file = folder / "bulkhead.toml"
        self.file.write_text(TEXT)
        self.applied: list[ConfigApplied] = []
        self.settings = Settings(self.file, self.applied.append)

    @property
    def base(self) -> str:
        return str(self.settings.read()["fingerprint"])


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_faults_come_by_field_and_nothing_is_written(stage: Stage) -> None:
    changes = [
        Edit(path="options.close_at_dte", value="-3"),
        Edit(path="options.strategies[0].underlying", value=""),
    ]
    faults = stage.settings.check(changes)["faults"]
    assert {fault["path"] for fault in faults} == {
        "options.close_at_dte",
        "options.strategies[0].underlying",
    }
    with pytest.raises(ConfigError):
        stage.settings.save(changes, stage.base)
    assert stage.file.read_text() == TEXT
    assert stage.applied == []


def test_what_a_venue_was_made_for_waits_for_a_restart(stage: Stage) -> None:
    stage.file.write_text(f'{TEXT}[allocation]\nvenue = "binance"\n')
    changes = [
        Edit(path="allocation.z_score_interval", value="5m"),
        Edit(path="terminal.bell", value=False),
    ]
    assert stage.settings.check(changes)["effects"] == [
        "The signal's settings hold from the next bar on.",
        "The terminal's own settings hold when a terminal attaches.",
        "After a restart of the engine: allocation.z_score_interval.",
    ]


def test_what_can_be_is_in_force_at_once_and_the_rest_is_named(stage: Stage) -> None:
    changes = [
        Edit(path="options.close_at_dte", value="3"),
        Edit(path="venues.ibkr.port", value="4001"),
    ]
    told = stage.settings.check(changes)["effects"]
    assert told == [
        "The options rules hold at once, for closes under way too.",
        "After a restart of the engine: venues.",
    ]
    stage.settings.save(changes, stage.base)
    (fact,) = stage.applied
    assert fact.options is not None
    assert fact.options.close_at_dte == 3
    assert stage.file.read_text().startswith("# my strategies")


def test_a_removed_strategy_is_said_to_be_guarded_no_longer(stage: Stage) -> None:
    told = stage.settings.check([Edit(path="options.strategies[0]", remove=True)])["effects"]
    assert told == ["A is guarded no longer; what it holds stays as it is."]


def test_a_file_changed_meanwhile_is_not_overwritten(stage: Stage) -> None:
    base = stage.base
    stage.file.write_text(TEXT + "# by hand\n")
    with pytest.raises(SaveError, match="changed on disk"):
        stage.settings.save([Edit(path="armed", value="false")], base)
    assert stage.applied == []


def test_an_adopted_strategy_stands_in_the_file_and_is_guarded(stage: Stage) -> None:
    put = {"right": Right.PUT, "expiry": date(2026, 12, 18)}
    two = Decimal(2)
    legs = (
        LegView(strike=Decimal(430), expected=-two, held=-two, **put),
        LegView(strike=Decimal(420), expected=two, held=two, **put),
    )
    candidate = CandidateView(
        id="SPY-V-1",
        kind="vertical",
        underlying="SPY",
        venue="ibkr",
        account="DU1234567",
        legs=legs,
    )
    stage.settings.adopt(candidate, "MINE")
    strategies = tomllib.loads(stage.file.read_text())["options"]["strategies"]
    assert [one["id"] for one in strategies] == ["A", "MINE"]
    assert stage.file.read_text().startswith("# my strategies")
    (fact,) = stage.applied
    assert [s.id for s in fact.strategies] == ["A", "MINE"]
    assert [leg.quantity for leg in fact.strategies[1].legs] == [-two, two]

"""An edit keeps what a person wrote, and is written whole or not at all."""

import os
import stat
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.config import SAMPLE, ConfigError, FileChangedError, SaveError, SecretRef, load
from engine.config.model import Escalation, Strategy
from engine.config.save import append_strategy, open_document, parse_path, save, set_value


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bulkhead.toml"
    path.write_text(SAMPLE)
    path.chmod(0o600)
    return path


def vertical(name: str) -> Strategy:
    leg = {"right": "P", "expiry": "2026-12-18"}
    return Strategy.model_validate(
        {
            "id": name,
            "kind": "vertical",
            "underlying": "QQQ",
            "legs": [
                {**leg, "strike": "440", "quantity": -2},
                {**leg, "strike": "435.5", "quantity": 2},
            ],
        }
    )


def edit(path: Path, **values: object) -> None:
    document = open_document(path)
    for key, value in values.items():
        set_value(document, key, value)
    save(document)


def test_saving_without_an_edit_changes_no_byte(file):
    save(open_document(file))
    assert file.read_text() == SAMPLE


def test_an_edit_changes_its_line_only_and_keeps_the_comment(file):
    document = open_document(file)
    set_value(document, "options.close_at_dte", 3)
    set_value(document, "options.on_partial_assignment", "units")
    config = save(document)
    assert config.options is not None
    assert config.options.close_at_dte == 3
    before, after = SAMPLE.splitlines(), file.read_text().splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert [line.split("#")[0].strip() for line in changed] == [
        'on_partial_assignment = "units"',
        "close_at_dte = 3",
    ]
    assert all("#" in line for line in changed)


def test_values_inside_lists_and_inline_tables_can_be_set(file):
    document = open_document(file)
    set_value(document, "assignment_managers[0].close_percent", Decimal("50.5"))
    set_value(document, "assignment_managers[0].trading_pairs[1]", "XRP-USD")
    set_value(document, "options.strategies[0].legs[0].strike", Decimal(441))
    set_value(document, "venues.kraken.api_key", SecretRef.parse("env:OTHER"))
    config = save(document)
    assert config.assignment_managers[0].close_percent == Decimal("50.5")
    assert config.assignment_managers[0].trading_pairs[1] == "XRP-USD"
    assert config.options is not None
    assert config.options.strategies[0].legs[0].strike == 441
    assert 'api_key = "env:OTHER"' in file.read_text()
    assert "# negative is sold" in file.read_text()


def test_tables_above_a_key_are_made(file):
    document = open_document(file)
    set_value(document, "options.exit.escalate", Escalation.MARKET)
    set_value(document, "venues.okx.kind", "ccxt")
    set_value(document, "venues.okx.connector_name", "okx_perpetual")
    set_value(document, "engine.state_dir", Path("/tmp/b"))
    config = save(document)
    assert config.options is not None
    assert config.options.exit.escalate == "market"
    assert "okx" in config.venues
    assert load(file) == config


def test_a_key_above_the_tables_can_be_added_and_removed(file):
    file.write_text("[engine]\nstate_dir = '/tmp/b'\n")
    edit(file, armed=False)
    assert load(file).armed is False
    document = open_document(file)
    set_value(document, "armed", None)
    set_value(document, "options.exit.escalate", None)
    assert save(document).armed is True
    assert file.read_text().strip() == "[engine]\nstate_dir = '/tmp/b'"


def test_a_whole_list_of_legs_can_be_set(file):
    document = open_document(file)
    set_value(document, "options.strategies[0].kind", "vertical")
    set_value(document, "options.strategies[0].legs", vertical("x").legs)
    config = save(document)
    assert config.options is not None
    assert config.options.strategies[0].legs == vertical("x").legs
    assert config.options.strategies[0].legs[0].expiry == date(2026, 12, 18)


def test_a_strategy_is_appended_after_the_last_and_comments_stay(file):
    document = open_document(file)
    append_strategy(document, vertical("QQQ-V-1"))
    append_strategy(document, vertical("QQQ-V-2"))
    config = save(document)
    assert config.options is not None
    assert [s.id for s in config.options.strategies] == ["SPY-IC-1", "QQQ-V-1", "QQQ-V-2"]
    assert config.options.strategies[2] == vertical("QQQ-V-2")
    text = file.read_text()
    kept = [line for line in SAMPLE.splitlines() if "#" in line]
    assert all(line in text for line in kept)


def test_a_first_strategy_is_appended(file):
    file.write_text("[venues.ib]\nkind='ib'\naccounts=['DU1']\n[options]\nvenue='ib'\n[engine]\n")
    document = open_document(file)
    append_strategy(document, vertical("A"))
    config = save(document)
    assert config.options is not None
    assert config.options.strategies == (vertical("A"),)


def test_a_strategy_without_an_options_table_is_refused(file):
    file.write_text("")
    with pytest.raises(SaveError, match="has no table"):
        append_strategy(open_document(file), vertical("A"))


def test_an_edit_that_would_break_the_file_is_refused_with_its_line(file):
    document = open_document(file)
    set_value(document, "venues.ibkr.port", 99999)
    with pytest.raises(ConfigError) as caught:
        save(document)
    (fault,) = caught.value.faults
    assert (fault.field, fault.line) == ("venues.ibkr.port", 16)
    assert file.read_text() == SAMPLE


def test_a_file_changed_by_somebody_else_is_not_overwritten(file):
    document = open_document(file)
    set_value(document, "armed", False)
    file.write_text(SAMPLE + "# mine\n")
    with pytest.raises(FileChangedError, match="changed on disk"):
        save(document)
    assert file.read_text() == SAMPLE + "# mine\n"


def test_a_file_that_was_only_touched_can_be_saved(file):
    document = open_document(file)
    set_value(document, "armed", False)
    os.utime(file, ns=(1, 1))
    assert save(document).armed is False


def test_a_removed_file_and_a_file_that_appeared_count_as_changed(file, tmp_path):
    document, new = open_document(file), open_document(tmp_path / "new.toml")
    file.unlink()
    (tmp_path / "new.toml").write_text("armed = true\n")
    for one in (document, new):
        set_value(one, "armed", False)
        with pytest.raises(FileChangedError):
            save(one)


def test_one_document_can_be_saved_twice(file):
    document = open_document(file)
    for armed in (False, True):
        set_value(document, "armed", armed)
        assert save(document).armed is armed


def test_a_new_file_is_made_with_its_folder_for_its_owner_alone(tmp_path):
    path = tmp_path / "deep" / "bulkhead.toml"
    edit(path, armed=False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_the_mode_is_0600_after_saving(file, mode):
    file.chmod(mode)
    edit(file, armed=False)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_symbolic_link_stays_one_and_its_target_is_edited(file, tmp_path):
    link = tmp_path / "links" / "b.toml"
    link.parent.mkdir()
    link.symlink_to(file)
    edit(link, armed=False)
    assert link.is_symlink()
    assert load(file).armed is False
    assert [entry.name for entry in link.parent.iterdir()] == ["b.toml"]


def test_a_failed_write_leaves_the_file_and_no_litter(file, tmp_path, monkeypatch):
    document = open_document(file)
    set_value(document, "armed", False)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(SaveError, match="No space left"):
        save(document)
    assert file.read_text() == SAMPLE
    assert [entry.name for entry in tmp_path.iterdir()] == ["bulkhead.toml"]


@pytest.mark.parametrize(
    "path",
    ["", ".", "a..b", "[0]", "a[x]", "a b", "venues.ibkr.port.x", "options.strategies[7].id"],
)
def test_a_path_that_leads_nowhere_is_refused(file, path):
    with pytest.raises(SaveError):
        set_value(open_document(file), path, 1)


def test_a_refused_edit_leaves_the_document_as_it_was(file):
    document = open_document(file)
    with pytest.raises(SaveError):
        set_value(document, "newtable.list[0]", 1)
    save(document)
    assert file.read_text() == SAMPLE


def test_a_value_toml_cannot_hold_is_refused(file):
    with pytest.raises(SaveError, match="object cannot be written"):
        set_value(open_document(file), "armed", object())


def test_a_path_is_read_the_way_faults_write_it():
    assert parse_path("options.strategies[0].legs[12].strike") == (
        "options",
        "strategies",
        0,
        "legs",
        12,
        "strike",
    )


def test_windows_line_ends_stay(file):
    file.write_bytes(SAMPLE.replace("\n", "\r\n").encode())
    edit(file, armed=False)
    assert file.read_bytes().count(b"\r\n") == SAMPLE.count("\n")

"""The config drawn as a form."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.config.form import edit, form_of, typed
from engine.config.model import (
    AlertsConfig,
    AllocationConfig,
    AssignmentManager,
    CcxtVenue,
    Config,
    EngineConfig,
    ExitConfig,
    IbVenue,
    Leg,
    OptionsConfig,
    Strategy,
    TerminalConfig,
)
from engine.config.save import open_document, save, set_value
from tui.config_draft import draft_of, resulting_paths
from tui.config_form import read_form

TEXT = """\
# mine
mode = "paper"
[alerts]
urls = ["env:HOOK", "tgram://12345/abc"]
[venues.ibkr]
kind = "ib"
port = 4002
accounts = ["DU1234567"]
[venues.kraken]
kind = "ccxt"
api_key = "env:KRAKEN_KEY"
secret = "env:KRAKEN_SECRET"
[options]
venue = "ibkr"
# keep this
[[options.strategies]]
id = "A"
kind = "single"
underlying = "SPY"
legs = [ { right = "P", strike = "440", expiry = "2026-12-18", quantity = -2 } ]
[[assignment_managers]]
venue = "kraken"
time_limit = 60
[terminal.keys]
log = "L"
"""


@dataclass(frozen=True)
class Made:
    path: str
    value: Any = None
    remove: bool = False


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bulkhead.toml"
    path.write_text(TEXT)
    return path


def tables(form: dict) -> Iterator[tuple[str, dict]]:
    """Every table of a form with its path in the file."""

    def below(table: dict, path: str) -> Iterator[tuple[str, dict]]:
        yield path, table
        for one in table["lists"]:
            place = f"{path}.{one['key']}".lstrip(".")
            for at, entry in enumerate(one["entries"]):
                name = f".{entry['name']}" if one["named"] else f"[{at}]"
                yield from below(entry, f"{place}{name}")

    for section in form["sections"]:
        yield from below(section, section["key"])


def fields(file: Path) -> dict:
    return {
        f"{path}.{field['key']}".lstrip("."): field
        for path, table in tables(form_of(open_document(file)))
        for field in table["fields"]
    }


def lists(file: Path) -> dict:
    return {
        f"{path}.{one['key']}".lstrip("."): one
        for path, table in tables(form_of(open_document(file)))
        for one in table["lists"]
    }


def test_the_terminal_reads_the_form_the_engine_draws(file: Path) -> None:
    draft = draft_of(read_form(form_of(open_document(file))))
    paths = {path for path in resulting_paths(draft) if path}
    assert set(fields(file)) | set(lists(file)) <= paths
    assert draft.changes() == ()


def test_every_key_of_the_models_is_in_the_form(file: Path) -> None:
    file.write_text(TEXT + '[allocation]\nvenue = "binance"\n')
    found = fields(file).keys() | lists(file).keys()
    for path, model in (
        ("", Config),
        ("engine.", EngineConfig),
        ("alerts.", AlertsConfig),
        ("venues.ibkr.", IbVenue),
        ("venues.kraken.", CcxtVenue),
        ("options.", OptionsConfig),
        ("options.exit.", ExitConfig),
        ("options.strategies[0].", Strategy),
        ("options.strategies[0].legs[0].", Leg),
        ("assignment_managers[0].", AssignmentManager),
        ("allocation.", AllocationConfig),
        ("terminal.", TerminalConfig),
    ):
        for name in model.model_fields:
            wanted = path + name
            assert any(one == wanted or one.startswith(f"{wanted}.") for one in found), wanted


def test_every_field_carries_what_a_form_needs(file: Path) -> None:
    port = fields(file)["venues.ibkr.port"]
    assert (port["kind"], port["whole"]) == ("number", True)
    assert (port["value"], port["default"], port["required"]) == (4002, 4002, False)
    assert port["label"]
    assert port["help"]
    assert "65535" in port["allowed"]
    assert port["live"] == "after a restart"
    limit = fields(file)["assignment_managers[0].time_limit"]
    assert (limit["value"], limit["unit"], limit["live"]) == (60, "seconds", "for new assignments")
    assert fields(file)["options.exit.escalate"]["default"] == "alarm"
    assert fields(file)["terminal.keys.log"]["value"] == "L"


def test_kinds_follow_the_models(file: Path) -> None:
    found = {path: field["kind"] for path, field in fields(file).items()}
    assert found["armed"] == "switch"
    assert found["mode"] == "choice"
    assert found["options.strategies[0].legs[0].expiry"] == "date"
    assert found["options.strategies[0].legs[0].strike"] == "number"
    assert found["assignment_managers[0].trading_pairs"] == "list"
    assert found["venues.kraken.api_key"] == "secret"
    assert found["alerts.urls"] == "secrets"


def test_of_a_secret_only_the_kind_of_its_reference_is_told(file: Path) -> None:
    found = fields(file)
    assert found["venues.kraken.api_key"]["value"] == "env"
    assert found["venues.kraken.password"]["value"] is None
    assert found["alerts.urls"]["value"] == ["env", "url"]
    text = str(form_of(open_document(file)))
    for hidden in ("KRAKEN_KEY", "HOOK", "tgram", "/abc"):
        assert hidden not in text


def test_what_is_not_in_the_file_can_be_begun(file: Path) -> None:
    sections = {section["key"]: section for section in form_of(open_document(file))["sections"]}
    assert (sections["allocation"]["optional"], sections["allocation"]["present"]) == (True, False)
    assert (sections["options"]["optional"], sections["options"]["present"]) == (True, True)
    strategies = lists(file)["options.strategies"]
    (template,) = strategies["add"]
    assert {one["key"] for one in template["fields"] if one["required"]} == {
        "id",
        "kind",
        "underlying",
    }
    kinds = {
        one["key"]: one["value"]
        for one in lists(file)["venues"]["add"][1]["fields"]
        if one["value"]
    }
    assert kinds == {"kind": "ccxt"}


def test_texts_of_a_form_become_what_the_file_holds(file: Path) -> None:
    document = open_document(file)
    assert typed(document, ("venues", "ibkr", "port"), "4001") == 4001
    assert typed(document, ("venues", "ibkr", "port"), "many") == "many"
    assert typed(document, ("armed",), "false") is False
    leg = {"right": "P", "strike": "430", "expiry": "2026-12-18", "quantity": "2"}
    assert typed(document, ("options", "strategies", 0, "legs", 1), leg)["quantity"] == 2


def test_added_and_removed_entries_keep_the_files_comments(file: Path) -> None:
    document = open_document(file)
    set_value(document, "assignment_managers[1]", {"venue": "kraken"})
    set_value(document, "assignment_managers[0]", None)
    leg = {"right": "P", "strike": "430", "expiry": "2026-12-18", "quantity": 2}
    set_value(document, "options.strategies[0].legs[1]", leg)
    assert document.plain["assignment_managers"] == [{"venue": "kraken"}]
    assert "# keep this" in document.text
    assert "time_limit" not in document.text


def test_removals_go_by_the_places_of_the_file_as_it_was_read(file: Path) -> None:
    for number in range(3):
        file.write_text(f'{file.read_text()}[[assignment_managers]]\nvenue = "v{number}"\n')
    document = open_document(file)
    edit(
        document,
        (
            Made("assignment_managers[2].time_limit", 5),
            Made("assignment_managers[4]", {"venue": "new"}),
            Made("assignment_managers[0]", remove=True),
            Made("assignment_managers[1]", remove=True),
        ),
    )
    assert document.plain["assignment_managers"] == [
        {"venue": "v1", "time_limit": 5},
        {"venue": "v2"},
        {"venue": "new"},
    ]


LEGS = """\
[venues.ibkr]
kind = "ib"
accounts = ["DU1"]
[options]
venue = "ibkr"
[[options.strategies]]
id = "A"
kind = "custom"
underlying = "SPY"
legs = [                                # negative is sold
  { right = "P", strike = "440", expiry = "2026-12-18", quantity = -2 },   # the short put
  { right = "P", strike = "435", expiry = "2026-12-18", quantity = 2 },    # its wing
]
"""


@pytest.mark.parametrize(
    ("legs", "kept"),
    [
        ([("440", -3), ("435", 2)], {"# negative is sold", "# the short put", "# its wing"}),
        ([("435", 2)], {"# negative is sold", "# its wing"}),
        ([("440", -2), ("435", 2), ("430", 1)], {"# negative", "# the short put", "# its wing"}),
        ([("400", -3)], set()),
    ],
    ids=["changed", "removed", "added", "another"],
)
def test_a_list_within_an_entry_keeps_the_comments_of_what_stays(
    tmp_path: Path, legs: list[tuple[str, int]], kept: set[str]
) -> None:
    path = tmp_path / "bulkhead.toml"
    path.write_text(LEGS)
    rows = [
        {"right": "P", "strike": strike, "expiry": "2026-12-18", "quantity": quantity}
        for strike, quantity in legs
    ]
    document = open_document(path)
    edit(document, (Made("options.strategies[0].legs", rows),))
    saved = save(document)
    assert saved.options is not None
    found = saved.options.strategies[0].legs
    assert [(str(leg.strike), leg.quantity) for leg in found] == legs
    assert all(comment in path.read_text() for comment in kept)

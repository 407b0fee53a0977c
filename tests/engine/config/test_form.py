"""The config drawn as a form."""

from pathlib import Path

import pytest

from engine.config.form import form_of, typed
from engine.config.save import open_document, set_value

TEXT = """\
# mine
mode = "paper"
[alerts]
urls = ["env:HOOK", "env:OTHER"]
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
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bulkhead.toml"
    path.write_text(TEXT)
    return path


def fields(file: Path) -> dict:
    form = form_of(open_document(file))
    return {field["path"]: field for section in form["sections"] for field in section["fields"]}


def test_every_field_carries_what_a_form_needs(file: Path) -> None:
    port = fields(file)["venues.ibkr.port"]
    assert port["kind"] == "whole"
    assert (port["value"], port["default"], port["required"]) == ("4002", "4002", False)
    assert port["label"]
    assert port["help"]
    assert "65535" in port["allowed"]
    assert port["live"] == "after a restart"
    limit = fields(file)["assignment_managers[0].time_limit"]
    assert (limit["value"], limit["unit"], limit["live"]) == ("60", "seconds", "at once")


def test_kinds_follow_the_models(file: Path) -> None:
    found = {path: field["kind"] for path, field in fields(file).items()}
    assert found["armed"] == "switch"
    assert found["mode"] == "choice"
    assert found["options.strategies[0].legs[0].expiry"] == "date"
    assert found["options.strategies[0].legs[0].strike"] == "number"
    assert found["assignment_managers[0].trading_pairs"] == "list"
    assert found["venues.kraken.api_key"] == "secret"


def test_secrets_are_only_set_or_not(file: Path) -> None:
    found = fields(file)
    assert found["venues.kraken.api_key"]["value"] == "set"
    assert found["venues.kraken.password"]["value"] is None
    assert found["alerts.urls"]["value"] == "2 set"
    text = str(form_of(open_document(file)))
    assert "KRAKEN_KEY" not in text
    assert "HOOK" not in text


def test_lists_offer_another_entry_that_can_be_filled_in(file: Path) -> None:
    form = form_of(open_document(file))
    offers = {section["path"]: section["add"] for section in form["sections"] if section["add"]}
    assert offers["options.strategies"]["path"] == "options.strategies[1]"
    assert set(offers["options.strategies"]["template"]) == {"id", "kind", "underlying", "legs"}
    assert offers["assignment_managers"]["path"] == "assignment_managers[1]"
    assert offers["allocation"]["template"] == {"venue": ""}


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

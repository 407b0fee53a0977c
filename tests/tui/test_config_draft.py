"""A filled-in form becomes the changes the file needs, and never shows a secret."""

from typing import Any

import pytest

from tests.tui.config_sample import CONFIG
from tui.config_draft import (
    Draft,
    FieldDraft,
    ListDraft,
    TableDraft,
    differences,
    draft_of,
    faults_by_place,
)
from tui.config_form import Fault, NotAForm, read_form, read_verdict
from tui.link import Change
from tui.rows.config_summary import account_division, line_of, summary_of


@pytest.fixture
def draft() -> Draft:
    return draft_of(read_form(CONFIG))


def section(draft: Draft, path: str) -> TableDraft:
    return next(one for one in draft.sections if one.path == path)


def below(draft: Draft, path: str) -> ListDraft:
    return next(one for section in draft.sections for one in section.lists if one.path == path)


def field(draft: Draft, path: str) -> FieldDraft:
    tables = [*draft.sections]
    while tables:
        table = tables.pop()
        for one in table.fields:
            if one.path == path:
                return one
        tables += [entry for lower in table.lists for entry in lower.entries]
    raise AssertionError(path)


def test_an_untouched_form_changes_nothing(draft: Draft) -> None:
    assert draft.changes() == ()
    assert not draft.changed
    assert differences(draft) == []


@pytest.mark.parametrize(
    ("path", "typed", "value"),
    [
        ("options.close_at_dte", "2", 2),
        ("options.close_at_dte", "soon", "soon"),
        ("options.exit.max_slippage", "0.2", "0.2"),
        ("assignment_managers[0].trading_pairs", "BTC-USD, SOL-USD,", ["BTC-USD", "SOL-USD"]),
        ("options.strategies[0].id", "SPY-2", "SPY-2"),
        ("venues.kraken.api_key", "env:OTHER", "env:OTHER"),
        ("alerts.urls", "env:A, file:/b", ["env:A", "file:/b"]),
    ],
)
def test_what_is_typed_is_sent_in_the_form_of_its_key(
    draft: Draft, path: str, typed: str, value: Any
) -> None:
    field(draft, path).type(typed)
    assert draft.changes() == (Change(path=path, value=value),)


def test_nothing_typed_takes_the_key_out(draft: Draft) -> None:
    field(draft, "options.close_at_dte").type("")
    assert draft.changes() == (Change(path="options.close_at_dte", remove=True),)


def test_typing_back_what_was_there_is_no_change(draft: Draft) -> None:
    one = field(draft, "options.close_at_dte")
    one.type("2")
    one.type("1")
    assert draft.changes() == ()


def test_choices_and_switches_go_round(draft: Draft) -> None:
    mode, armed = field(draft, "mode"), field(draft, "armed")
    mode.step(1)
    armed.step(1)
    assert (mode.value, armed.value) == ("live", False)
    mode.step(1)
    assert mode.value == "paper"
    field(draft, "options.exit.escalate").step(-1)
    assert draft.changes() == (
        Change(path="armed", value=False),
        Change(path="options.exit.escalate", value="market"),
    )


def test_a_new_entry_goes_whole_and_only_with_what_was_filled_in(draft: Draft) -> None:
    sets = below(draft, "allocation.parameter_sets")
    entry = sets.add(sets.form.add[0])
    entry.fields[0].type("SOLUSDT")
    entry.fields[1].type("10")
    assert draft.changes() == (
        Change(
            path="allocation.parameter_sets[3]",
            value={"symbol": "SOLUSDT", "allocation_percent": "10"},
        ),
    )


def test_a_named_entry_goes_by_its_name(draft: Draft) -> None:
    venues = below(draft, "venues")
    entry = venues.add(venues.form.add[1], "okx")
    assert entry.path == "venues.okx"
    assert draft.changes() == (Change(path="venues.okx", value={"kind": "ccxt"}),)


def test_removals_come_last_with_the_places_of_the_file(draft: Draft) -> None:
    sets = below(draft, "allocation.parameter_sets")
    sets.entries[0].removed = True
    sets.entries[1].fields[1].type("20")
    new = sets.add(sets.form.add[0])
    new.removed = True
    sets.add(sets.form.add[0]).fields[0].type("XRPUSDT")
    assert [(one.path, one.remove) for one in draft.changes()] == [
        ("allocation.parameter_sets[1].allocation_percent", False),
        ("allocation.parameter_sets[3]", False),
        ("allocation.parameter_sets[0]", True),
    ]


def test_a_list_within_an_entry_goes_whole(draft: Draft) -> None:
    legs = below(draft, "options.strategies").entries[0].lists[0]
    legs.entries[0].fields[3].type("-3")
    legs.entries[3].removed = True
    (change,) = draft.changes()
    assert change.path == "options.strategies[0].legs"
    assert [leg["quantity"] for leg in change.value] == [-3, 2, -2]
    assert change.value[0] == {
        "right": "P",
        "strike": "440",
        "expiry": "2026-12-18",
        "quantity": -3,
    }


def test_an_optional_table_can_be_taken_out(draft: Draft) -> None:
    section(draft, "allocation").removed = True
    assert draft.changes() == (Change(path="allocation", remove=True),)


# --- secrets -------------------------------------------------------------------------------------


def test_of_a_secret_only_the_kind_of_its_reference_is_shown(draft: Draft) -> None:
    key = field(draft, "venues.kraken.api_key")
    assert key.shown == "set (env)"
    assert key.as_typed == ""
    assert field(draft, "venues.kraken.password").shown == "not set"
    key.type("sk-live-0123456789")
    assert key.shown == "set (not a reference)"
    assert "0123" not in str(differences(draft))
    key.type("file:/run/key")
    assert differences(draft)[0].after == "set (file)"


def test_a_secret_that_was_not_touched_is_never_sent(draft: Draft) -> None:
    field(draft, "venues.kraken.sandbox").step(1)
    assert draft.changes() == (Change(path="venues.kraken.sandbox", value=True),)


# --- faults --------------------------------------------------------------------------------------


def test_faults_find_their_field_also_after_entries_before_it_went(draft: Draft) -> None:
    sets = below(draft, "allocation.parameter_sets")
    sets.entries[0].removed = True
    faults = (
        Fault(path="allocation.parameter_sets[0].z_score_threshold", text="a", allowed=""),
        Fault(path="allocation.parameter_sets", text="b", allowed=""),
        Fault(path="assignment_managers[0].trading_pairs[1]", text="c", allowed=""),
        Fault(path="options.strategies[0].legs[2].strike", text="d", allowed=""),
        Fault(path="nowhere.at.all", text="e", allowed=""),
    )
    known, loose = faults_by_place(draft, faults)
    threshold = next(f for f in sets.entries[1].fields if f.form.key == "z_score_threshold")
    assert [fault.text for fault in known[id(threshold)]] == ["a"]
    assert [fault.text for fault in known[id(sets)]] == ["b"]
    pairs = field(draft, "assignment_managers[0].trading_pairs")
    assert [fault.text for fault in known[id(pairs)]] == ["c"]
    legs = below(draft, "options.strategies").entries[0].lists[0]
    assert [fault.text for fault in known[id(legs.entries[2].fields[1])]] == ["d"]
    assert [fault.text for fault in loose] == ["e"]


@pytest.mark.parametrize(
    "answer", [None, [], "text", {"sections": 3}, {"sections": [3]}, {"sections": [{"fields": 1}]}]
)
def test_an_answer_that_is_no_form_is_said(answer: object) -> None:
    with pytest.raises(NotAForm):
        read_form(answer)


def test_a_kind_of_field_from_a_newer_engine_is_typed_as_text() -> None:
    form = read_form({"sections": [{"title": "X", "fields": [{"key": "k", "kind": "colour"}]}]})
    assert form.sections[0].fields[0].kind == "text"


def test_a_verdict_that_is_none_is_said() -> None:
    with pytest.raises(NotAForm):
        read_verdict("fine")


# --- what it amounts to --------------------------------------------------------------------------


def manager(draft: Draft) -> TableDraft:
    return below(draft, "assignment_managers").entries[0]


def test_a_manager_with_barriers_is_told_in_words(draft: Draft) -> None:
    text = " ".join(summary_of("assignment_managers", manager(draft)))
    for part in (
        "Watches kraken: BTC-USD, ETH-USD.",
        "Closes 100% of an assigned position by market order, within 0.1% of the touch",
        "held at most 4h00m",
        "Stop loss 5%, take profit 10%.",
    ):
        assert part in text


def test_a_manager_without_a_time_limit_closes_at_once(draft: Draft) -> None:
    entry = manager(draft)
    next(f for f in entry.fields if f.form.key == "time_limit").type("0")
    text = " ".join(summary_of("assignment_managers", entry))
    assert "Immediate close (time limit 0): no barriers are used." in text
    assert "closes at once" in line_of("assignment_managers", entry)


def test_a_manager_without_a_stop_is_warned_about(draft: Draft) -> None:
    entry = manager(draft)
    next(f for f in entry.fields if f.form.key == "stop_loss_pct").type("")
    assert "Nothing limits a loss" in " ".join(summary_of("assignment_managers", entry))


def test_the_sets_say_how_they_divide_the_account(draft: Draft) -> None:
    allocation = section(draft, "allocation")
    assert account_division(allocation) == (
        "3 sets together promise 99.9% of the account; 0.1% stays free."
    )
    allocation.lists[0].entries[0].fields[1].type("50")
    assert account_division(allocation).endswith("more than the account.")


def test_summaries_of_what_is_half_filled_in_do_no_harm(draft: Draft) -> None:
    for path in ("assignment_managers", "allocation.parameter_sets", "options.strategies"):
        lists = below(draft, path)
        entry = lists.add(lists.form.add[0])
        assert summary_of(lists.form.key, entry)
        assert line_of(lists.form.key, entry)

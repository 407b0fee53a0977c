"""The config form: every key the engine's config has, checked by the engine while it is typed.

Nothing is written before a person has seen what changes and what it does.
"""

from dataclasses import replace
from functools import partial

from textual import events
from textual.timer import Timer
from textual.widgets import Input

from tui.config_draft import FieldDraft, ListDraft, differences, draft_of, is_reference_so_far
from tui.config_form import Fault, FormTable, NotAForm, Verdict, read_form, read_verdict
from tui.config_terminal import terminal_faults, with_actions
from tui.messages import ConfigChecked, ConfigRead, ConfigSaved
from tui.rows.config import ENTRY, value_column
from tui.screens.form_screen import FormScreen
from tui.screens.save_sheet import LeaveSheet, SaveSheet
from tui.view import View

CHECK_AFTER_SECONDS = 0.25


class ConfigForm(FormScreen):
    def __init__(self) -> None:
        super().__init__()
        self._question = 0
        self._answered = 0
        self._waiting: Timer | None = None
        self._editing: FieldDraft | None = None
        self._before_editing: object = None
        self._save_wanted = False

    def on_mount(self) -> None:
        self.terminal.requests.read_config(self)

    # --- what the engine answers -----------------------------------------------------------------

    def show_body(self, view: View) -> None:
        super().show_body(view)
        self._place_entry()

    def on_config_read(self, message: ConfigRead) -> None:
        try:
            if message.failed is not None:
                raise NotAForm(message.failed)
            self._draft = draft_of(with_actions(read_form(message.data)))
            self._failed = ""
        except NotAForm as error:
            self._draft, self._failed = None, str(error)
        self._levels = []
        self._judge(Verdict())
        self.show_view(self.terminal.view)

    def on_config_checked(self, message: ConfigChecked) -> None:
        if message.number != self._question:
            return
        self._answered = message.number
        try:
            if message.failed is not None:
                raise NotAForm(message.failed)
            self._judge(read_verdict(message.data))
        except NotAForm as error:
            self._judge(Verdict(faults=(Fault(path="", text=str(error), allowed=""),)))
        self.show_view(self.terminal.view)
        if self._save_wanted:
            self._save_wanted = False
            self._offer_save()

    def on_config_saved(self, message: ConfigSaved) -> None:
        if message.answer is None:
            self.terminal.say("No answer came: look at the file before saving again.", bad=True)
        elif message.answer.done:
            self.terminal.say(message.answer.message or "Saved.")
            self.terminal.requests.read_config(self)
        else:
            self.terminal.say(message.answer.message or "Not saved.", bad=True)

    def _judge(self, verdict: Verdict) -> None:
        """Take the engine's verdict, and add what only the terminal can tell."""
        own = (
            () if self._draft is None else terminal_faults(self._draft, self.terminal.palette_names)
        )
        self._verdict = replace(verdict, faults=(*verdict.faults, *own))
        self._sort_faults()

    def _check_soon(self) -> None:
        """Ask for faults once the typing has paused."""
        if self._waiting is not None:
            self._waiting.stop()
        self._waiting = self.set_timer(CHECK_AFTER_SECONDS, self._check)
        self.show_view(self.terminal.view)

    def _check(self) -> None:
        self._waiting = None
        if self._draft is not None:
            self._question += 1
            self.terminal.requests.check_config(self, self._draft.changes(), self._question)

    # --- moving ----------------------------------------------------------------------------------

    def action_run_key(self, action_id: str) -> None:
        if self._editing is not None and action_id in ("down", "up", "page-down", "page-up"):
            self._end_editing(keep=True)
        super().action_run_key(action_id)
        if action_id in ("down", "up", "page-down", "page-up", "top", "bottom"):
            self._show_help()

    def do_edit(self) -> None:
        field, entry = self._field(), self._entry_at(self.hands.cursor)
        if field is not None:
            if field.form.kind.is_typed:
                self._begin_editing(field)
            else:
                self.do_next_choice()
        elif entry is not None:
            self._open(entry)
        elif self._list_at(self.hands.cursor) is not None:
            self.do_new()

    def do_back(self) -> None:
        """Out of the line typed into, the prompt, the filter, the entry, the form."""
        if self._editing is not None:
            self._end_editing(keep=False)
        elif self.is_prompting or self._filter:
            self._filter = ""
            self.end_prompt()
        elif self._levels:
            self._close_level()
        elif self._draft is not None and self._draft.changed:
            count = len(differences(self._draft))
            self.app.push_screen(LeaveSheet(count, self._leave))
        else:
            self.dismiss()

    def _leave(self) -> None:
        self.dismiss()

    # --- changing --------------------------------------------------------------------------------

    def do_next_choice(self) -> None:
        self._step(1)

    def do_previous_choice(self) -> None:
        self._step(-1)

    def _step(self, direction: int) -> None:
        field = self._field()
        if field is not None and not field.form.kind.is_typed:
            field.step(direction)
            self._check_soon()

    def do_revert(self) -> None:
        field, entry = self._field(), self._entry_at(self.hands.cursor)
        section = self._section_at(self.hands.cursor)
        if field is not None:
            field.revert()
        elif entry is not None and entry.removed:
            entry.removed = False
        elif section is not None:
            section.removed = False
        else:
            return
        self._check_soon()

    def do_remove(self) -> None:
        field, entry = self._field(), self._entry_at(self.hands.cursor)
        section = self._section_at(self.hands.cursor)
        if field is not None:
            field.clear()
        elif entry is not None:
            below = self._list_at(self.hands.cursor)
            if entry.is_new and below is not None and below.entries[-1] is entry:
                below.entries.remove(entry)
            else:
                entry.removed = not entry.removed
        elif section is not None and section.form.present:
            section.removed = not section.removed
        else:
            return
        self._check_soon()

    def do_new(self) -> None:
        below = self._list_at(self.hands.cursor)
        if below is None or not below.form.add:
            self.terminal.say("Select a list first: n adds an entry to it.")
        elif len(below.form.add) == 1:
            self._name_and_add(below, below.form.add[0])
        else:
            kinds = "  ".join(f"{n} {one.title}" for n, one in enumerate(below.form.add, start=1))
            entered = partial(self._add_kind, below)
            self.prompt(f"which kind?  {kinds}", "", typed=lambda _: None, entered=entered)

    def _add_kind(self, below: ListDraft, text: str) -> None:
        if text.strip().isdigit() and 1 <= int(text) <= len(below.form.add):
            self._name_and_add(below, below.form.add[int(text) - 1])

    def _name_and_add(self, below: ListDraft, template: FormTable) -> None:
        if not below.form.named:
            self._add(below, template, "")
            return
        entered = partial(self._add, below, template)
        self.prompt(f"a name for the {below.form.noun}", "", typed=lambda _: None, entered=entered)

    def _add(self, below: ListDraft, template: FormTable, name: str) -> None:
        name = name.strip()
        taken = {entry.name for entry in below.entries}
        if below.form.named and (not name or name in taken):
            self.terminal.say(f"A {below.form.noun} needs a name that no other has.", bad=True)
            return
        entry = below.add(template, name)
        self._check_soon()
        self.hands.select(ENTRY + entry.path)
        self._open(entry)

    # --- the line typed into ---------------------------------------------------------------------

    def _begin_editing(self, field: FieldDraft) -> None:
        self._editing, self._before_editing = None, (field.value, field.touched)
        entry = self.query_one("#field", Input)
        entry.value = field.as_typed
        entry.password = False
        entry.display = True
        self._editing = field
        self.set_focus(entry)
        entry.cursor_position = len(entry.value)
        self._place_entry()

    def _place_entry(self) -> None:
        """Lay the entry over the value it edits, wherever its row stands now."""
        y = self.hands.cursor_y
        if self._editing is None or y is None:
            return
        left = 1 + value_column(self.hands.row_width)
        entry = self.query_one("#field", Input)
        entry.styles.offset = (left, self.hands.region.y + y)
        entry.styles.width = max(10, self.size.width - left - 2)

    def on_input_changed(self, event: Input.Changed) -> None:
        """The prompt's own changes are the frame's to hear, and it does."""
        if event.input.id == "field" and self._editing is not None:
            if self._editing.form.kind.is_secret:
                event.input.password = not is_reference_so_far(event.value)
            self._editing.type(event.value)
            self._check_soon()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "field" and self._editing is not None:
            self._end_editing(keep=True)
            self.hands.move(1)
            self._show_help()

    def _end_editing(self, *, keep: bool) -> None:
        field, self._editing = self._editing, None
        if field is not None and not keep:
            field.value, field.touched = self._before_editing  # type: ignore[misc]
        elif field is not None and field.form.kind.is_secret and not field.as_typed:
            # Opened and left empty: what is set stays set.
            field.revert()
        self.query_one("#field", Input).display = False
        self.set_focus(None)
        self._check_soon()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        if event.widget.id == "field" and self._editing is not None:
            self._end_editing(keep=True)

    # --- saving ----------------------------------------------------------------------------------

    def do_save(self) -> None:
        if self._editing is not None:
            self._end_editing(keep=True)
        if self._draft is None or not self._draft.changed:
            self.terminal.say("Nothing has changed: there is nothing to save.")
            return
        # What was typed last must have been checked before it is offered.
        self._save_wanted = True
        if self._waiting is not None:
            self._waiting.stop()
        self._check()

    def _offer_save(self) -> None:
        assert self._draft is not None
        faults = self._verdict.faults
        if faults:
            where = f"{faults[0].path}: " if faults[0].path else ""
            more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
            text = f"Not saved: {where}{faults[0].text}{more}"
            self.terminal.say(text, bad=True)
            return
        draft = self._draft
        save = partial(
            self.terminal.requests.save_config, self, draft.changes(), draft.form.fingerprint
        )
        self.app.push_screen(
            SaveSheet(draft.form.path, differences(draft), self._verdict.effects, save)
        )

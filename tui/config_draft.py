"""A config form being filled in: what was, what is typed, and the changes that lead from one to the
other. Knows no screen and asks no engine.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tui.config_form import Fault, FieldKind, Form, FormField, FormList, FormTable
from tui.link import Change

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_REFERENCES = ("env:", "file:", "keyring:")
_MASK = "●"


@dataclass(slots=True)
class FieldDraft:
    """value is in the form the file takes, None where the key is not set."""

    form: FormField
    table: "TableDraft"
    value: Any
    touched: bool = False

    @property
    def path(self) -> str:
        return joined(self.table.path, self.form.key)

    @property
    def changed(self) -> bool:
        if self.form.kind.is_secret:
            return self.touched
        return bool(self.value != self.form.value)

    def type(self, text: str) -> None:
        """Take what a person typed; nothing typed means that the default holds."""
        self.touched = True
        self.value = _value_of(self.form, text)

    def step(self, direction: int) -> None:
        """Go to the next value of a switch or a choice."""
        self.touched = True
        now = self.value if self.value is not None else self.form.default
        if self.form.kind is FieldKind.SWITCH:
            self.value = not now
        elif self.form.choices:
            choices = self.form.choices
            at = choices.index(str(now)) if str(now) in choices else -direction
            self.value = choices[(at + direction) % len(choices)]

    def clear(self) -> None:
        self.touched = self.form.value is not None or self.value is not None
        self.value = None

    def revert(self) -> None:
        self.touched = False
        self.value = self.form.value

    @property
    def as_typed(self) -> str:
        """What stands in the line a person types into; a secret that is set begins empty."""
        if self.form.kind.is_secret and not self.touched:
            return ""
        if isinstance(self.value, list | tuple):
            return ", ".join(str(one) for one in self.value)
        return "" if self.value is None else str(self.value)

    @property
    def shown(self) -> str:
        """The value as a row shows it; never a secret, and of a reference only its kind."""
        value = self.value if self.value is not None else self.form.default
        if self.form.kind.is_secret:
            return _secret_words(self.value, typed=self.touched)
        return written(value, self.form.kind)


def written(value: Any, kind: FieldKind) -> str:
    if value is None:
        return "not set"
    if kind is FieldKind.SWITCH:
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "none"
    return str(value)


def _secret_words(value: Any, *, typed: bool) -> str:
    if value is None or value == []:
        return "not set"
    kinds = value if isinstance(value, list | tuple) else [value]
    words = ", ".join(reference_kind(str(one)) if typed else str(one) for one in kinds)
    return f"set ({words})"


def reference_kind(text: str) -> str:
    """What a typed reference is, without repeating it: somebody may have pasted the secret."""
    found = next((prefix for prefix in _REFERENCES if text.startswith(prefix)), "")
    if found:
        return found.removesuffix(":")
    return "url" if "://" in text else "not a reference"


def is_reference_so_far(text: str) -> bool:
    """Whether what is typed may be shown: it is, or may become, a reference and no secret."""
    return any(text.startswith(one) or one.startswith(text) for one in _REFERENCES)


def _value_of(form: FormField, text: str) -> Any:
    text = text.strip()
    if form.kind in (FieldKind.LIST, FieldKind.SECRETS):
        items = [part.strip() for part in text.split(",") if part.strip()]
        return items if items or form.required else None
    if not text:
        return None
    if form.kind is FieldKind.NUMBER and form.whole and _WHOLE.fullmatch(text):
        return int(text)
    return text


@dataclass(slots=True)
class TableDraft:
    """place is its number in its list, or its name in a named one; new entries have one too."""

    form: FormTable
    path: str
    fields: list[FieldDraft] = field(default_factory=list)
    lists: list["ListDraft"] = field(default_factory=list)
    is_new: bool = False
    removed: bool = False
    name: str = ""

    def value(self, key: str) -> Any:
        """The value in force for a key: typed, from the file, or the default."""
        for one in self.fields:
            if one.form.key == key:
                return one.value if one.value is not None else one.form.default
        return None

    @property
    def changed(self) -> bool:
        return (
            self.is_new
            or self.removed
            or any(one.changed for one in self.fields)
            or any(one.changed for one in self.lists)
        )

    def as_value(self) -> dict[str, Any]:
        """The whole table as plain data: what is set, nothing else."""
        data: dict[str, Any] = {}
        for one in self.fields:
            if one.value is not None:
                *tables, last = one.form.key.split(".")
                place = data
                for name in tables:
                    place = place.setdefault(name, {})
                place[last] = list(one.value) if isinstance(one.value, tuple) else one.value
        for below in self.lists:
            data[below.form.key] = [entry.as_value() for entry in below.kept]
        return data


@dataclass(slots=True)
class ListDraft:
    form: FormList
    path: str
    nested: bool
    entries: list[TableDraft] = field(default_factory=list)

    @property
    def kept(self) -> list[TableDraft]:
        return [entry for entry in self.entries if not entry.removed]

    @property
    def changed(self) -> bool:
        return any(entry.changed for entry in self.entries)

    def add(self, template: FormTable, name: str = "") -> TableDraft:
        entry = table_draft(template, self._new_path(name), nested=True)
        entry.is_new, entry.name = True, name
        self.entries.append(entry)
        return entry

    def _new_path(self, name: str) -> str:
        return joined(self.path, name) if self.form.named else f"{self.path}[{len(self.entries)}]"


@dataclass(slots=True)
class Draft:
    """The whole form as it is filled in."""

    form: Form
    sections: list[TableDraft]

    @property
    def changed(self) -> bool:
        return any(section.changed for section in self.sections)

    def changes(self) -> tuple[Change, ...]:
        """What leads from the file to the draft: values first, then removals."""
        found = [change for section in self.sections for change in _changes(section)]
        return (
            *(change for change in found if not change.remove),
            *(change for change in found if change.remove),
        )


def draft_of(form: Form) -> Draft:
    return Draft(form, [table_draft(one, one.key, nested=False) for one in form.sections])


def table_draft(form: FormTable, path: str, *, nested: bool) -> TableDraft:
    table = TableDraft(form, path, name=form.name)
    table.fields = [FieldDraft(one, table, one.value) for one in form.fields]
    for below in form.lists:
        place = joined(path, below.key)
        entries = [
            table_draft(
                entry, joined(place, entry.name) if below.named else f"{place}[{n}]", nested=True
            )
            for n, entry in enumerate(below.entries)
        ]
        table.lists.append(ListDraft(below, place, nested, entries))
    return table


def joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _changes(table: TableDraft) -> Iterator[Change]:
    if table.removed:
        if not table.is_new:
            yield Change(path=table.path, remove=True)
        return
    for one in table.fields:
        if one.changed:
            removed = one.value is None
            yield Change(path=one.path, value=one.value, remove=removed)
    for below in table.lists:
        if below.nested and below.changed:
            yield Change(path=below.path, value=[entry.as_value() for entry in below.kept])
        elif not below.nested:
            yield from _entry_changes(below)


def _entry_changes(below: ListDraft) -> Iterator[Change]:
    beyond = len(below.form.entries)
    for entry in below.entries:
        if not entry.is_new:
            yield from _changes(entry)
        elif not entry.removed:
            path = entry.path if below.form.named else f"{below.path}[{beyond}]"
            beyond += 1
            yield Change(path=path, value=entry.as_value())


# --- faults and differences ----------------------------------------------------------------------


def resulting_paths(draft: Draft) -> dict[str, FieldDraft | TableDraft | ListDraft]:
    """Where everything will stand once the changes are made: faults name these paths."""
    found: dict[str, FieldDraft | TableDraft | ListDraft] = {}
    for section in draft.sections:
        _gather(section, section.path, found)
    return found


def _gather(
    table: TableDraft, path: str, found: dict[str, FieldDraft | TableDraft | ListDraft]
) -> None:
    found[path] = table
    for one in table.fields:
        found[joined(path, one.form.key)] = one
    for below in table.lists:
        place = joined(path, below.form.key)
        found[place] = below
        for number, entry in enumerate(below.kept):
            name = entry.name if below.form.named else ""
            _gather(entry, joined(place, name) if name else f"{place}[{number}]", found)


def faults_by_place(
    draft: Draft, faults: tuple[Fault, ...]
) -> tuple[dict[int, list[Fault]], list[Fault]]:
    """Sort faults to what they are about, by its id(); the rest belongs to nothing on the form."""
    places = resulting_paths(draft)
    known: dict[int, list[Fault]] = {}
    loose = []
    for fault in faults:
        path = fault.path
        # A fault inside a list of texts is shown at the list.
        while path and path not in places:
            path = path.rpartition("[")[0] if path.endswith("]") else path.rpartition(".")[0]
        if path:
            known.setdefault(id(places[path]), []).append(fault)
        else:
            loose.append(fault)
    return known, loose


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of the summary before a save."""

    where: str
    what: str
    before: str
    after: str
    live: str


def differences(draft: Draft) -> list[Difference]:
    return [one for section in draft.sections for one in _differences(section, section.form.title)]


def _differences(table: TableDraft, where: str) -> Iterator[Difference]:
    if table.removed:
        if not table.is_new:
            yield Difference(where, "", "", "removed", "")
        return
    if table.is_new:
        count = sum(one.value is not None for one in table.fields)
        yield Difference(where, "", "", f"new, {count} values", "")
        return
    for one in table.fields:
        if one.changed:
            secret = one.form.kind.is_secret
            before = (
                _secret_words(one.form.value, typed=False)
                if secret
                else written(
                    one.form.value if one.form.value is not None else one.form.default,
                    one.form.kind,
                )
            )
            after = f"{one.shown} {one.form.unit}".rstrip()
            yield Difference(where, one.form.label, before, after, one.form.live)
    for below in table.lists:
        for number, entry in enumerate(below.entries, start=1):
            name = entry_name(entry) or f"{below.form.noun} {number}"
            yield from _differences(entry, f"{where} › {name}")


def entry_name(entry: TableDraft) -> str:
    """What an entry is called: its name, or the first text that tells it apart."""
    if entry.name:
        return entry.name
    for key in ("id", "symbol", "name"):
        value = entry.value(key)
        if value:
            return str(value)
    return ""


def masked(text: str) -> str:
    return text if is_reference_so_far(text) else _MASK * len(text)

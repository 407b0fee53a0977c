"""The config form as rows: fields under their groups, entries under their lists, faults beneath.

A key names what a row is: "f:PATH" a field, "l:PATH" a list, "e:PATH" an entry, "s:KEY" a table.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from tui.config_draft import FieldDraft, ListDraft, TableDraft, entry_name
from tui.config_form import Fault, FieldKind
from tui.rows.cells import BLANK, Block, Row, Span, Tone, block, cell, line, spread
from tui.rows.config_summary import account_division, line_of, summary_of
from tui.rows.text import clean, wrap

MARK, LABEL = 2, 24
FIELD, LIST, ENTRY, TABLE = "f:", "l:", "e:", "s:"
Faults = Mapping[int, Sequence[Fault]]


def value_column(width: int) -> int:
    """Where values begin; a narrow screen gives them more room."""
    return MARK + (LABEL if width >= 70 else 20)


def root_blocks(
    sections: Sequence[TableDraft],
    faults: Faults,
    loose: Sequence[Fault],
    *,
    width: int,
    filter_text: str = "",
) -> list[Block]:
    """Every section one below the other."""
    wanted = filter_text.lower()
    blocks = [block("", _fault_rows([one], width, indent=MARK)) for one in loose]
    for section in sections:
        all_of_it = wanted in section.form.title.lower()
        inside = _table_blocks(section, faults, width, "" if all_of_it else wanted, grouped=False)
        if wanted and not inside:
            continue
        blocks.append(block("", [BLANK]))
        if not _is_one_list(section):
            blocks.append(_section_block(section, faults, width))
        if (
            section.form.optional
            and not section.form.present
            and not section.changed
            and not wanted
        ):
            words = "not in the file: fill in a field to begin it"
            blocks.append(block("", [line(Span(f"  {words}", Tone.MUTED), width=width)]))
        blocks += inside
    return blocks[1:] if blocks and not wanted and not loose else blocks


def entry_blocks(
    entry: TableDraft, list_key: str, faults: Faults, *, width: int, filter_text: str = ""
) -> list[Block]:
    """One entry: its groups of fields, the lists in it, and what it amounts to."""
    blocks = [
        block("", rows) for rows in [_fault_rows(faults.get(id(entry), ()), width, MARK)] if rows
    ]
    blocks += _table_blocks(entry, faults, width, filter_text.lower(), grouped=True)
    summary = summary_of(list_key, entry)
    if summary and not filter_text:
        rows = [BLANK, _heading("Summary", width)]
        for text in summary:
            rows += [line(Span(f"  {part}"), width=width) for part in wrap(text, width - 2)]
        blocks.append(block("", rows))
    return blocks


def _is_one_list(section: TableDraft) -> bool:
    """A section that is nothing but a list of its own name needs no heading besides the list's."""
    titles = [below.form.title for below in section.lists]
    return not section.fields and titles == [section.form.title]


def _heading(text: str, width: int) -> Row:
    return line(Span(clean(text), Tone.TITLE), width=width, band=True)


def _section_block(section: TableDraft, faults: Faults, width: int) -> Block:
    division = account_division(section)
    note = division or section.form.help
    if section.removed:
        note = "will be taken out"
    tone = Tone.BAD if section.removed else Tone.MUTED
    row = spread(
        [Span(clean(section.form.title), Tone.TITLE)],
        [Span(f" {clean(note)}", tone)] if len(note) < width - 20 else [],
        width=width,
    )
    key = TABLE + section.form.key if section.form.optional else ""
    rows = [Row(row.spans, key, True)]
    rows += [Row(r.spans, key) for r in _fault_rows(faults.get(id(section), ()), width, MARK)]
    return block(key, rows)


def _table_blocks(
    table: TableDraft, faults: Faults, width: int, wanted: str, *, grouped: bool
) -> list[Block]:
    blocks: list[Block] = []
    fields = [one for one in table.fields if _found(one, wanted)]
    groups = [(name, list(members)) for name, members in groupby(fields, lambda f: f.form.group)]
    for number, (name, members) in enumerate(groups):
        if grouped and len({g for g, _ in groups}) > 1:
            rows = [_heading(name, width)]
            blocks.append(block("", rows if number == 0 and not blocks else [BLANK, *rows]))
        blocks += [_field_block(one, faults.get(id(one), ()), width) for one in members]
    for below in table.lists:
        blocks += _list_blocks(below, faults, width, wanted, band=_is_one_list(table))
    return blocks


def _found(field: FieldDraft, wanted: str) -> bool:
    form = field.form
    return not wanted or wanted in f"{form.label} {form.help} {field.path} {field.shown}".lower()


# --- a field -------------------------------------------------------------------------------------


def _field_block(field: FieldDraft, faults: Sequence[Fault], width: int) -> Block:
    key = FIELD + field.path
    rows = [_field_row(field, bool(faults), width)]
    rows += _fault_rows(faults, width, value_column(width))
    return block(key, [Row(row.spans, key, row.band) for row in rows])


def _field_row(field: FieldDraft, faulty: bool, width: int) -> Row:
    form = field.form
    sign, tone = (" ", Tone.PLAIN)
    if faulty:
        sign, tone = "×", Tone.BAD
    elif field.changed:
        sign, tone = "•", Tone.ACTIVE
    by_default = field.value is None
    value_tone = Tone.BAD if faulty else Tone.ACTIVE if field.changed else Tone.STRONG
    if by_default and not field.changed and not faulty:
        value_tone = Tone.MUTED
    left = [
        Span(f"{sign} ", tone),
        cell(form.label, value_column(width) - MARK, Tone.PLAIN),
        Span(_shown(field), value_tone),
        Span(f" {form.unit}" if form.unit and field.shown != "not set" else "", Tone.MUTED),
    ]
    return spread(left, [Span(f" {note}", Tone.MUTED) for note in _notes(field)], width=width)


def _shown(field: FieldDraft) -> str:
    """A choice shows that there is more to choose from."""
    shown = clean(field.shown)
    chosen = field.form.kind is FieldKind.CHOICE and len(field.form.choices) > 1
    return f"‹ {shown} ›" if chosen else shown


def _notes(field: FieldDraft) -> list[str]:
    form = field.form
    if field.changed and form.live:
        return [form.live]
    if field.value is None:
        return ["must be set"] if form.required else ["default"] if form.default is not None else []
    return []


def _fault_rows(faults: Sequence[Fault], width: int, indent: int) -> list[Row]:
    rows = []
    for fault in faults:
        text = f"{fault.text}; allowed: {fault.allowed}" if fault.allowed else fault.text
        rows += [
            line(Span(" " * indent), Span(part, Tone.BAD), width=width)
            for part in wrap(text, max(10, width - indent), most=3)
        ]
    return rows


def help_lines(field: FieldDraft, width: int) -> tuple[Row, ...]:
    """What the field under the cursor means, what it may be, and when a change takes hold."""
    form = field.form
    texts = list(wrap(form.help, width, most=2))
    allowed = f"allowed: {form.allowed}" if form.allowed else ""
    if form.kind is FieldKind.CHOICE:
        allowed = "one of: " + ", ".join(form.choices)
    live = f"takes hold {form.live}" if form.live else ""
    facts = "; ".join(part for part in (allowed, live) if part)
    rows = [line(Span(text), width=width) for text in texts]
    rows += [
        line(Span(text, Tone.MUTED), width=width) for text in wrap(facts, width, most=2) if text
    ]
    return tuple(rows)


# --- a list --------------------------------------------------------------------------------------


def _list_blocks(
    below: ListDraft, faults: Faults, width: int, wanted: str, *, band: bool
) -> Iterator[Block]:
    all_of_it = wanted in below.form.title.lower()
    entries = [
        entry
        for entry in below.entries
        if all_of_it or wanted in _entry_words(below, entry).lower() or _any_field(entry, wanted)
    ]
    if not all_of_it and not entries:
        return
    key = LIST + below.path
    count = len(below.kept)
    head = spread(
        [
            Span("" if band else "  "),
            Span(f"{clean(below.form.title)} ", Tone.TITLE),
            Span(str(count), Tone.MUTED),
        ],
        [Span(" n adds one", Tone.MUTED)],
        width=width,
    )
    rows = [head, *_fault_rows(faults.get(id(below), ()), width, MARK)]
    yield block(key, [Row(row.spans, key, band and row is head) for row in rows])
    for number, entry in enumerate(below.entries, start=1):
        if entry in entries:
            yield _entry_block(below, entry, number, faults, width)


def _any_field(entry: TableDraft, wanted: str) -> bool:
    return any(_found(one, wanted) for one in entry.fields)


def _entry_words(below: ListDraft, entry: TableDraft) -> str:
    return clean(f"{entry_name(entry)} {line_of(below.form.key, entry)}")


def _entry_block(
    below: ListDraft, entry: TableDraft, number: int, faults: Faults, width: int
) -> Block:
    key = ENTRY + entry.path
    broken = _count_faults(entry, faults)
    sign, tone = " ", Tone.PLAIN
    if entry.removed:
        sign, tone = "×", Tone.MUTED
    elif broken:
        sign, tone = "×", Tone.BAD
    elif entry.is_new:
        sign, tone = "+", Tone.ACTIVE
    elif entry.changed:
        sign, tone = "•", Tone.ACTIVE
    name = entry_name(entry) or str(number)
    note = ""
    if entry.removed:
        note = "will be removed"
    elif broken:
        note = f"{broken} faults" if broken > 1 else "1 fault"
    name_tone = Tone.MUTED if entry.removed else Tone.STRONG
    row = spread(
        [
            Span(f"  {sign} ", tone),
            cell(name, value_column(width) - 4, name_tone),
            Span(
                clean(line_of(below.form.key, entry)), Tone.MUTED if entry.removed else Tone.PLAIN
            ),
        ],
        [Span(f" {note}", Tone.BAD)] if note else [],
        width=width,
    )
    return block(key, [Row(row.spans, key)])


def _count_faults(entry: TableDraft, faults: Faults) -> int:
    count = len(faults.get(id(entry), ()))
    count += sum(len(faults.get(id(one), ())) for one in entry.fields)
    for below in entry.lists:
        count += len(faults.get(id(below), ()))
        count += sum(_count_faults(one, faults) for one in below.entries)
    return count

"""The config while the engine runs: drawn as a form, checked, saved, taken over where it can be.

Strategies, managers and parameter sets are in force at once; venues, mode and folders are read at
the next start, and the answer says so. The file is never written unless the whole of it is valid.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.config import Config, ConfigError, SaveError, load, load_text
from engine.config.form import Change, edit, form_of
from engine.config.save import Document, open_document, save
from engine.desk.facts import ConfigApplied
from engine.desk.snapshot import CandidateView, Snapshot
from engine.errors import InputError
from engine.service.declared import declared

_RESTART = ("mode", "engine", "alerts", "venues")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    path: str
    value: Any = None
    remove: bool = False


class Settings:
    """One config file. apply puts a checked config in force."""

    def __init__(self, file: Path, apply: Callable[[ConfigApplied], None]) -> None:
        self._file = file
        self._apply = apply

    def read(self) -> dict[str, Any]:
        """The form of the file as it is on disk. Raises ConfigError."""
        return form_of(open_document(self._file))

    def check(self, changes: Sequence[Change]) -> dict[str, Any]:
        """Say what would be wrong with changes, and what saving them would do.

        {faults: [{path, text, allowed}], effects: [text]}.
        """
        try:
            document = self._edited(changes)
            after = load_text(document.text, file=str(self._file), folder=self._folder)
        except ConfigError as error:
            faults = [
                {"path": f.field, "text": f.problem, "allowed": f.allowed} for f in error.faults
            ]
            return {"faults": faults, "effects": []}
        except SaveError as error:
            return {"faults": [{"path": "", "text": str(error), "allowed": ""}], "effects": []}
        return {"faults": [], "effects": effects(self._now(), after)}

    def save(self, changes: Sequence[Change], base: str) -> str:
        """Write changes and put them in force; say what was taken over and what waits.

        base is the fingerprint of the file the changes were made to. Raises ConfigError for what
        is wrong with them, SaveError when the file was changed meanwhile or cannot be written.
        """
        document = self._edited(changes)
        if base != (document.fingerprint or ""):
            raise SaveError(f"{self._file}: changed on disk since it was read; read it again")
        before = self._now()
        after = save(document)
        self._apply(declared(after))
        return " ".join([f"Saved {self._file}.", *effects(before, after)])

    def adopt(self, candidate: CandidateView, strategy_id: str | None) -> str:
        """Register a candidate under an id of its own. Raises as save does."""
        document = open_document(self._file)
        options = document.plain.get("options", {})
        if not options:
            raise InputError("The config has no [options] table: there is no desk to adopt for.")
        if candidate.venue != options.get("venue", candidate.venue):
            raise InputError(
                f"{candidate.id} is held at {candidate.venue}, not at the options venue."
            )
        row: dict[str, Any] = {
            "id": strategy_id or candidate.id,
            "kind": candidate.kind,
            "underlying": candidate.underlying,
            "legs": [
                {
                    "right": leg.right.value,
                    "strike": f"{leg.strike.normalize():f}",
                    "expiry": leg.expiry.isoformat(),
                    "quantity": int(leg.held),
                }
                for leg in candidate.legs
            ],
        }
        if candidate.shares:
            row["shares"] = int(candidate.shares)
        if candidate.account:
            row["venue_account"] = candidate.account
        path = f"options.strategies[{len(options.get('strategies', ()))}]"
        return self.save([Edit(path=path, value=row)], document.fingerprint or "")

    @property
    def _folder(self) -> Path:
        return self._file.absolute().parent

    def _now(self) -> Config | None:
        """The config on disk; None where it is not valid."""
        try:
            return load(self._file)
        except ConfigError:
            return None

    def _edited(self, changes: Sequence[Change]) -> Document:
        document = open_document(self._file)
        edit(document, changes)
        return document


def effects(before: Config | None, after: Config) -> list[str]:
    """Say in sentences what going from one config to another does to what is running."""
    if before is None:
        return ["The whole config is taken over; venues after a restart."]
    old, new = declared(before), declared(after)
    told = [
        *_of_named(
            {s.id: s for s in old.strategies}, {s.id: s for s in new.strategies}, "is guarded"
        ),
        *_of_managers(old, new),
        *_of_allocation(old, new),
    ]
    if old.options != new.options and old.options is not None and new.options is not None:
        told.append("The options rules hold at once, for closes under way too.")
    if old.armed != new.armed:
        told.append("Armed: closes are sent." if new.armed else "Disarmed: nothing is sent.")
    if before.terminal != after.terminal:
        told.append("The terminal's own settings hold when a terminal attaches.")
    waiting = [name for name in _RESTART if getattr(before, name) != getattr(after, name)]
    waiting += _of_what_venues_were_asked_for(before, after)
    if waiting:
        told.append(f"After a restart of the engine: {', '.join(waiting)}.")
    return told or ["Nothing changes."]


def _of_what_venues_were_asked_for(before: Config, after: Config) -> list[str]:
    """What a venue learned when it was made: where a desk trades, and how long its bars are."""
    changed = []
    for desk, key in (
        ("options", "venue"),
        ("allocation", "venue"),
        ("allocation", "z_score_interval"),
    ):
        old, new = getattr(before, desk), getattr(after, desk)
        if old is not None and new is not None and getattr(old, key) != getattr(new, key):
            changed.append(f"{desk}.{key}")
    return changed


def _of_named(old: dict[str, Any], new: dict[str, Any], word: str) -> list[str]:
    told = [f"{name} {word} from now on." for name in new if name not in old]
    told += [
        f"{name} is guarded no longer; what it holds stays as it is."
        for name in old
        if name not in new
    ]
    told += [
        f"{name} is watched as declared anew."
        for name in new
        if name in old and new[name] != old[name]
    ]
    return told


def _of_managers(old: ConfigApplied, new: ConfigApplied) -> list[str]:
    if old.managers == new.managers:
        return []
    return [
        f"{len(new.managers)} assignment managers hold for assignments from now on; positions "
        "between barriers keep those they have."
    ]


def _of_allocation(old: ConfigApplied, new: ConfigApplied) -> list[str]:
    if old.allocation == new.allocation:
        return []
    before = {} if old.allocation is None else {one.symbol: one for one in old.allocation.sets}
    after = {} if new.allocation is None else {one.symbol: one for one in new.allocation.sets}
    told = [
        f"{name} awaits its signal after a restart of the engine, which brings its bars."
        for name in after
        if name not in before
    ]
    told += [
        f"{name} buys no more; a position it holds keeps its bracket and its funds."
        for name in before
        if name not in after
    ]
    told += [
        f"{name}: the new values hold for its next buy."
        for name in after
        if name in before and after[name] != before[name]
    ]
    return told or ["The signal's settings hold from the next bar on."]


def candidate_of(snapshot: Snapshot, candidate_id: str) -> CandidateView:
    """Find a candidate of the picture. Raises InputError."""
    for found in snapshot.candidates:
        if found.id == candidate_id:
            return found
    known = ", ".join(found.id for found in snapshot.candidates) or "none"
    raise InputError(f"No candidate {candidate_id}. Held and not registered: {known}.")

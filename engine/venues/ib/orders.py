"""Our orders on one connection: by which ids IB names them, and what each message says of them.

IB names an order by (client id, order id) while it works and by its permanent id for ever; our own
id travels in orderRef. The maps are built anew on each connection from what TWS shows. Nothing is
ever concluded from silence, and an error nobody listed leaves an order's fate open.
"""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from engine.desk.facts import OrderReport, OrderRow
from engine.desk.orders import is_ours
from engine.desk.text import clean_text
from engine.venues.ib import codes

_WORKING = frozenset(
    {"PendingSubmit", "ApiPending", "PreSubmitted", "Submitted", "PendingCancel", "ApiUpdate"}
)
_CANCELLED = frozenset({"Cancelled", "ApiCancelled"})
ZERO = Decimal(0)


class Verdict(StrEnum):
    """What an error about an order leaves to do, besides the report."""

    SETTLED = "SETTLED"
    ASK = "ASK"
    UNANSWERED = "UNANSWERED"
    REFUSED = "REFUSED"


@dataclass(slots=True)
class Tracked:
    """One order of ours. report is None until IB said anything of it; left_at is when this
    connection sent it, so that bytes of it may have left; absent means that a whole picture of the
    book, asked for after that, knew nothing of it."""

    ref: str
    client_id: int
    order_id: int | None
    perm_id: int = 0
    report: OrderReport | None = None
    filled: Decimal = ZERO
    reason: str = ""
    left_at: datetime | None = None
    absent: bool = False
    off_its_steps: bool = False

    @property
    def is_live(self) -> bool:
        return self.report in (None, OrderReport.WORKING) and not self.absent

    @property
    def row(self) -> OrderRow | None:
        if self.report is None:
            return None
        return OrderRow(
            client_order_id=self.ref,
            venue_order_id=str(self.perm_id or self.order_id or ""),
            report=self.report,
            filled=self.filled,
            reason=self.reason,
            off_its_steps=self.off_its_steps,
        )


class OrderBook:
    """ref -> the newest order of that name; (client id, order id) and permanent id -> order."""

    def __init__(self, client_id: int) -> None:
        self._client_id = client_id
        self._by_ref: dict[str, Tracked] = {}
        self._by_id: dict[tuple[int, int], Tracked] = {}
        self._by_perm: dict[int, Tracked] = {}

    def named(self, ref: str) -> Tracked | None:
        return self._by_ref.get(ref)

    def sent_by_us(self, order_id: int) -> Tracked | None:
        """The order of ours that this connection's client id knows by order_id."""
        return self._by_id.get((self._client_id, order_id))

    def sending(self, ref: str, order_id: int) -> Tracked:
        tracked = Tracked(ref=ref, client_id=self._client_id, order_id=order_id)
        self._by_ref[ref] = self._by_id[self._client_id, order_id] = tracked
        return tracked

    def undecided(self) -> list[Tracked]:
        """Orders of which IB has said nothing at all."""
        return [tracked for tracked in self._by_ref.values() if tracked.report is None]

    def missing(self, listed: Container[str], asked_at: datetime) -> None:
        """Note what a whole picture of the book, asked for at asked_at, shows to be absent.

        Only a picture may: an order that was never answered and is in none was lost on its way,
        and its name is free to be sent again.
        """
        for tracked in self.undecided():
            if tracked.left_at is not None and tracked.left_at < asked_at:
                tracked.absent = tracked.ref not in listed

    def opened(
        self,
        ref: str,
        client_id: int,
        order_id: int,
        perm_id: int,
        status: str,
        quantity: Decimal,
    ) -> Tracked | None:
        """Take an open order; None when it is not ours. The message does not say what is filled."""
        if not is_ours(ref):
            return None
        tracked = self._by_id.get((client_id, order_id)) or self._by_perm.get(perm_id)
        if tracked is None:
            tracked = Tracked(ref=ref, client_id=client_id, order_id=order_id)
            self._by_ref[ref] = tracked
        self._name(tracked, client_id, order_id, perm_id)
        filled = quantity if status == "Filled" else tracked.filled
        self._take_status(tracked, status, filled, "")
        return tracked

    def status(
        self,
        client_id: int,
        order_id: int,
        perm_id: int,
        status: str,
        filled: Decimal,
        why_held: str,
    ) -> Tracked | None:
        tracked = self._by_id.get((client_id, order_id)) or self._by_perm.get(perm_id)
        if tracked is None:
            return None
        self._name(tracked, client_id, order_id, perm_id)
        self._take_status(tracked, status, filled, clean_text(why_held))
        return tracked

    def completed(
        self, ref: str, perm_id: int, status: str, filled: Decimal, words: str
    ) -> Tracked | None:
        """Take an order that is done. It may be an older one of the same name."""
        if not is_ours(ref):
            return None
        tracked = self._by_perm.get(perm_id) or self._completed_anew(ref, status)
        if tracked is None:
            return None
        if perm_id:
            tracked.perm_id = perm_id
            self._by_perm[perm_id] = tracked
        words = clean_text(words)
        if status == "Inactive":
            self._move(tracked, OrderReport.REJECTED, filled, words)
        else:
            self._take_status(tracked, status, filled, words)
        return tracked

    def error(self, tracked: Tracked, code: int, text: str) -> Verdict:
        """Take an error about an order, by the table of codes."""
        words = f"{code}: {clean_text(text)}"
        if code == codes.BAD_PRICE_INCREMENT:
            tracked.off_its_steps = True
            self._move(
                tracked, OrderReport.REJECTED, tracked.filled, f"bad price increment, {words}"
            )
            return Verdict.SETTLED
        if code in codes.ORDER_REJECTED:
            self._move(tracked, OrderReport.REJECTED, tracked.filled, words)
            return Verdict.REFUSED if code == codes.VALIDATION else Verdict.SETTLED
        if code == codes.ORDER_CANCELLED:
            self._move(tracked, OrderReport.CANCELLED, tracked.filled, words)
            return Verdict.SETTLED
        if code in codes.CANCEL_CAME_LATE:
            return Verdict.ASK
        if code in codes.ORDER_LIVES or codes.is_informative(code):
            if tracked.is_live:
                self._move(tracked, OrderReport.WORKING, tracked.filled, words)
            return Verdict.SETTLED
        return Verdict.UNANSWERED

    def fail_unsent(self, tracked: Tracked, reason: str) -> None:
        """Mark an order whose bytes surely never left."""
        tracked.report = OrderReport.REJECTED
        tracked.reason = f"not sent: {reason}"

    def is_newest(self, tracked: Tracked) -> bool:
        return self._by_ref.get(tracked.ref) is tracked

    def _completed_anew(self, ref: str, status: str) -> Tracked | None:
        """Find what a finished order of an unknown permanent id belongs to.

        It may be an earlier attempt of the same name, which must not end the newest one: only a
        fill is taken against that.
        """
        newest = self._by_ref.get(ref)
        filled = status == "Filled"
        if newest is not None and newest.report is None:
            return newest if filled else None
        if newest is not None and (not filled or newest.is_live):
            return None
        tracked = Tracked(ref=ref, client_id=self._client_id, order_id=None)
        self._by_ref[ref] = tracked
        return tracked

    def _name(self, tracked: Tracked, client_id: int, order_id: int, perm_id: int) -> None:
        tracked.client_id, tracked.order_id = client_id, order_id
        self._by_id[client_id, order_id] = tracked
        if perm_id:
            tracked.perm_id = perm_id
            self._by_perm[perm_id] = tracked

    def _take_status(self, tracked: Tracked, status: str, filled: Decimal, words: str) -> None:
        if status == "Filled":
            self._move(tracked, OrderReport.FILLED, filled, "")
        elif status in _CANCELLED:
            self._move(tracked, OrderReport.CANCELLED, filled, words)
        elif status in _WORKING:
            self._move(tracked, OrderReport.WORKING, filled, words)
        elif status == "Inactive":
            # Refused orders stay in the book as Inactive, but so do held ones that come to life.
            if tracked.report is not OrderReport.REJECTED:
                self._move(tracked, OrderReport.WORKING, filled, words or "inactive at the broker")
        else:
            raise ValueError(f"order status {clean_text(status)!r}")

    @staticmethod
    def _move(tracked: Tracked, report: OrderReport, filled: Decimal, reason: str) -> None:
        """Take a report, unless a better one is known: filled stays filled, refused refused."""
        before = tracked.report
        tracked.absent = False
        tracked.filled = max(tracked.filled, filled)
        if before is OrderReport.FILLED and report is not OrderReport.FILLED:
            return
        if before is OrderReport.REJECTED and report is OrderReport.CANCELLED:
            return
        tracked.report = report
        newer = reason and report is OrderReport.WORKING
        if newer or report is not before or not tracked.reason:
            tracked.reason = reason

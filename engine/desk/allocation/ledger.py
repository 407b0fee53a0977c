"""Who has been promised how much: one reservation a symbol, never more together than there is.

Double entry: money is loose, or it belongs to a claim. A reservation moves it from one to the
other, a release moves back what the trade left of it. So total = available + reserved, whatever
order fills and balances arrive in; what the venue's balance says differently waits until no fill
can explain it any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_UP, Decimal

from engine.desk.facts import Side
from engine.errors import InvariantError

ZERO = Decimal(0)
CENT = Decimal("0.01")
SETTLED_AFTER = timedelta(seconds=5)


@dataclass(slots=True)
class Claim:
    """What one symbol has of the account, in the quote currency.

    spent is what its buy cost, earned what its sales brought, both with commissions in the quote
    currency. reserved is False once a forced reset let the reservation go and the position stayed.
    """

    symbol: str
    amount: Decimal
    at: datetime
    order_id: str
    spent: Decimal = ZERO
    earned: Decimal = ZERO
    buying: bool = True
    reserved: bool = True

    @property
    def cash(self) -> Decimal:
        """The part of it that is cash now."""
        return self.amount - self.spent + self.earned


class Ledger:
    """claims: symbol -> Claim. Before the first balance nothing can be reserved."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}
        self._loose: Decimal | None = None
        self._claimed = ZERO
        self._reserved = ZERO
        self._cash = ZERO
        self._told: Decimal | None = None
        self._stale = False
        self._differs_since: datetime | None = None

    @property
    def known(self) -> bool:
        return self._loose is not None

    @property
    def total(self) -> Decimal:
        """Free plus reserved; a position counts at what it cost until it is sold."""
        return self.available + self._claimed

    @property
    def reserved(self) -> Decimal:
        return self._reserved

    @property
    def available(self) -> Decimal:
        """What nothing stands behind. What was spent out of it by others may make it a debt, which
        counts as nothing here and is paid by the next release."""
        return max(self._loose or ZERO, ZERO)

    @property
    def spendable(self) -> Decimal:
        """What may be promised now: less than available while the balance shows less money than
        fills and buys under way explain."""
        difference = self._difference()
        if difference >= 0:
            return self.available
        under_way = sum((c.amount - c.spent for c in self.claims.values() if c.buying), ZERO)
        return max(self.available - max(-difference - under_way, ZERO), ZERO)

    def share(self, percent: Decimal, whole: Decimal) -> Decimal:
        """Return percent of whole of the total, rounded down to the cent."""
        return (self.total * percent / whole).quantize(CENT, ROUND_DOWN)

    def reserve(self, symbol: str, amount: Decimal, at: datetime, order_id: str) -> bool:
        """Promise an amount to a symbol that has none; False when it is not there."""
        if symbol in self.claims or not ZERO < amount <= self.spendable or self._loose is None:
            return False
        self.claims[symbol] = Claim(symbol=symbol, amount=amount, at=at, order_id=order_id)
        self._loose -= amount
        self._claimed += amount
        self._reserved += amount
        self._cash += amount
        self._check()
        return True

    def readmit(self, symbol: str, at: datetime, order_id: str) -> None:
        """Count a position again whose reservation was given up before its buy was seen."""
        if symbol not in self.claims:
            self.claims[symbol] = Claim(
                symbol=symbol, amount=ZERO, at=at, order_id=order_id, reserved=False, buying=False
            )

    def book(self, symbol: str, side: Side, change: Decimal, now: datetime) -> None:
        """Count what a buy cost, or a sale brought."""
        if side is Side.BUY:
            self.spend(symbol, change, now)
        else:
            self.earn(symbol, change, now)

    def spend(self, symbol: str, value: Decimal, now: datetime) -> None:
        """Count what a buy cost (negative when a correction lowers it)."""
        claim = self.claims[symbol]
        claim.spent += value
        self._cash -= value
        excess = claim.spent - claim.amount
        if excess > 0:
            # Commissions in the quote currency come on top: they are paid out of loose money.
            self._resize(claim, claim.spent)
        self._stale = True
        self._stamp(now)

    def earn(self, symbol: str, value: Decimal, now: datetime) -> None:
        """Count what a sale brought (negative when a correction lowers it)."""
        self.claims[symbol].earned += value
        self._cash += value
        self._stale = True
        self._stamp(now)

    def bought(self, symbol: str, *, whole: bool) -> Decimal:
        """End a symbol's buy; unless it was filled whole, return and release what was not spent."""
        claim = self.claims[symbol]
        claim.buying = False
        if whole and claim.reserved:
            return ZERO
        unspent = claim.amount - claim.spent.quantize(CENT, ROUND_UP)
        if unspent <= 0:
            return ZERO
        self._resize(claim, claim.amount - unspent)
        return unspent

    def release(self, symbol: str) -> Decimal:
        """Give back what a trade left of its claim; returns what had been reserved."""
        claim = self.claims.pop(symbol)
        if self._loose is None:
            raise InvariantError(f"{symbol} held a reservation before any balance was known")
        self._loose += claim.cash
        self._claimed -= claim.amount
        self._cash -= claim.cash
        if claim.reserved:
            self._reserved -= claim.amount
        self._check()
        return claim.amount if claim.reserved else ZERO

    def force(self, symbol: str) -> Decimal:
        """Let a reservation go whose position stays; what is in it or still on its way into it
        counts against what is available. Returns what had been reserved."""
        claim = self.claims[symbol]
        freed = claim.amount if claim.reserved else ZERO
        self._reserved -= freed
        claim.reserved = False
        if not claim.buying:
            self._resize(claim, claim.spent)
        self._check()
        return freed

    def tell(self, free: Decimal, now: datetime) -> bool:
        """Take the venue's free balance; True when it is news.

        One told before the last fill says nothing about what came after it.
        """
        if free == self._told and not self._stale:
            return False
        quiet = not self.claims and not self._stale and self._differs_since is None
        self._told, self._stale = free, False
        if quiet or self._loose is None:
            self._loose = free - self._cash
        self._stamp(now)
        return True

    def settle(self, now: datetime, *, under_way: bool) -> Decimal:
        """Take a difference that no fill explained in time as money put in or taken out (negative).

        under_way: an order that moves cash is at the venue, so its fills may still explain it.
        """
        difference, since = self._difference(), self._differs_since
        if since is None or self._loose is None or not difference or under_way:
            return ZERO
        if now - since < SETTLED_AFTER:
            return ZERO
        self._loose += difference
        self._stamp(now)
        self._check()
        return difference

    @property
    def settles_at(self) -> datetime | None:
        return None if self._differs_since is None else self._differs_since + SETTLED_AFTER

    def _difference(self) -> Decimal:
        """How much more cash the venue shows than the ledger knows of."""
        if self._told is None or self._loose is None or self._stale:
            return ZERO
        return self._told - self._loose - self._cash

    def _stamp(self, now: datetime) -> None:
        self._differs_since = now if self._difference() else None

    def _resize(self, claim: Claim, amount: Decimal) -> None:
        change = amount - claim.amount
        claim.amount = amount
        self._claimed += change
        self._cash += change
        if claim.reserved:
            self._reserved += change
        if self._loose is not None:
            self._loose -= change

    def _check(self) -> None:
        """Hold what always holds, from both sides: what is promised, and what is there."""
        if not ZERO <= self._reserved <= self._claimed <= self.total:
            raise InvariantError(
                f"reservations of {self._reserved} stand against a total of {self.total}"
            )

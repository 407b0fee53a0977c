"""Fills of ours that no execution will ever tell of: the venue forgets its executions each night.

An order that was out when the venue was lost sight of, and that is gone from its book on another
day, may have been filled meanwhile. Where the position moved its way and nothing explains that
better, that was it: nobody else's holding is closed in its stead.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import combinations

from engine.desk.books import Book, Holding
from engine.desk.floor import Floor
from engine.desk.hours import trading_date
from engine.desk.instruments import OptionContract, Right, Stock
from engine.desk.intents import Severity
from engine.desk.options.evidence import SETTLE
from engine.desk.options.roster import Roster
from engine.desk.options.strategies import Strategy
from engine.desk.orders import Order

ZERO = Decimal(0)
Vanished = tuple[Order, Strategy]


class LostFills:
    """Within: client order id -> what vanished on another day than it was sent, until it is known
    what became of it."""

    def __init__(self, floor: Floor, roster: Roster) -> None:
        self._floor = floor
        self._roster = roster
        self._vanished: dict[str, Vanished] = {}

    def note(self, order: Order, strategy: Strategy) -> None:
        """Hear of an order of which the venue's book knows nothing any more."""
        if order.remaining > 0 and trading_date(order.at) < trading_date(self._floor.now):
            self._vanished[order.intent.client_order_id] = order, strategy

    def is_open(self, account: str, ref: str) -> bool:
        """Whether it is still to be found out what became of an order of that instrument."""
        return any(_key(order) == (account, ref) for order, _ in self._vanished.values())

    def settle_exact(self, book: Book) -> None:
        """Before anything else is asked: where all that changed in an underlying is what vanished
        orders would have done, wholly or in part, and the fewest standard deliveries beside it."""
        if not self._vanished:
            return
        places = {
            (order.intent.account, order.intent.instrument.underlying)
            for order, _ in self._vanished.values()
        }
        for place in sorted(places):
            self._settle_place(book, place)

    def _settle_place(self, book: Book, place: tuple[str, str]) -> None:
        lost = {
            _key(order): (order, strategy)
            for order, strategy in self._vanished.values()
            if (order.intent.account, order.intent.instrument.underlying) == place
        }
        changed = [
            holding
            for holding in book.unsettled.values()
            if holding.row_surplus and (holding.account, holding.instrument.underlying) == place
        ]
        options = [one for one in changed if isinstance(one.instrument, OptionContract)]
        stock = next((key for key, (order, _) in lost.items() if _is_stock(order)), None)
        stocks = {_of(one) for one in changed if one not in options} | ({stock} - {None})
        if len(stocks) > 1:
            return
        surplus = sum((one.row_surplus for one in changed if one not in options), ZERO)
        move = _move(lost[stock][0]) if stock is not None else ZERO
        for delivered in _deliveries(options, lost):
            ours = surplus - sum((_delivery(one) for one in delivered), ZERO)
            if ours * move < 0 or abs(ours) > abs(move):
                continue
            fills = {_of(one): one.row_surplus for one in options if one not in delivered}
            if stock is not None:
                fills[stock] = ours
            for key, (order, strategy) in lost.items():
                self._settle(book, order, strategy, fills.get(key, ZERO))
            return

    def settle_rest(self, book: Book) -> None:
        """After the rows were judged: what time left unexplained was our own."""
        for order, strategy in list(self._vanished.values()):
            holding = book.holdings.get(_key(order))
            since = holding.since if holding is not None and holding.row_surplus else None
            if since is None or self._floor.now - since >= SETTLE:
                surplus = ZERO if since is None or holding is None else holding.row_surplus
                move = _move(order)
                fits = surplus * move > 0
                filled = min(abs(surplus), abs(move)).copy_sign(move) if fits else ZERO
                self._settle(book, order, strategy, filled)

    def _settle(self, book: Book, order: Order, strategy: Strategy, moved: Decimal) -> None:
        """Take a part of a change for the fill of a vanished order, signed like the position."""
        del self._vanished[order.intent.client_order_id]
        intent, filled = order.intent, abs(moved)
        self._roster.wake(strategy)
        self._roster.stir(intent.account, intent.instrument.ref)
        if not moved:
            return
        holding = book.holding(intent.account, intent.instrument)
        book.explain(holding, moved, self._floor.now)
        self._take(strategy, order, moved)
        self._roster.touch(book, intent.account, intent.instrument.ref)
        text = f"{filled:f} {intent.instrument.name} filled while nobody looked"
        body = "The venue tells no execution of that day any more; the position moved by it."
        self._floor.alert(Severity.WARNING, f"{strategy.id}: {text}", body, strategy.id)

    def _take(self, strategy: Strategy, order: Order, moved: Decimal) -> None:
        instrument = order.intent.instrument
        if isinstance(instrument, Stock):
            self._roster.set_shares(strategy, strategy.shares + moved, instrument)
        elif isinstance(instrument, OptionContract) and not strategy.closed:
            for leg in strategy.legs:
                if leg.contract is not None and leg.contract.ref == instrument.ref:
                    leg.expected += moved
                    break


def _key(order: Order) -> tuple[str, str]:
    return order.intent.account, order.intent.instrument.ref


def _of(holding: Holding) -> tuple[str, str]:
    return holding.account, holding.instrument.ref


def _is_stock(order: Order) -> bool:
    return isinstance(order.intent.instrument, Stock)


def _move(order: Order) -> Decimal:
    """What the order would still have moved, signed."""
    return order.remaining * order.intent.side.sign


def _deliveries(
    options: list[Holding], lost: Mapping[tuple[str, str], Vanished]
) -> Iterator[tuple[Holding, ...]]:
    """Which of the changed options may have been delivered, the fewest first: all those that no
    vanished order can have moved, and some of the others."""
    must: list[Holding] = []
    may: list[Holding] = []
    for one in options:
        order = lost[_of(one)][0] if _of(one) in lost else None
        move = _move(order) if order is not None else ZERO
        fits = one.row_surplus * move > 0 and abs(one.row_surplus) <= abs(move)
        (may if fits else must).append(one)
    able = [one for one in may if _delivery(one)]
    if not all(_delivery(one) for one in must):
        return
    for size in range(len(able) + 1):
        for some in combinations(able, size):
            yield (*must, *some)


def _delivery(holding: Holding) -> Decimal:
    """The shares a standard delivery of what is gone of a short option moved, signed; 0 for all
    else."""
    contract, gone = holding.instrument, holding.row_surplus
    if not isinstance(contract, OptionContract) or gone <= 0 or holding.before >= 0:
        return ZERO
    return gone * contract.multiplier * (1 if contract.right is Right.PUT else -1)

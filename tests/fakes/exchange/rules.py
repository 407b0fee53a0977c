"""Where venues differ in what they do with an order, as settings of the shared account."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from uuid import UUID


def numbered(start: int) -> Callable[[], str]:
    """Ids that count up from a number."""
    numbers = count(start)
    return lambda: str(next(numbers))


def uuids(kind: int) -> Callable[[], str]:
    """Ids of the form of a random UUID; kinds keep those of orders and fills apart."""
    numbers = count(1)
    return lambda: str(UUID(int=(kind << 96) | next(numbers), version=4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How a venue treats orders.

    duplicates_ever: a client id is refused if it was ever used, else only while its order lives.
    shrink_reduce_only: an oversized reduce-only order is cut to the position, else refused.
    resting_reduce_only_counts: resting reduce-only orders count against the position.
    reduce_only_dies_flat: resting reduce-only orders are cancelled when the position is closed.
    triggers_outlive_flat: of those, orders that wait for their trigger stay all the same.
    trigger_spawns: a trigger order ends as TRIGGERED and a new order works in its place.
    trigger_at_once: a trigger already met works immediately, else it is refused.
    spawn_keeps_client_id: the order a trigger spawns has the trigger's client id, else none.
    post_only_dies: a post-only order that would take is taken and cancelled, else refused.
    edited_taker_word: the marker of a fill an edit brought about, where it has one of its own.
    fees: what makers and takers pay, as a share of the value.
    """

    duplicates_ever: bool = True
    shrink_reduce_only: bool = True
    resting_reduce_only_counts: bool = False
    reduce_only_dies_flat: bool = True
    triggers_outlive_flat: bool = False
    trigger_spawns: bool = False
    trigger_at_once: bool = True
    post_only_dies: bool = False
    maker_fee: Decimal = Decimal("0.0002")
    taker_fee: Decimal = Decimal("0.0005")
    maker_word: str = "maker"
    taker_word: str = "taker"
    edited_taker_word: str = ""
    spawn_keeps_client_id: bool = True

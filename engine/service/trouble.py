"""What a journal that cannot be written means to the desk: an alarm, and no new entries.

Risk is taken off without a disk, and none is put on. It sends nothing itself.
"""

from engine.desk.facts import OrderReported, VenueWarned
from engine.desk.intents import Purpose
from engine.venues.between import not_sent
from engine.venues.port import PricedOrder

_CODE, _CODE_OVER = "failing", "whole"


def alarm(trouble: str) -> VenueWarned:
    """The fact that raises the alarm; with trouble empty, the one that calls it off."""
    if not trouble:
        text = "it is written again and nothing is missing, entries go on"
        return VenueWarned(venue="journal", code=_CODE_OVER, text=text, critical=False)
    text = f"entries stop, closes go on. {trouble}"
    return VenueWarned(venue="journal", code=_CODE, text=text, critical=True)


def may_precede(order: PricedOrder) -> bool:
    """Whether an order may go out before the journal has it, once a restart would find it."""
    return order.purpose is not Purpose.ENTRY


def must_wait(order: PricedOrder, trouble: str) -> bool:
    """Whether an order may not go out while the journal fails."""
    return bool(trouble) and order.purpose is Purpose.ENTRY


def turned_down(venue: str, order: PricedOrder) -> OrderReported:
    """The end of such an order. It is not kept for later: its signal is gone by then."""
    return not_sent(venue, order.client_order_id, "the journal cannot be written")

"""Orders and cancels on their way out, and what became of them.

What surely never left, or was surely refused, is reported as rejected; what may have arrived and
was not answered is reported as unanswered, never as rejected.
"""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from engine.desk.facts import OrderReport, OrderRow, OrderUnanswered
from engine.venues.between import refused
from engine.venues.crypto.book import Book, Emit
from engine.venues.crypto.faults import UNREADABLE, Denied, Duplicate, Missing, Refused, Unanswered
from engine.venues.crypto.limiter import Lane, lane_of
from engine.venues.crypto.tracker import OwnOrders, Tracked
from engine.venues.crypto.translator import Surroundings, Translator
from engine.venues.port import PricedOrder


@dataclass(slots=True, eq=False)
class _Flight:
    """An order that is being sent; it has left once its request has."""

    tracked: Tracked
    left: bool = False


class Sending:
    """ask is called when only the whole book can tell; may when the venue showed whether it takes
    orders, with its refusal in words. doubted: closes that were not answered."""

    def __init__(
        self,
        around: Surroundings,
        translator: Translator,
        book: Callable[[], Book],
        *,
        emit: Emit,
        ask: Callable[[], None],
        may: Callable[[bool, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._around = around
        self._translator = translator
        self._book = book
        self._emit = emit
        self._ask = ask
        self._may = may
        self._clock = clock
        self._flights: dict[str, _Flight] = {}
        self.doubted: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def _own(self) -> OwnOrders:
        return self._around.own

    def is_in_flight(self, client_order_id: str) -> bool:
        return client_order_id in self._flights

    def place(self, order: PricedOrder) -> None:
        """Send an order now; one that is on its way, or that the venue has, is not sent again."""
        name = order.client_order_id
        quantity = self._around.markets.whole_steps(order.instrument, order.quantity)
        tracked = self._own.sending(order, quantity)
        if name in self._flights:
            return
        if tracked.report in (OrderReport.WORKING, OrderReport.FILLED):
            self._ask()
            return
        flight = self._flights[name] = _Flight(tracked)
        self._start(self._send(order, flight))

    def cancel(self, order: PricedOrder) -> None:
        self._start(self._cancel(order))

    def refuse(self, client_order_id: str, reason: str) -> None:
        """Report an order that surely is not at the venue."""
        self._emit(refused(self._around.name, client_order_id, reason))

    def abandon(self, reason: str) -> None:
        """The connection is over: say what is known of orders that were not answered."""
        flights, self._flights = self._flights, {}
        for name, flight in flights.items():
            if flight.left:
                self._unanswered(name, reason)
            else:
                self.refuse(name, f"not sent: {reason}")

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(sending)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _send(self, order: PricedOrder, flight: _Flight) -> None:
        name = order.client_order_id
        lane, leaving = lane_of(order.purpose), partial(self._leave, flight)
        row: OrderRow | None = None
        try:
            row = await self._translator.send(order, lane, leaving)
        except Duplicate as error:
            self._doubt(order, f"sent before: {error}")
        except Refused as error:
            if isinstance(error, Denied):
                self._may(False, str(error))
            self.refuse(name, str(error))
            # What the venue would not reduce is not as we think it is.
            if order.reduce_only:
                self._ask()
        except Unanswered as error:
            self._doubt(order, str(error))
        except UNREADABLE as error:
            self._doubt(order, f"the answer cannot be read: {error!r}")
        else:
            self._may(True, "")
            if row is not None:
                self._book().order(row)
        finally:
            if self._flights.get(name) is flight:
                del self._flights[name]

    def _leave(self, flight: _Flight) -> None:
        flight.left = True
        flight.tracked.left_at = self._clock()
        flight.tracked.report = None

    async def _cancel(self, order: PricedOrder) -> None:
        try:
            row = await self._translator.cancel(order)
        except Missing:
            self._ask()
        except (Refused, Unanswered, *UNREADABLE) as error:
            if isinstance(error, Denied):
                self._may(False, str(error))
            self._ask()
        else:
            if row is None:
                # The stream will tell; where it is silent, only asking can.
                self._ask()
            else:
                self._book().order(row)

    def _doubt(self, order: PricedOrder, reason: str) -> None:
        if lane_of(order.purpose) is Lane.CLOSES:
            self.doubted.add(order.client_order_id)
        self._unanswered(order.client_order_id, reason)

    def _unanswered(self, name: str, reason: str) -> None:
        self._emit(OrderUnanswered(client_order_id=name, reason=reason))

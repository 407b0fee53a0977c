"""Every order, the open ones first."""

from collections.abc import Sequence

from tui.journal import About, Topic
from tui.rows import orders
from tui.rows.cells import Block, Row
from tui.screens.list_page import ListPage
from tui.view import View


class OrderList(ListPage):
    def heading(self, view: View) -> str:
        return "Orders"

    def blocks(self, view: View, width: int) -> Sequence[Block]:
        if view.picture is None:
            return ()
        return orders.order_blocks(view.picture, width=width, filter_text=self.filter_text)

    def head(self, width: int) -> tuple[Row, ...]:
        return (orders.order_head(width),)

    def empty(self, view: View) -> tuple[str, str]:
        return orders.EMPTY

    def do_details(self) -> None:
        if self.hands.cursor:
            key = self.hands.cursor.removeprefix(orders.ORDER)
            self.terminal.open_details(About(topic=Topic.ORDER, id=key))

"""What TWS answers to each request of a client, apart from orders.

Unknown requests stay recorded and unanswered, as do those of a client that never said startApi.
"""

from collections.abc import Callable
from functools import cached_property

from tests.fakes.tws import messages, requests
from tests.fakes.tws.book import ExecutionRow, WorkingOrder
from tests.fakes.tws.orders import Orders
from tests.fakes.tws.records import EndMark, MarketDataAccess, Received
from tests.fakes.tws.requests import Ask, BadRequest
from tests.fakes.tws.session import DataSubscription, Session

Fields = tuple[str, ...]

_READ_ONLY_REFUSES = frozenset(
    {Ask.OPEN_ORDERS, Ask.ALL_OPEN_ORDERS, Ask.AUTO_OPEN_ORDERS, Ask.COMPLETED_ORDERS}
)


_MOST_SUMMARIES = 2


class Answers(Orders):
    """The enquiry desk of TWS."""

    def heard(self, session: Session, arrived_ns: int, fields: Fields) -> None:
        """Record a message and answer it."""
        received = Received(arrived_ns=arrived_ns, client_id=session.client_id, fields=fields)
        self.received.append(received)
        try:
            self._route(session, arrived_ns, fields)
        except (BadRequest, IndexError, ValueError) as unread:
            placing = fields[:1] == (str(int(Ask.PLACE_ORDER)),) and len(fields) > 1
            req_id = int(fields[1]) if placing and fields[1].isdigit() else -1
            text = f"Error reading request. {unread}"
            self.say(session, req_id, 320, text)
        self.changed()

    def _route(self, session: Session, arrived_ns: int, fields: Fields) -> None:
        kind = int(fields[0])
        if session.client_id is None:
            if kind == Ask.START_API:
                self._start_api(session, fields)
        elif kind == Ask.PLACE_ORDER:
            self.arrived_order(session, arrived_ns, fields)
        elif kind == Ask.CANCEL_ORDER:
            self.arrived_cancel(session, arrived_ns, fields)
        elif self.faults.read_only and kind in _READ_ONLY_REFUSES:
            self.say(session, -1, 321)
        else:
            answer = self._answers.get(kind)
            if answer is not None:
                answer(session, fields)

    @cached_property
    def _answers(self) -> dict[int, Callable[[Session, Fields], None]]:
        return {
            Ask.MARKET_DATA: self._market_data,
            Ask.CANCEL_MARKET_DATA: self._cancel_market_data,
            Ask.OPEN_ORDERS: self._open_orders,
            Ask.ACCOUNT_UPDATES: self._account_updates,
            Ask.EXECUTIONS: self._executions,
            Ask.IDS: lambda s, _: s.send(messages.next_valid_id(self.book.next_order_id)),
            Ask.CONTRACT_DETAILS: self._contract_details,
            Ask.AUTO_OPEN_ORDERS: self._open_orders,
            Ask.ALL_OPEN_ORDERS: self._all_open_orders,
            Ask.MANAGED_ACCOUNTS: lambda s, _: s.send(
                messages.managed_accounts(self.book.accounts)
            ),
            Ask.CURRENT_TIME: lambda s, _: s.send(messages.current_time(self.now())),
            Ask.GLOBAL_CANCEL: lambda s, _: self._global_cancel(s),
            Ask.MARKET_DATA_TYPE: self._market_data_type,
            Ask.POSITIONS: self._positions,
            Ask.ACCOUNT_SUMMARY: self._account_summary,
            Ask.CANCEL_ACCOUNT_SUMMARY: self._cancel_account_summary,
            Ask.CANCEL_POSITIONS: self._cancel_positions,
            Ask.ACCOUNT_UPDATES_MULTI: self._account_updates_multi,
            Ask.MARKET_RULE: self._market_rule,
            Ask.COMPLETED_ORDERS: self._completed_orders,
        }

    # The beginning

    def _start_api(self, session: Session, fields: Fields) -> None:
        client_id = int(fields[2])
        if self.is_taken(client_id):
            self.say(session, -1, 326)
            session.close()
            return
        session.client_id = client_id
        session.send(messages.managed_accounts(self.book.accounts))
        session.send(messages.next_valid_id(self.book.next_order_id))
        for code in (2104, 2106, 2158):
            self.say(session, -1, code)

    # Positions and account values

    def _positions(self, session: Session, _: Fields) -> None:
        session.wants_positions = True
        rows = [
            messages.position(self.book.instrument(held.con_id), held)
            for held in self.book.holdings.values()
            if held.quantity or self.faults.zero_rows
        ]
        rows = [row for row in rows for _ in range(self.faults.repeats)]
        cut = self.faults.cut_after_rows
        for row in rows[:cut]:
            session.send(row)
        if cut is None:
            self.end(session, EndMark.POSITIONS, (62, 1))
        elif self.faults.cut_drops_link:
            session.close()

    def _cancel_positions(self, session: Session, _: Fields) -> None:
        session.wants_positions = False

    def _account_updates(self, session: Session, fields: Fields) -> None:
        account = fields[3] or self.book.accounts[0]
        if not requests.flag(fields[2]):
            session.account_updates = ""
            return
        session.account_updates = account
        for (of, tag, currency), value in self.book.account_values.items():
            if of == account:
                session.send(messages.account_value(account, tag, currency, value))
        for held in self.book.holdings.values():
            if held.account == account and (held.quantity or self.faults.zero_rows):
                session.send(self.portfolio_row(account, held.con_id))
        session.send(messages.account_time(self.now()))
        self.end(session, EndMark.ACCOUNT, messages.account_download_end(account))

    def _account_updates_multi(self, session: Session, fields: Fields) -> None:
        req_id, account, model = int(fields[2]), fields[3], fields[4]
        for (of, tag, currency), value in self.book.account_values.items():
            if of == account:
                session.send(
                    messages.account_update_multi(req_id, account, model, tag, currency, value)
                )
        self.end(session, EndMark.ACCOUNT, (74, 1, req_id))

    def _account_summary(self, session: Session, fields: Fields) -> None:
        req_id, tags = int(fields[2]), tuple(fields[4].split(","))
        if len(session.account_summaries) >= _MOST_SUMMARIES:
            self.say(session, req_id, 322)
            return
        session.account_summaries[req_id] = tags
        for (account, tag, currency), value in self.book.account_values.items():
            if tag in tags:
                session.send(messages.account_summary(req_id, account, tag, currency, value))
        self.end(session, EndMark.ACCOUNT, (64, 1, req_id))

    def _cancel_account_summary(self, session: Session, fields: Fields) -> None:
        session.account_summaries.pop(int(fields[2]), None)

    # Orders and executions

    def _send_open(self, session: Session, orders: list[WorkingOrder]) -> None:
        for order in orders:
            one = self.book.instrument(order.record.con_id)
            session.send(messages.open_order(one, order))
            session.send(messages.order_status(order))
        self.end(session, EndMark.OPEN_ORDERS, (53, 1))

    def _open_orders(self, session: Session, _: Fields) -> None:
        mine = [one for one in self.book.working() if one.client_id == session.client_id]
        self._send_open(session, mine)

    def _all_open_orders(self, session: Session, _: Fields) -> None:
        self._send_open(session, list(self.book.working()))

    def _completed_orders(self, session: Session, fields: Fields) -> None:
        api_only = requests.flag(fields[1])
        for order in self.book.completed:
            if order.order_id or not api_only:
                one = self.book.instrument(order.record.con_id)
                zone = self.execution_zone or "US/Eastern"
                session.send(messages.completed_order(one, order, zone))
        self.end(session, EndMark.COMPLETED_ORDERS, (102,))

    def _executions(self, session: Session, fields: Fields) -> None:
        req_id, wanted = int(fields[2]), requests.execution_filter(fields)
        for row in self.book.executions:
            if self._is_wanted(row, wanted):
                for message in self.execution_rows(req_id, row):
                    session.send(message)
        self.end(session, EndMark.EXECUTIONS, (55, 1, req_id))

    def _is_wanted(self, row: ExecutionRow, wanted: requests.ExecutionFilter) -> bool:
        one = self.book.instrument(row.con_id)
        return (
            wanted.client_id in (0, row.client_id)
            and wanted.account in ("", row.account)
            and wanted.symbol in ("", one.symbol)
            and wanted.sec_type in ("", one.sec_type)
            and wanted.side in ("", row.side, row.side.executed)
        )

    def _global_cancel(self, session: Session) -> None:
        if self.faults.read_only:
            self.say(session, -1, 321)
        else:
            self.cancel_all()

    # Contracts and market data

    def _contract_details(self, session: Session, fields: Fields) -> None:
        req_id = int(fields[2])
        found = self.book.find(requests.contract(fields[3:15]), expired=requests.flag(fields[15]))
        if not found:
            self.say(session, req_id, 200)
            return
        for one in found:
            session.send(messages.contract_details(req_id, one))
        self.end(session, EndMark.CONTRACT_DETAILS, (52, 1, req_id))

    def _market_rule(self, session: Session, fields: Fields) -> None:
        rule = self.book.market_rules.get(int(fields[1]))
        if rule is None:
            self.say(session, -1, 321, "Error validating request.-'bW' : cause - No market rule")
        else:
            session.send(messages.market_rule(rule))

    def _market_data_type(self, session: Session, fields: Fields) -> None:
        session.market_data_type = int(fields[2])

    def _market_data(self, session: Session, fields: Fields) -> None:
        req_id = int(fields[2])
        found = self.book.find(requests.contract(fields[3:15]))
        if len(found) != 1:
            self.say(session, req_id, 200)
            return
        one = found[0]
        access = self.access(one.con_id)
        takes_delayed = session.market_data_type in (3, 4)
        if access is MarketDataAccess.NONE or (
            access is MarketDataAccess.DELAYED and not takes_delayed
        ):
            self.say(session, req_id, 354)
            return
        delayed = access is MarketDataAccess.DELAYED
        if delayed:
            self.say(session, req_id, 10167)
        wanted = DataSubscription(con_id=one.con_id, delayed=delayed)
        kind = session.market_data_type if delayed else min(session.market_data_type, 2)
        session.send(messages.tick_params(req_id, one.min_tick))
        session.send(messages.market_data_type(req_id, kind if delayed or kind == 2 else 1))
        self.send_ticks(session, req_id, wanted)
        if requests.flag(fields[17]):
            session.send((57, 1, req_id))
        else:
            session.market_data[req_id] = wanted

    def _cancel_market_data(self, session: Session, fields: Fields) -> None:
        session.market_data.pop(int(fields[2]), None)

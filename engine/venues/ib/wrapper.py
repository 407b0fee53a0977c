"""The callbacks of the wire, in the library's own names; each hands on what it hears, no more.

A callback the library does not find here is simply not called.
"""

from typing import Protocol

from ib_insync.contract import Contract, ContractDetails
from ib_insync.objects import Execution as IbExecution
from ib_insync.objects import PriceIncrement
from ib_insync.order import OrderState as IbOrderState

from engine.venues.ib.wire import IbOrder


class Listener(Protocol):
    """What one connection does with what it hears. Requests are the ids answers carry."""

    def packet_arrived(self) -> None: ...
    def packet_taken(self) -> None: ...
    def fault(self, fields: list[str], error: BaseException | None) -> None: ...
    def message(self, request: int, code: int, text: str) -> None: ...
    def position(self, account: str, contract: Contract, held: float, cost: float) -> None: ...
    def positions_end(self) -> None: ...
    def open_order(self, order_id: int, order: IbOrder, state: IbOrderState) -> None: ...
    def order_status(
        self, order_id: int, client_id: int, perm_id: int, status: str, filled: float, why: str
    ) -> None: ...
    def open_orders_end(self) -> None: ...
    def completed_order(self, order: IbOrder, status: str, words: str) -> None: ...
    def completed_orders_end(self) -> None: ...
    def execution(self, contract: Contract, execution: IbExecution) -> None: ...
    def executions_end(self, request: int) -> None: ...
    def details_row(self, request: int, details: ContractDetails) -> None: ...
    def details_end(self, request: int) -> None: ...
    def market_rule(self, rule_id: int, increments: list[PriceIncrement]) -> None: ...
    def tick(self, request: int, tick_type: int, price: float) -> None: ...
    def account_value(
        self, request: int, account: str, tag: str, value: str, currency: str
    ) -> None: ...
    def account_values_end(self, request: int) -> None: ...
    def next_order_id(self, order_id: int) -> None: ...
    def current_time(self, seconds: int) -> None: ...


class Wrapper:
    """Source of the names: IB API, EWrapper."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.fault = listener.fault
        # Straight to where they are used: these two are the frequent ones.
        self.tcpDataArrived = listener.packet_arrived
        self.tcpDataProcessed = listener.packet_taken

    def connectAck(self) -> None:
        """Nothing is known yet."""

    def connectionClosed(self) -> None:
        """The socket tells it."""

    def setEventsDone(self) -> None:
        """The library's own facade has events; there are none here."""

    def error(self, reqId: int, errorCode: int, errorString: str, _advanced: str = "") -> None:
        self._listener.message(reqId, errorCode, errorString)

    def nextValidId(self, orderId: int) -> None:
        self._listener.next_order_id(orderId)

    def currentTime(self, time: int) -> None:
        self._listener.current_time(time)

    def position(self, account: str, contract: Contract, pos: float, avgCost: float) -> None:
        self._listener.position(account, contract, pos, avgCost)

    def positionEnd(self) -> None:
        self._listener.positions_end()

    def openOrder(
        self, orderId: int, _contract: Contract, order: IbOrder, orderState: IbOrderState
    ) -> None:
        self._listener.open_order(orderId, order, orderState)

    def orderStatus(
        self,
        orderId: int,
        status: str,
        filled: float,
        _remaining: float,
        _avgFillPrice: float,
        permId: int,
        _parentId: int,
        _lastFillPrice: float,
        clientId: int,
        whyHeld: str,
        _mktCapPrice: float = 0.0,
    ) -> None:
        self._listener.order_status(orderId, clientId, permId, status, filled, whyHeld)

    def openOrderEnd(self) -> None:
        self._listener.open_orders_end()

    def completedOrder(self, _contract: Contract, order: IbOrder, orderState: IbOrderState) -> None:
        self._listener.completed_order(order, orderState.status, orderState.completedStatus)

    def completedOrdersEnd(self) -> None:
        self._listener.completed_orders_end()

    def execDetails(self, _reqId: int, contract: Contract, execution: IbExecution) -> None:
        self._listener.execution(contract, execution)

    def execDetailsEnd(self, reqId: int) -> None:
        self._listener.executions_end(reqId)

    def accountSummary(self, reqId: int, account: str, tag: str, value: str, currency: str) -> None:
        self._listener.account_value(reqId, account, tag, value, currency)

    def accountSummaryEnd(self, reqId: int) -> None:
        self._listener.account_values_end(reqId)

    def contractDetails(self, reqId: int, contractDetails: ContractDetails) -> None:
        self._listener.details_row(reqId, contractDetails)

    bondContractDetails = contractDetails

    def contractDetailsEnd(self, reqId: int) -> None:
        self._listener.details_end(reqId)

    def marketRule(self, marketRuleId: int, priceIncrements: list[PriceIncrement]) -> None:
        self._listener.market_rule(marketRuleId, priceIncrements)

    def priceSizeTick(self, reqId: int, tickType: int, price: float, _size: float) -> None:
        self._listener.tick(reqId, tickType, price)

"""The messages clients send, taken apart at version 176. Reads fields; decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import IntEnum

from tests.fakes.tws.book import ContractQuery
from tests.fakes.tws.records import ZERO, OrderRecord, Side

PLACE_ORDER_FIELDS = 115


class Ask(IntEnum):
    """The client messages that are answered; any other is recorded and left alone."""

    MARKET_DATA = 1
    CANCEL_MARKET_DATA = 2
    PLACE_ORDER = 3
    CANCEL_ORDER = 4
    OPEN_ORDERS = 5
    ACCOUNT_UPDATES = 6
    EXECUTIONS = 7
    IDS = 8
    CONTRACT_DETAILS = 9
    AUTO_OPEN_ORDERS = 15
    ALL_OPEN_ORDERS = 16
    MANAGED_ACCOUNTS = 17
    CURRENT_TIME = 49
    GLOBAL_CANCEL = 58
    MARKET_DATA_TYPE = 59
    POSITIONS = 61
    ACCOUNT_SUMMARY = 62
    CANCEL_ACCOUNT_SUMMARY = 63
    CANCEL_POSITIONS = 64
    START_API = 71
    ACCOUNT_UPDATES_MULTI = 76
    CANCEL_ACCOUNT_UPDATES_MULTI = 77
    MARKET_RULE = 91
    COMPLETED_ORDERS = 99


class BadRequest(ValueError):
    """A message TWS could not read; it answers such with 320."""


def flag(field: str) -> bool:
    return field not in ("", "0")


def decimal(field: str) -> Decimal:
    try:
        value = Decimal(field)
    except InvalidOperation:
        raise BadRequest(f"Unable to parse {field!r}") from None
    if not value.is_finite():
        raise BadRequest(f"Unable to use {field!r}")
    return value


def decimal_or_none(field: str) -> Decimal | None:
    return decimal(field) if field else None


def contract(fields: Sequence[str]) -> ContractQuery:
    """Read the twelve fields of a contract, conId to tradingClass."""
    if len(fields) < 12:
        raise BadRequest("a contract has twelve fields")
    return ContractQuery(
        con_id=int(fields[0] or 0),
        symbol=fields[1],
        sec_type=fields[2],
        expiry=fields[3],
        strike=decimal(fields[4]) if fields[4] else ZERO,
        right="" if fields[5] in ("0", "?") else fields[5],
        exchange=fields[7],
        currency=fields[9],
        local_symbol=fields[10],
        trading_class=fields[11],
    )


def order(fields: Sequence[str], client_id: int, arrived_ns: int, *, modifies: bool) -> OrderRecord:
    """Read placeOrder. The places are those of an order without combo legs or algo."""
    if len(fields) != PLACE_ORDER_FIELDS:
        raise BadRequest(f"placeOrder with {len(fields)} fields, not {PLACE_ORDER_FIELDS}")
    try:
        action = Side(fields[16])
    except ValueError:
        raise BadRequest(f"Invalid side {fields[16]!r}") from None
    return OrderRecord(
        arrived_ns=arrived_ns,
        client_id=client_id,
        order_id=int(fields[1]),
        con_id=int(fields[2] or 0),
        symbol=fields[3],
        sec_type=fields[4],
        exchange=fields[9],
        action=action,
        quantity=decimal(fields[17]),
        order_type=fields[18],
        limit_price=decimal_or_none(fields[19]),
        aux_price=decimal_or_none(fields[20]),
        tif=fields[21],
        oca_group=fields[22],
        account=fields[23],
        order_ref=fields[26],
        transmit=flag(fields[27]),
        parent_id=int(fields[28] or 0),
        outside_rth=flag(fields[33]),
        what_if=flag(fields[85]),
        modifies=modifies,
        fields=tuple(fields),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Which executions are asked for; what is empty or zero asks for all."""

    client_id: int
    account: str
    symbol: str
    sec_type: str
    side: str


def execution_filter(fields: Sequence[str]) -> ExecutionFilter:
    """Read reqExecutions (7, version 3)."""
    return ExecutionFilter(
        client_id=int(fields[3] or 0),
        account=fields[4],
        symbol=fields[6],
        sec_type=fields[7],
        side=fields[9],
    )

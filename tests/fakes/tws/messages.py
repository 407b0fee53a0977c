"""The messages TWS sends, one function a message, each returning its fields at version 176.

Pure: records in, fields out. Held field by field against data/tws_recorded.txt.
"""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.fakes.tws.book import ExecutionRow, WorkingOrder
from tests.fakes.tws.records import (
    ZERO,
    Instrument,
    MarketRule,
    OrderRecord,
    Position,
    Status,
)
from tests.fakes.tws.wire import (
    UNSET_DOUBLE,
    UNSET_INTEGER,
    UNSET_LONG,
    Field,
    double,
    number,
)

Fields = tuple[Field, ...]


def _described(one: Instrument) -> Fields:
    """conId to multiplier, as rows about holdings and executions spell them."""
    return (
        one.con_id,
        one.symbol,
        one.sec_type,
        one.expiry_text,
        double(one.strike),
        one.right or "",
        one.multiplier,
    )


def managed_accounts(accounts: list[str]) -> Fields:
    return (15, 1, ",".join(accounts))


def next_valid_id(order_id: int) -> Fields:
    return (9, 1, order_id)


def error(req_id: int, code: int, text: str) -> Fields:
    return (4, 2, req_id, code, text, "")


def current_time(at: datetime) -> Fields:
    return (49, 1, int(at.timestamp()))


def position(one: Instrument, held: Position) -> Fields:
    return (
        *(61, 3, held.account),
        *_described(one),
        *(one.position_exchange, one.currency, one.local_symbol, one.trading_class),
        *(held.quantity, held.average_cost if held.quantity else "0.0"),
    )


def portfolio_value(one: Instrument, held: Position, mark: Decimal) -> Fields:
    """Message 7. A row that closes has zeros throughout."""
    value = held.quantity * mark * one.unit
    gain = value - held.quantity * held.average_cost
    return (
        *(7, 8),
        *_described(one),
        *(one.primary_exchange, one.currency, one.local_symbol, one.trading_class),
        *(held.quantity, double(mark), double(value)),
        *(double(held.average_cost if held.quantity else ZERO), double(gain), "0.0"),
        held.account,
    )


def account_value(account: str, tag: str, currency: str, value: str) -> Fields:
    return (6, 2, tag, value, currency, account)


def account_time(at: datetime) -> Fields:
    return (8, 1, f"{at:%H:%M}")


def account_download_end(account: str) -> Fields:
    return (54, 1, account)


def account_update_multi(
    req_id: int, account: str, model: str, tag: str, currency: str, value: str
) -> Fields:
    return (73, 1, req_id, account, model, tag, value, currency)


def account_summary(req_id: int, account: str, tag: str, currency: str, value: str) -> Fields:
    return (63, 1, req_id, account, tag, value, currency)


def contract_details(req_id: int, one: Instrument) -> Fields:
    """Message 10. The long name goes escaped, as TWS sends it."""
    last_trade = " ".join(part for part in (one.expiry_text, one.last_trade_time) if part)
    return (
        *(10, req_id, one.symbol, one.sec_type, last_trade, one.strike, one.right or ""),
        *(one.exchange, one.currency, one.local_symbol, one.market_name, one.trading_class),
        *(one.con_id, one.min_tick, one.multiplier, "ACTIVETIM,DAY,GTC,LMT,MKT,STP,WHATIF"),
        *(one.valid_exchanges, 1, one.under_con_id),
        one.long_name.encode("unicode-escape").decode("ascii"),
        one.primary_exchange,
        one.expiry_text[:6],
        *("", "", "", one.time_zone_id, one.trading_hours, one.liquid_hours, "", ""),
        *(0, 1, one.under_symbol, one.under_sec_type, one.market_rule_ids),
        *(one.expiry_text, one.stock_type, 1, 1, 100 if not one.multiplier else 1),
    )


def market_rule(rule: MarketRule) -> Fields:
    steps = (edge for step in rule.steps for edge in (step.low_edge, step.increment))
    return (93, rule.rule_id, len(rule.steps), *steps)


def order_status(order: WorkingOrder, status: Status | None = None) -> Fields:
    return (
        *(3, order.order_id, status or order.status, order.filled, order.remaining),
        *(order.average_price, order.perm_id, order.record.parent_id, order.last_price),
        *(order.client_id, "", 0),
    )


def _execution_time(at: datetime, zone: str) -> str:
    """A zone of '' gives the old form, which has none and is New York's."""
    where = at.astimezone(ZoneInfo(zone or "US/Eastern"))
    return f"{where:%Y%m%d %H:%M:%S} {zone}" if zone else f"{where:%Y%m%d  %H:%M:%S}"


def execution(req_id: int, one: Instrument, row: ExecutionRow, zone: str) -> Fields:
    return (
        *(11, req_id, row.order_id),
        *_described(one),
        *(row.exchange or one.exchange, one.currency, one.local_symbol, one.trading_class),
        *(row.exec_id, _execution_time(row.at, zone), row.account, row.exchange or one.exchange),
        *(row.side.executed, row.shares, row.price, row.perm_id, row.client_id),
        *(row.liquidation, row.cum_quantity or row.shares, row.average_price or row.price),
        *(row.order_ref, "", "", "", 2),
    )


def commission(row: ExecutionRow, currency: str) -> Fields:
    realized = UNSET_DOUBLE if row.realized is None else double(row.realized)
    return (59, 1, row.exec_id, double(row.commission), currency, realized, UNSET_DOUBLE, "")


def _order_head(one: Instrument, record: OrderRecord, quantity: Decimal) -> Fields:
    """From conId to openClose, the same in open and completed orders."""
    return (
        *(one.con_id, one.symbol, one.sec_type, one.expiry_text, one.strike, one.right or "?"),
        *(one.multiplier, record.exchange or one.exchange, one.currency, one.local_symbol),
        *(one.trading_class, record.action, quantity, record.order_type),
        *(double(record.limit_price or ZERO), double(record.aux_price or ZERO), record.tif),
        *(record.oca_group, record.account, ""),
    )


# Runs of fields that are the same in every order which uses none of the optional groups, as
# recorded; the first of each run is named by its place in the message.
def _run(recorded: str) -> tuple[str, ...]:
    return tuple(recorded.split("|"))


_OPEN_31 = _run("|||||||||0||-1|0||||||2147483647|0|0|0||3|0|0|")
_OPEN_59 = _run("0||0|None||0||||?|0|0||0|0||||||0|0|0|2147483647|2147483647|||0||IB|0|0||0")
_OPEN_109 = (
    *("0", "0", "0", "None", *(UNSET_DOUBLE,) * 6),
    *_run("0||||0|1|0|0|0|||0||100|0.02||"),
)
_NO_MARGIN = (*(UNSET_DOUBLE,) * 9, "", "", "", "", "")
_WHAT_IF_MARGIN = (
    *("2000.0", "1800.0", "100000.0", "-500.0", "-450.0", "-1.0", "1500.0", "1350.0", "99999.0"),
    *("1.0", "", "", "USD", ""),
)
_COMPLETED_27 = _run(
    "||||||||||0||-1||||||2147483647|0|0||3|0||0|None||0|0|0||0|0||||0|0|0|2147483647|2147483647"
    "||||IB|0|0||0"
)
_COMPLETED_78 = ("0", "0", "0", UNSET_DOUBLE, UNSET_DOUBLE, "0", "1", "0", "")
_COMPLETED_88 = (
    *(UNSET_INTEGER, "0", "Not an insider or substantial shareholder", "0", "0", UNSET_LONG),
)


def open_order(
    one: Instrument,
    order: WorkingOrder,
    status: Status | None = None,
    *,
    previews_margin: bool = True,
) -> Fields:
    """Message 5 of an order that uses none of the optional groups. A what-if order's says what it
    would do to the margin, or the unset double where previews_margin is not set."""
    record = order.record
    return (
        *(5, order.order_id),
        *_order_head(one, record, record.quantity),
        *(0, record.order_ref, order.client_id, order.perm_id, record.outside_rth, 0, 0, ""),
        f"{order.perm_id}.0/{record.account}/100",
        *_OPEN_31,
        record.parent_id,
        *_OPEN_59,
        *(record.what_if, status or order.status),
        *(_WHAT_IF_MARGIN if record.what_if and previews_margin else _NO_MARGIN),
        *_OPEN_109,
    )


def completed_order(one: Instrument, order: WorkingOrder, zone: str) -> Fields:
    """Message 101: names neither order id nor client id, and a filled order's quantity is 0."""
    record = order.record
    done_at = order.completed_at
    is_filled = order.status is Status.FILLED
    return (
        101,
        *_order_head(one, record, ZERO if is_filled else record.quantity),
        *(0, record.order_ref, order.perm_id, record.outside_rth, 0, 0),
        *_COMPLETED_27,
        order.status,
        *_COMPLETED_78,
        order.filled,
        *_COMPLETED_88,
        f"{done_at.astimezone(ZoneInfo(zone)):%Y%m%d %H:%M:%S} {zone}" if done_at else "",
        f"Filled Size: {number(order.filled)}" if is_filled else "Cancelled by Trader",
        *("", "100", "0.02", "", ""),
    )


def market_data_type(req_id: int, kind: int) -> Fields:
    return (58, 1, req_id, kind)


def tick_params(req_id: int, min_tick: Decimal) -> Fields:
    return (81, req_id, min_tick, "9c0001", 3)


def tick_price(req_id: int, tick: int, price: Decimal, size: Decimal) -> Fields:
    return (1, 6, req_id, tick, double(price), size, 1)

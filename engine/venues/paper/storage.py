"""The paper account on disk: the book and its market as one JSON document.

A save replaces the file whole or not at all. A document that cannot be read is refused with a
plain reason: an account is never guessed.
"""

import json
import os
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.desk.facts import (
    CloseType,
    Execution,
    ExecutionOrigin,
    OrderReport,
    OrderType,
    PositionRow,
    Side,
    TimeInForce,
)
from engine.desk.instruments import (
    Instrument,
    OptionContract,
    Perpetual,
    Right,
    SpotPair,
    Stock,
)
from engine.desk.intents import Purpose
from engine.venues.paper.book import Delivery, PaperBook, PaperOrder
from engine.venues.port import PricedOrder

VERSION = 2


class PaperStateError(ValueError):
    """A saved paper account cannot be read. The text says why, for a person."""


def read(path: Path) -> dict[str, Any]:
    """Read a saved account."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PaperStateError(f"The paper account {path} cannot be read: {error}") from error
    if not isinstance(document, dict):
        raise PaperStateError(f"The paper account {path} is no account document.")
    return document


def write(path: Path, state: Mapping[str, Any]) -> None:
    """Replace the saved account, readable by its owner only. Raises OSError."""
    beside = path.with_name(f"{path.name}.new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w", encoding="utf-8") as file:
        json.dump(state, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)


class StateFile:
    """Keeps a state on disk; path None keeps nothing. warn hears once of a disk that refuses, until
    it takes a state again."""

    def __init__(self, path: Path | None, warn: Callable[[OSError], None]) -> None:
        self._path = path
        self._warn = warn
        self._fails = False

    def keep(self, state: Callable[[], Mapping[str, Any]]) -> bool:
        """Replace what is kept. Return whether it is safe now; the next change tries again."""
        if self._path is None:
            return True
        try:
            write(self._path, state())
        except OSError as error:
            if not self._fails:
                self._warn(error)
            self._fails = True
        else:
            self._fails = False
        return not self._fails


def book_to_json(book: PaperBook) -> dict[str, Any]:
    """Write a book out as JSON-able values; decimals and instants become text."""
    return {
        "issued": book.issued,
        "cash": {account: str(amount) for account, amount in book.cash.items()},
        "funds": [[*key, str(amount)] for key, amount in book.funds.items()],
        "positions": [
            {
                "account": row.account,
                "instrument": _instrument_out(row.instrument),
                "quantity": str(row.quantity),
                "average_cost": _text(row.average_cost),
            }
            for row in book.held.values()
        ],
        "orders": [_order_out(order) for order in book.orders.values()],
        "executions": [_execution_out(execution) for execution in book.executions],
        "deliveries": [
            {
                "account": it.account,
                "instrument": _instrument_out(it.instrument),
                "quantity": str(it.quantity),
                "price": str(it.price),
            }
            for it in book.deliveries
        ],
    }


def book_from_json(document: Mapping[str, Any]) -> PaperBook:
    """Read a book back. Raises KeyError, TypeError, ValueError or ArithmeticError on a document
    that is none."""
    rows = [
        PositionRow(
            account=it["account"],
            instrument=_instrument_in(it["instrument"]),
            quantity=Decimal(it["quantity"]),
            average_cost=_decimal(it["average_cost"]),
        )
        for it in document["positions"]
    ]
    orders = [_order_in(it) for it in document["orders"]]
    return PaperBook(
        issued=int(document["issued"]),
        cash={account: Decimal(amount) for account, amount in document["cash"].items()},
        funds={(account, code): Decimal(amount) for account, code, amount in document["funds"]},
        held={(row.account, row.instrument.ref): row for row in rows},
        orders={it.order.client_order_id: it for it in orders},
        executions=[_execution_in(it) for it in document["executions"]],
        deliveries=[
            Delivery(
                account=it["account"],
                instrument=_instrument_in(it["instrument"]),
                quantity=Decimal(it["quantity"]),
                price=Decimal(it["price"]),
            )
            for it in document["deliveries"]
        ],
    )


def _order_out(known: PaperOrder) -> dict[str, Any]:
    order = known.order
    return {
        "client_order_id": order.client_order_id,
        "account": order.account,
        "instrument": _instrument_out(order.instrument),
        "side": order.side.value,
        "quantity": str(order.quantity),
        "order_type": order.order_type.value,
        "limit_price": _text(order.limit_price),
        "outside_rth": order.outside_rth,
        "purpose": order.purpose.value,
        "stop_price": _text(order.stop_price),
        "time_in_force": order.time_in_force.value,
        "spend": _text(order.spend),
        "reduce_only": order.reduce_only,
        "venue_order_id": known.venue_order_id,
        "placed_at": known.placed_at.isoformat(),
        "report": known.report.value,
        "filled": str(known.filled),
        "spent": str(known.spent),
        "leg": known.leg,
        "reason": known.reason,
    }


def _order_in(it: Mapping[str, Any]) -> PaperOrder:
    return PaperOrder(
        order=PricedOrder(
            client_order_id=it["client_order_id"],
            account=it["account"],
            instrument=_instrument_in(it["instrument"]),
            side=Side(it["side"]),
            quantity=Decimal(it["quantity"]),
            order_type=OrderType(it["order_type"]),
            limit_price=_decimal(it["limit_price"]),
            outside_rth=bool(it["outside_rth"]),
            purpose=Purpose(it["purpose"]),
            stop_price=_decimal(it["stop_price"]),
            time_in_force=TimeInForce(it["time_in_force"]),
            spend=_decimal(it["spend"]),
            reduce_only=bool(it["reduce_only"]),
        ),
        venue_order_id=it["venue_order_id"],
        placed_at=datetime.fromisoformat(it["placed_at"]),
        report=OrderReport(it["report"]),
        filled=Decimal(it["filled"]),
        spent=Decimal(it["spent"]),
        leg=_close_type(it["leg"]),
        reason=it["reason"],
    )


def _execution_out(execution: Execution) -> dict[str, Any]:
    return {
        "execution_id": execution.execution_id,
        "account": execution.account,
        "instrument": _instrument_out(execution.instrument),
        "side": execution.side.value,
        "quantity": str(execution.quantity),
        "price": str(execution.price),
        "at": execution.at.isoformat(),
        "origin": execution.origin.value,
        "client_order_id": execution.client_order_id,
        "fee": str(execution.fee),
        "fee_currency": execution.fee_currency,
        "exit_leg": execution.exit_leg,
    }


def _execution_in(it: Mapping[str, Any]) -> Execution:
    return Execution(
        execution_id=it["execution_id"],
        account=it["account"],
        instrument=_instrument_in(it["instrument"]),
        side=Side(it["side"]),
        quantity=Decimal(it["quantity"]),
        price=Decimal(it["price"]),
        at=datetime.fromisoformat(it["at"]),
        origin=ExecutionOrigin(it["origin"]),
        client_order_id=it["client_order_id"],
        fee=Decimal(it["fee"]),
        fee_currency=it["fee_currency"],
        exit_leg=_close_type(it["exit_leg"]),
    )


def _instrument_out(instrument: Instrument) -> dict[str, str | bool]:
    match instrument:
        case Stock():
            return {
                "type": "stock",
                "ref": instrument.ref,
                "symbol": instrument.symbol,
                "currency": instrument.currency,
            }
        case OptionContract():
            return {
                "type": "option",
                "ref": instrument.ref,
                "underlying": instrument.underlying,
                "right": instrument.right.value,
                "strike": str(instrument.strike),
                "expiry": instrument.expiry.isoformat(),
                "multiplier": str(instrument.multiplier),
                "currency": instrument.currency,
                "trading_class": instrument.trading_class,
            }
        case Perpetual():
            return {
                "type": "perpetual",
                "ref": instrument.ref,
                "symbol": instrument.symbol,
                "base": instrument.base,
                "quote": instrument.quote,
                "contract_size": str(instrument.contract_size),
                "inverse": instrument.inverse,
            }
        case SpotPair():
            return {
                "type": "spot",
                "ref": instrument.ref,
                "symbol": instrument.symbol,
                "base": instrument.base,
                "quote": instrument.quote,
            }


def _instrument_in(document: Mapping[str, Any]) -> Instrument:
    it = dict(document)
    match it.pop("type"):
        case "stock":
            return Stock(**it)
        case "option":
            it["right"] = Right(it["right"])
            it["strike"], it["multiplier"] = Decimal(it["strike"]), Decimal(it["multiplier"])
            it["expiry"] = date.fromisoformat(it["expiry"])
            return OptionContract(**it)
        case "perpetual":
            it["contract_size"] = Decimal(it["contract_size"])
            return Perpetual(**it)
        case "spot":
            return SpotPair(**it)
        case other:
            raise ValueError(f"unknown kind of instrument {other!r}")


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _close_type(value: str | None) -> CloseType | None:
    return None if value is None else CloseType(value)


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)

"""What Binance USD-M says, as facts: rows of its streams and of its REST answers.

Forced events are orders of Binance's own client ids; a stop is a row of the Algo Service until it
is triggered. Source: Binance USD-M API, order update and algo update.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from engine.desk.facts import (
    Execution,
    ExecutionOrigin,
    OrderReport,
    OrderRow,
    PositionRow,
    Side,
)
from engine.venues.crypto import binance_rows as rows
from engine.venues.crypto.markets import ZERO, exact, number
from engine.venues.crypto.translator import News, Surroundings, Unclear, instant

Row = Mapping[str, Any]

# Binance's own client ids begin with these. Source: Binance USD-M, order update, special ids.
_FORCED = (
    ("autoclose-", ExecutionOrigin.LIQUIDATION),
    ("adl_autoclose", ExecutionOrigin.ADL),
    ("settlement_autoclose-", ExecutionOrigin.SETTLEMENT),
    ("delivery_autoclose-", ExecutionOrigin.SETTLEMENT),
)
_FORCED_STATUS = {
    "NEW_ADL": ExecutionOrigin.ADL,
    "NEW_INSURANCE": ExecutionOrigin.LIQUIDATION,
}
_ALGO_REPORTS = {
    "NEW": OrderReport.WORKING,
    "CANCELED": OrderReport.CANCELLED,
    "EXPIRED": OrderReport.CANCELLED,
    "REJECTED": OrderReport.REJECTED,
}
_CALCULATED = "CALCULATED"


class UsdmReader:
    """Reads rows. makers: order id -> client id; traded: refs with executions of late."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._account = around.settings.account
        self._own = around.own
        self.makers: dict[str, str] = {}
        self.traded: set[str] = set()

    def order_update(self, row: Row) -> Iterator[News]:
        if not self._around.markets.knows(row["s"]):
            return
        client_id = row["c"]
        self.makers[str(row["i"])] = client_id
        own = self._own.own_id(client_id, row["i"])
        # Pending rows of forced orders carry no quantity.
        if exact(row["l"]):
            forced = _forced(client_id) or _FORCED_STATUS.get(row["X"])
            if forced is None and row["x"] == _CALCULATED:
                forced = ExecutionOrigin.LIQUIDATION
            yield self._execution(
                ref=row["s"],
                trade_id=row["t"],
                side=rows.side_of(row["S"]),
                fill=(row["l"], row["L"], row.get("n"), row.get("N")),
                at=row["T"],
                own=own,
                forced=forced,
            )
        if own is not None:
            yield self._own.told(
                own,
                rows.report_of(row["X"]),
                filled=self._around.markets.of(row["s"]).desk_quantity(exact(row["z"])),
                reason=rows.reason_of(row["X"]),
            )

    def algo_update(self, row: Row) -> Iterator[News]:
        """A stop; once it is triggered the order it became tells more than this."""
        own = self._own.own_id(row["caid"])
        if own is None:
            return
        if row.get("ai"):
            self._own.alias(own, str(row["ai"]))
        filled = number(row.get("aq")) or ZERO
        if row["X"] == "FINISHED":
            report = OrderReport.FILLED if filled else OrderReport.CANCELLED
            yield self._own.told(own, report, filled=filled)
        elif (found := _ALGO_REPORTS.get(row["X"])) is not None:
            yield self._own.told(own, found, reason=str(row.get("rm") or ""))

    def position_update(self, row: Row) -> Iterator[News]:
        if not self._around.markets.knows(row["s"]):
            return
        self.traded.add(row["s"])
        if row.get("ps", "BOTH") != "BOTH":
            yield Unclear(reason="one side of a hedged position changed")
        else:
            yield self.position(row["s"], row["pa"], row["ep"])

    def position(self, ref: str, quantity: object, price: object) -> PositionRow:
        market = self._around.markets.of(ref)
        return PositionRow(
            account=self._account,
            instrument=market.instrument,
            quantity=market.desk_quantity(exact(quantity)),
            average_cost=number(price) or None,
        )

    def order_row(self, row: Row) -> OrderRow | None:
        self.makers[str(row["orderId"])] = row["clientOrderId"]
        own = self._own.own_id(row["clientOrderId"], row["orderId"])
        if own is None or not self._around.markets.knows(row["symbol"]):
            return None
        market = self._around.markets.of(row["symbol"])
        filled = market.desk_quantity(exact(row["executedQty"]))
        status = row["status"]
        reason = rows.reason_of(status)
        return self._own.told(own, rows.report_of(status), filled=filled, reason=reason)

    def algo_row(self, row: Row) -> OrderRow | None:
        own, report = self._own.own_id(row["clientAlgoId"]), _ALGO_REPORTS.get(row["algoStatus"])
        if own is None or report is None:
            return None
        return self._own.told(own, report, venue_order_id=row["algoId"])

    def trade(self, trade: Row) -> Execution:
        client_id = self.makers.get(str(trade["orderId"]), "")
        return self._execution(
            ref=trade["symbol"],
            trade_id=trade["id"],
            side=rows.side_of(trade["side"]),
            fill=(trade["qty"], trade["price"], trade["commission"], trade["commissionAsset"]),
            at=trade["time"],
            own=self._own.own_id(client_id, trade["orderId"]),
            forced=_forced(client_id),
        )

    def _execution(
        self,
        *,
        ref: str,
        trade_id: object,
        side: Side,
        fill: tuple[object, object, object, object],
        at: object,
        own: str | None,
        forced: ExecutionOrigin | None,
    ) -> Execution:
        market = self._around.markets.of(ref)
        quantity, price, fee, fee_currency = fill
        self.traded.add(ref)
        return Execution(
            # Trade ids count up for each market of its own.
            execution_id=f"{ref}-{trade_id}",
            account=self._account,
            instrument=market.instrument,
            side=side,
            quantity=market.desk_quantity(exact(quantity)),
            price=exact(price),
            at=instant(at),
            origin=forced or (ExecutionOrigin.OURS if own else ExecutionOrigin.HAND),
            client_order_id=own,
            fee=number(fee) or ZERO,
            fee_currency=str(fee_currency or ""),
        )


def _forced(client_id: str) -> ExecutionOrigin | None:
    return next((origin for prefix, origin in _FORCED if client_id.startswith(prefix)), None)

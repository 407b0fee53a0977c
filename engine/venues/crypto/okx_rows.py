"""What OKX says, as facts: rows of its streams and REST answers, counted in contracts."""

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
from engine.venues.crypto.markets import ZERO, exact, number
from engine.venues.crypto.translator import (
    News,
    Surroundings,
    instant,
)

Row = Mapping[str, Any]

_CATEGORIES = {
    "adl": ExecutionOrigin.ADL,
    "full_liquidation": ExecutionOrigin.LIQUIDATION,
    "partial_liquidation": ExecutionOrigin.LIQUIDATION,
    "delivery": ExecutionOrigin.SETTLEMENT,
}
# Fills over REST name no category but the subtype of their bill.
_SUB_TYPES = {
    **{str(code): ExecutionOrigin.LIQUIDATION for code in range(100, 112)},
    **{str(code): ExecutionOrigin.SETTLEMENT for code in (112, 113, 170, 171, 172)},
    **{str(code): ExecutionOrigin.ADL for code in (125, 126, 127, 128)},
}
_REPORTS = {
    "live": OrderReport.WORKING,
    "partially_filled": OrderReport.WORKING,
    "filled": OrderReport.FILLED,
    "canceled": OrderReport.CANCELLED,
    "mmp_canceled": OrderReport.CANCELLED,
}
_ALGO_REPORTS = {
    "live": OrderReport.WORKING,
    "pause": OrderReport.WORKING,
    "canceled": OrderReport.CANCELLED,
    "order_failed": OrderReport.REJECTED,
}
_CANCEL_SOURCES = {
    "2": "nothing was left to reduce",
    "3": "cancelled before a liquidation",
    "13": "nothing more could be executed at once",
    "14": "nothing more could be executed at once",
}
_FAILED = OrderReport.REJECTED


class OkxReader:
    """Reads rows. modes: ref -> margin mode of what is held; makers: order id -> category of the
    order."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._account = around.settings.account
        self._own = around.own
        self.modes: dict[str, str] = {}
        self.makers: dict[str, str] = {}

    def order_news(self, row: Row) -> Iterator[News]:
        """An order's row tells of at most one fill: the one that brought it."""
        self.makers[row["ordId"]] = row.get("category", "")
        own = self.own_id(row)
        if number(row.get("fillSz")):
            fee, fee_currency = row.get("fillFee"), row.get("fillFeeCcy")
            forced = _CATEGORIES.get(row.get("category", ""))
            yield self._execution(row, own, forced, fee=fee, fee_currency=fee_currency)
        seen = self.order_row(row)
        if seen is not None:
            yield seen

    def own_id(self, row: Row) -> str | None:
        """Find whose order it is: what a stop became has the stop's id as algoClOrdId only."""
        own = self._own.own_id(row.get("clOrdId"), row.get("ordId"))
        algo = self._own.own_id(row.get("algoClOrdId"))
        if own is None and algo is not None:
            self._own.alias(algo, row["ordId"])
        return own or algo

    def order_row(self, row: Row) -> OrderRow | None:
        own, report = self.own_id(row), _REPORTS.get(row["state"])
        if own is None or report is None:
            return None
        market = self._around.markets.of(row["instId"])
        filled = market.desk_quantity(number(row.get("accFillSz")) or ZERO)
        reason = _CANCEL_SOURCES.get(row.get("cancelSource", ""), "")
        venue_id = row["ordId"]
        return self._own.told(own, report, venue_order_id=venue_id, filled=filled, reason=reason)

    def algo_row(self, row: Row) -> OrderRow | None:
        """A stop that was triggered is told by the order it became."""
        own, report = self._own.own_id(row.get("algoClOrdId")), _ALGO_REPORTS.get(row["state"])
        if own is None or report is None:
            return None
        reason = f"it failed when triggered ({row.get('failCode')})" if report is _FAILED else ""
        return self._own.told(own, report, venue_order_id=row.get("algoId"), reason=reason)

    def _execution(
        self,
        row: Row,
        own: str | None,
        forced: ExecutionOrigin | None,
        *,
        fee: object,
        fee_currency: object,
    ) -> Execution:
        market = self._around.markets.of(row["instId"])
        return Execution(
            # Trade ids count up for each instrument of its own; a forced fill may have none.
            execution_id=f"{market.ref}-{row.get('tradeId') or row['ordId'] + row['fillTime']}",
            account=self._account,
            instrument=market.instrument,
            side=Side(row["side"].upper()),
            quantity=market.desk_quantity(exact(row["fillSz"])),
            price=exact(row["fillPx"]),
            at=instant(row["fillTime"]),
            origin=forced or (ExecutionOrigin.OURS if own else ExecutionOrigin.HAND),
            client_order_id=own,
            # OKX shows what it takes as negative.
            fee=-(number(fee) or ZERO),
            fee_currency=str(fee_currency or ""),
        )

    def position(self, row: Row) -> PositionRow:
        market = self._around.markets.of(row["instId"])
        if row.get("mgnMode"):
            self.modes[market.ref] = row["mgnMode"]
        size = market.desk_quantity(number(row["pos"]) or ZERO)
        return PositionRow(
            account=self._account,
            instrument=market.instrument,
            quantity=-abs(size) if row.get("posSide") == "short" else size,
            average_cost=number(row.get("avgPx")),
        )

    def rest_fill(self, row: Row) -> Execution:
        category = self.makers.get(row["ordId"], "")
        forced = _CATEGORIES.get(category) or _SUB_TYPES.get(row.get("subType", ""))
        return self._execution(
            row, self.own_id(row), forced, fee=row.get("fee"), fee_currency=row.get("feeCcy")
        )

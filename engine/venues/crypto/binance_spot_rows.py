"""What Binance spot says, as facts; two legs of an order list are one order of ours here."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from engine.desk.facts import (
    BalanceReported,
    Execution,
    ExecutionOrigin,
    OrderReport,
    OrderRow,
    Side,
)
from engine.venues.crypto import binance_rows as rows
from engine.venues.crypto.binance_legs import Legs, Named
from engine.venues.crypto.faults import Refused, Unanswered
from engine.venues.crypto.limiter import Cost, Lane
from engine.venues.crypto.markets import ZERO, Market, exact, number
from engine.venues.crypto.translator import (
    News,
    Surroundings,
    Unclear,
    instant,
)

Row = rows.Row

_CANCEL: Cost = {"weight": 1}
# A target near the touch fills in pieces: it is given this long before its rest is taken back.
_ORPHAN_SECONDS = 2.0


class SpotReader:
    """Reads rows, and takes back what is left of a list of which only one leg lives. names: order
    id -> whose order it is."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._wire = around.wire
        self._own = around.own
        self._settings = around.settings
        self._lists: dict[str, Legs] = {}  # our id -> legs
        self._cutting: set[str] = set()
        self.names: dict[str, Named | None] = {}

    def execution_report(self, event: Row) -> Iterator[News]:
        client_id = event["C"] if event["x"] == "CANCELED" and event.get("C") else event["c"]
        named = self.name(event["i"], client_id)
        if not self._around.markets.knows(event["s"]):
            return
        if event["x"] == "TRADE":
            yield self._execution(
                ref=event["s"],
                trade_id=event["t"],
                named=named,
                side=rows.side_of(event["S"]),
                fill=(event["l"], event["L"], event["n"], event["N"]),
                at=event["T"],
            )
        if named is not None:
            reject = event.get("r")
            row = self._row(
                named, event["s"], event["X"], event["z"], event["q"], event["i"], reject
            )
            yield row or Unclear(reason="half of an order list is known")

    def name(self, order_id: object, client_id: object) -> Named | None:
        named = Named.of(str(client_id or ""))
        self.names[str(order_id)] = named
        return named

    def _row(
        self,
        named: Named,
        ref: str,
        status: str,
        filled: object,
        quantity: object,
        order_id: object,
        reject: object = None,
    ) -> OrderRow | None:
        """Take what the venue says of an order; give the row of ours it is or belongs to."""
        report, done = rows.report_of(status), exact(filled)
        reason = rows.reason_of(status, reject)
        if not named.leg:
            return self._own.told(
                named.own, report, venue_order_id=order_id, filled=done, reason=reason
            )
        legs = self._lists.setdefault(named.own, Legs())
        legs.take(named.leg, report, done, exact(quantity))
        return self.list_row(named.own, ref, reason)

    def list_row(self, own: str, ref: str, reason: str = "") -> OrderRow | None:
        legs = self._lists[own]
        if legs.orphan and own not in self._cutting:
            self._cutting.add(own)
            self._around.start(self._cut(own, ref))
        if legs.report is None:
            return None
        if legs.report is not OrderReport.CANCELLED:
            reason = ""
        elif legs.filled:
            reason = "filled in part, and what was left is not protected"
        return self._own.told(own, legs.report, filled=legs.filled, reason=reason)

    async def _cut(self, own: str, ref: str) -> None:
        """Take back what is left of a list of which one leg is done: only then can the rest be
        protected again."""
        try:
            await asyncio.sleep(_ORPHAN_SECONDS)
            leg = self._lists[own].orphan
            if leg:
                params = {"symbol": ref, "origClientOrderId": own + leg}
                await self._wire.ask("privateDeleteOrder", params, _CANCEL, Lane.CLOSES)
        except (Refused, Unanswered):
            self._around.ask()
        finally:
            self._cutting.discard(own)

    def _execution(
        self,
        *,
        ref: str,
        trade_id: object,
        named: Named | None,
        side: Side,
        fill: tuple[object, object, object, object],
        at: object,
    ) -> Execution:
        quantity, price, fee, fee_currency = fill
        return Execution(
            # Trade ids count up for each market of its own.
            execution_id=f"{ref}-{trade_id}",
            account=self._settings.account,
            instrument=self._around.markets.of(ref).instrument,
            side=side,
            quantity=exact(quantity),
            price=exact(price),
            at=instant(at),
            origin=ExecutionOrigin.HAND if named is None else ExecutionOrigin.OURS,
            client_order_id=None if named is None else named.own,
            fee=number(fee) or ZERO,
            fee_currency=str(fee_currency or ""),
            exit_leg=None if named is None else named.close_type,
        )

    def balances(
        self, listed: Iterable[Row], *, asset: str, free: str, locked: str
    ) -> Iterator[BalanceReported]:
        wanted = self.currencies()
        for row in listed:
            if row[asset] in wanted:
                spare = exact(row[free])
                yield BalanceReported(
                    venue=self._around.name,
                    account=self._settings.account,
                    currency=row[asset],
                    free=spare,
                    total=spare + exact(row[locked]),
                )

    def currencies(self) -> set[str]:
        pairs = [market.instrument for market in self.wanted()]
        return {pair.base for pair in pairs} | {pair.quote for pair in pairs}

    def wanted(self) -> Sequence[Market]:
        return self._around.markets.named(self._settings.symbols)

    def rest_row(self, named: Named, row: Row) -> OrderRow | None:
        return self._row(
            named,
            row["symbol"],
            row["status"],
            row["executedQty"],
            row["origQty"],
            row["orderId"],
        )

    def trade(self, trade: Row) -> Execution:
        return self._execution(
            ref=trade["symbol"],
            trade_id=trade["id"],
            named=self.names.get(str(trade["orderId"])),
            side=Side.BUY if trade["isBuyer"] else Side.SELL,
            fill=(trade["qty"], trade["price"], trade["commission"], trade["commissionAsset"]),
            at=trade["time"],
        )

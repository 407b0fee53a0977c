"""The bills of an account: what changed its balance, with OKX's types and subtypes.

A forced fill's marker is its order's category; "block" and "funding" have bills without an order.
Source: OKX API v5, GET account/bills, types 2 trade, 3 delivery, 5 liquidation, 8 funding, 9 ADL.
"""

from dataclasses import dataclass
from decimal import Decimal

from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import ZERO, Fill, Quote, Side
from tests.fakes.okx.rows import Row, bill_id, ms, text


@dataclass(frozen=True, slots=True, kw_only=True)
class BillKind:
    """A bill's type, and its subtype for what is bought and for what is sold."""

    type: str
    buy: str
    sell: str

    def sub_type(self, side: Side) -> str:
        return self.buy if side is Side.BUY else self.sell


_TRADE = BillKind(type="2", buy="1", sell="2")
_KINDS = {
    "delivery": BillKind(type="3", buy="113", sell="112"),
    "full_liquidation": BillKind(type="5", buy="106", sell="107"),
    "partial_liquidation": BillKind(type="5", buy="102", sell="103"),
    "adl": BillKind(type="9", buy="127", sell="128"),
    "block": BillKind(type="14", buy="204", sell="205"),
}
FUNDING_TYPE = "8"


def kind_of(fill: Fill) -> BillKind:
    """The kind of bill of a fill."""
    return _KINDS.get(fill.marker, _TRADE)


def fill_bill(account: Account, fill: Fill) -> Row:
    """The bill of a fill whose profit and fee are yet to be paid."""
    kind = kind_of(fill)
    market = account.markets[fill.market]
    change = fill.realised - fill.fee
    row = _row(account, market.settle, change, account.quotes.get(fill.market))
    row.update(
        billId=bill_id(fill),
        clOrdId=fill.client_id or "",
        execType="M" if fill.maker else "T",
        fee=text(-fill.fee),
        fillTime=ms(fill.at),
        instId=fill.market,
        ordId="" if fill.marker == "block" else fill.order_id,
        pnl=text(fill.realised),
        px=text(fill.price),
        subType=kind.sub_type(fill.side),
        sz=text(fill.quantity),
        tradeId=fill.id,
        ts=ms(fill.at),
        type=kind.type,
    )
    return row


def funding_bill(account: Account, market: str, amount: Decimal, number: str, ts: str) -> Row:
    """The bill of a funding payment (amount is negative when paid) yet to be booked."""
    quote = account.quotes.get(market)
    row = _row(account, account.markets[market].settle, amount, quote)
    row.update(
        billId=number,
        instId=market,
        pnl=text(amount),
        px=text(quote.mark) if quote else "",
        subType="173" if amount < 0 else "174",
        sz=text(abs(account.held(market))),
        ts=ts,
        type=FUNDING_TYPE,
    )
    return row


def _row(account: Account, currency: str, change: Decimal, quote: Quote | None) -> Row:
    return {
        "bal": text(account.balances.get(currency, ZERO) + change),
        "balChg": text(change),
        "billId": "",
        "ccy": currency,
        "clOrdId": "",
        "earnAmt": "",
        "earnApr": "",
        "execType": "",
        "fee": "0",
        "fillFwdPx": "",
        "fillIdxPx": text(quote.index) if quote else "",
        "fillMarkPx": text(quote.mark) if quote else "",
        "fillMarkVol": "",
        "fillPxUsd": "",
        "fillPxVol": "",
        "fillTime": "",
        "from": "",
        "instId": "",
        "instType": "SWAP",
        "interest": "0",
        "mgnMode": "cross",
        "notes": "",
        "ordId": "",
        "pnl": "0",
        "posBal": "0",
        "posBalChg": "0",
        "px": "",
        "subType": "",
        "sz": "",
        "tag": "",
        "to": "",
        "tradeId": "",
        "ts": "",
        "type": "",
    }

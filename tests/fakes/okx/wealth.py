"""What an account is worth, and what a market trades at, as OKX writes them."""

from decimal import Decimal

from tests.fakes.exchange.account import Account
from tests.fakes.exchange.records import ZERO, Market, Quote
from tests.fakes.okx.rows import Row, ms, text


def balance_row(account: Account, leverage: dict[str, str], ts: str) -> Row:
    """Source: GET account/balance and the account channel."""
    frozen = _margin(account, leverage)
    profit = sum(map(account.unrealised, account.positions), ZERO)
    details = [_detail(account, currency, profit, frozen, ts) for currency in account.balances]
    total = account.balances.get("USDT", ZERO) + profit
    return {
        "adjEq": text(total),
        "availEq": text(total - frozen),
        "borrowFroz": "0",
        "delta": "",
        "deltaLever": "",
        "deltaNeutralStatus": "",
        "details": details,
        "imr": text(frozen),
        "isoEq": "0",
        "mgnRatio": "",
        "mmr": text(frozen / 10),
        "notionalUsd": text(_notional(account)),
        "notionalUsdForBorrow": "0",
        "notionalUsdForFutures": "0",
        "notionalUsdForOption": "0",
        "notionalUsdForSwap": text(_notional(account)),
        "ordFroz": "0",
        "totalEq": text(total),
        "uTime": ts,
        "upl": text(profit),
    }


def _detail(account: Account, currency: str, profit: Decimal, frozen: Decimal, ts: str) -> Row:
    cash = account.balances[currency]
    if currency != "USDT":
        profit = frozen = ZERO
    equity = cash + profit
    return {
        "accAvgPx": "",
        "autoLendAmt": "0",
        "autoLendMtAmt": "0",
        "autoLendStatus": "unsupported",
        "autoStakingStatus": "unsupported",
        "availBal": text(equity - frozen),
        "availEq": text(equity - frozen),
        "borrowFroz": "0",
        "cashBal": text(cash),
        "ccy": currency,
        "clSpotInUseAmt": "",
        "coinUsdPrice": "1",
        "colBorrAutoConversion": "0",
        "colRes": "0",
        "collateralEnabled": False,
        "collateralRestrict": False,
        "crossLiab": "0",
        "disEq": text(equity),
        "eq": text(equity),
        "eqUsd": text(equity),
        "fixedBal": "0",
        "frozenBal": text(frozen),
        "frpType": "0",
        "imr": text(frozen),
        "interest": "0",
        "isoEq": "0",
        "isoLiab": "0",
        "isoUpl": "0",
        "liab": "0",
        "maxLoan": "0",
        "maxSpotInUseAmt": "",
        "mgnRatio": "",
        "mmr": text(frozen / 10),
        "notionalLever": "",
        "openAvgPx": "",
        "ordFrozen": "0",
        "rewardBal": "0",
        "smtSyncEq": "0",
        "spotBal": "",
        "spotCopyTradingEq": "0",
        "spotInUseAmt": "",
        "spotIsoBal": "0",
        "spotUpl": "",
        "spotUplRatio": "",
        "stgyEq": "0",
        "totalPnl": "",
        "totalPnlRatio": "",
        "twap": "0",
        "uTime": ts,
        "upl": text(profit),
        "uplLiab": "0",
    }


def _notional(account: Account) -> Decimal:
    return sum((_worth(account, market) for market in account.positions), ZERO)


def _worth(account: Account, market_id: str) -> Decimal:
    quote, held = account.quotes.get(market_id), abs(account.held(market_id))
    return account.markets[market_id].value(held, quote.mark) if quote else ZERO


def _margin(account: Account, leverage: dict[str, str]) -> Decimal:
    return sum(
        (_worth(account, market) / Decimal(leverage[market]) for market in account.positions), ZERO
    )


def ticker_row(market: Market, quote: Quote) -> Row:
    """Source: GET market/ticker and the tickers channel."""
    last = text(quote.last)
    return {
        "askPx": text(quote.ask),
        "askSz": _size(quote.ask_size),
        "bidPx": text(quote.bid),
        "bidSz": _size(quote.bid_size),
        "high24h": last,
        "instId": market.id,
        "instType": "SWAP",
        "last": last,
        "lastSz": text(market.smallest),
        "low24h": last,
        "open24h": last,
        "sodUtc0": last,
        "sodUtc8": last,
        "ts": ms(quote.at),
        "vol24h": "7400000",
        "volCcy24h": text(7400000 * market.contract_size),
    }


def book_row(quote: Quote) -> Row:
    """One level of the book. Source: GET market/books and the bbo-tbt channel."""
    return {
        "asks": [[text(quote.ask), _size(quote.ask_size), "0", "1"]],
        "bids": [[text(quote.bid), _size(quote.bid_size), "0", "1"]],
        "ts": ms(quote.at),
    }


def mark_row(market: Market, quote: Quote) -> Row:
    """Source: GET public/mark-price and the mark-price channel."""
    return {
        "instId": market.id,
        "instType": "SWAP",
        "markPx": text(quote.mark),
        "ts": ms(quote.at),
    }


def _size(size: Decimal | None) -> str:
    return "1000" if size is None else text(size)

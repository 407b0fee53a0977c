"""The symbol filters of Binance spot: which order never reaches the matching engine, and why.

Each check raises Rejected with the code and text Binance uses; none changes anything.
"""

from decimal import Decimal

from tests.fakes.binance_spot.errors import Rejected, filter_failure, new_order_rejected
from tests.fakes.binance_spot.symbols import SpotSymbol
from tests.fakes.exchange.records import Kind, NewOrder, Order, Side


def check_order(
    symbol: SpotSymbol, new: NewOrder, *, average: Decimal | None, by_quote: bool = False
) -> None:
    """Refuse an order whose prices, quantity or worth a filter forbids.

    average is the price of the last minutes, None while the symbol never traded. by_quote: the
    quantity was worked out from quoteOrderQty, which the lot filters do not judge.
    """
    for price in (new.limit_price, new.stop_price):
        if price is not None:
            _check_price(symbol, price)
    if not by_quote:
        _check_quantity(symbol, new)
    if new.limit_price is not None and average is not None:
        _check_share(symbol, new.side, new.limit_price, average)
    _check_notional(symbol, new, average)


def check_open(symbol: SpotSymbol, new: tuple[NewOrder, ...], live: list[Order]) -> None:
    """Refuse orders that would make too many open ones of the symbol."""
    here = [order for order in live if order.market == symbol.name]
    if len(here) + len(new) > symbol.max_orders:
        raise filter_failure("MAX_NUM_ORDERS")
    waiting = sum(order.kind.waits for order in here) + sum(one.kind.waits for one in new)
    if waiting > symbol.max_algo_orders:
        raise filter_failure("MAX_NUM_ALGO_ORDERS")


def check_lists(symbol: SpotSymbol, live: int) -> None:
    """Refuse an order list beyond those a symbol may have open."""
    if live >= symbol.max_order_lists:
        raise filter_failure("MAX_NUM_ORDER_LISTS")


def no_liquidity() -> Rejected:
    """A market order by quote quantity finds nobody to deal with."""
    return new_order_rejected("Order book liquidity is less than symbol minimum quantity.")


def below_lot() -> Rejected:
    """A quote quantity buys less than one lot."""
    return new_order_rejected(
        "Order book liquidity is less than `LOT_SIZE` filter minimum quantity."
    )


def _check_price(symbol: SpotSymbol, price: Decimal) -> None:
    if not symbol.min_price <= price <= symbol.max_price or price % symbol.tick:
        raise filter_failure("PRICE_FILTER")


def _check_quantity(symbol: SpotSymbol, new: NewOrder) -> None:
    quantity = new.quantity
    if not symbol.min_quantity <= quantity <= symbol.max_quantity or quantity % symbol.step:
        raise filter_failure("LOT_SIZE")
    if new.kind is Kind.MARKET and quantity > symbol.max_market_quantity:
        raise filter_failure("MARKET_LOT_SIZE")


def _check_share(symbol: SpotSymbol, side: Side, price: Decimal, average: Decimal) -> None:
    if side is Side.BUY:
        up, down = symbol.bid_multiplier_up, symbol.bid_multiplier_down
    else:
        up, down = symbol.ask_multiplier_up, symbol.ask_multiplier_down
    if not average * down <= price <= average * up:
        raise filter_failure("PERCENT_PRICE_BY_SIDE")


def _check_notional(symbol: SpotSymbol, new: NewOrder, average: Decimal | None) -> None:
    price = new.limit_price or new.stop_price
    if price is None:
        if average is not None and new.quantity * average < symbol.min_notional:
            raise filter_failure("NOTIONAL")
        return
    if not symbol.min_notional <= new.quantity * price <= symbol.max_notional:
        raise filter_failure("NOTIONAL")

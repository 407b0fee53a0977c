"""The venue's REST answers that change nothing."""

from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl

from tests.fakes.exchange import Answer, Order, Request, VenueError
from tests.fakes.exchange.server import Handler
from tests.fakes.krakenfutures import markets, rows
from tests.fakes.krakenfutures.streams import Streams
from tests.fakes.krakenfutures.words import iso

_PAGE = 100
_STATUS_REMEMBERS = timedelta(seconds=5)


class Reads(Streams):
    """Everything one can ask without changing anything."""

    def read_routes(self) -> Mapping[str, Handler]:
        """The routes of this half."""
        api = "/derivatives/api/v3"
        return {
            f"GET {api}/instruments": self._instruments,
            f"GET {api}/tickers": self._tickers,
            f"GET {api}/tickers/{{symbol}}": self._one_ticker,
            f"GET {api}/orderbook": self._order_book,
            f"GET {api}/openpositions": self._open_positions,
            f"GET {api}/openorders": self._open_orders,
            f"GET {api}/orders/status": self._orders_status,
            f"POST {api}/orders/status": self._orders_status,
            f"GET {api}/fills": self._fills_page,
            f"GET {api}/accounts": self._accounts,
            f"GET {api}/leveragepreferences": self._leverage,
            "GET /api/history/v2/orders": self._order_history,
            "GET /api/history/v2/triggers": self._trigger_history,
        }

    def success(self, **parts: object) -> Answer:
        """The envelope of every answer that is no error."""
        return Answer(body={"result": "success", "serverTime": iso(self.now()), **parts})

    def error(self, error: str) -> VenueError:
        """The envelope of an error, which comes with status 200."""
        body = {"result": "error", "serverTime": iso(self.now()), "error": error}
        return VenueError(body)

    # Public

    def _instruments(self, request: Request) -> Answer:
        listed = [markets.instrument(market) for market in self.account.markets.values()]
        return self.success(instruments=listed)

    def _tickers(self, request: Request) -> Answer:
        return self.success(
            tickers=[
                markets.rest_ticker(self.account.markets[market_id], quote)
                for market_id, quote in self.account.quotes.items()
            ]
        )

    def _one_ticker(self, request: Request) -> Answer:
        market_id = self._known(request.part("symbol"))
        market, quote = self.account.markets[market_id], self.account.quotes[market_id]
        return self.success(ticker=markets.rest_ticker(market, quote))

    def _order_book(self, request: Request) -> Answer:
        market_id = self._known(request.params.get("symbol", ""))
        return self.success(orderBook=markets.order_book(self.account.quotes[market_id]))

    def _known(self, symbol: str) -> str:
        if symbol.upper() not in self.account.markets:
            raise self.error("invalidArgument: symbol")
        return symbol.upper()

    # Private

    def _open_positions(self, request: Request) -> Answer:
        held = sorted(self.account.held_positions(), key=lambda one: one.opened_at, reverse=True)
        return self.success(openPositions=[rows.rest_position(one) for one in held])

    def _open_orders(self, request: Request) -> Answer:
        newest_first = reversed(self.account.open_orders())
        return self.success(openOrders=[rows.open_order(order) for order in newest_first])

    def _orders_status(self, request: Request) -> Answer:
        """Only orders asked for, and of those only what is open or was done 5 seconds ago."""
        asked = parse_qsl(request.query or request.body)
        ids = {value for name, value in asked if name == "orderIds"}
        client_ids = {value for name, value in asked if name == "cliOrdIds"}
        found = [
            rows.order_status(order)
            for order in self.account.orders.values()
            if (order.id in ids or order.client_id in client_ids) and self._remembered(order)
        ]
        return self.success(orders=found)

    def _remembered(self, order: Order) -> bool:
        return order.state.live or self.now() - order.updated_at <= _STATUS_REMEMBERS

    def _fills_page(self, request: Request) -> Answer:
        before = request.params.get("lastFillTime")
        fills = [one for one in self.account.fills if before is None or iso(one.at) < before]
        newest_first = list(reversed(fills))[:_PAGE]
        return self.success(fills=[rows.rest_fill(fill) for fill in newest_first])

    def _accounts(self, request: Request) -> Answer:
        return self.success(accounts=rows.rest_accounts(self.account, self.holding))

    def _leverage(self, request: Request) -> Answer:
        return self.success(leveragePreferences=[])

    def _order_history(self, request: Request) -> Answer:
        page = self.history.page("orders", request.params)
        return Answer(body={**page, "serverTime": iso(self.now())})

    def _trigger_history(self, request: Request) -> Answer:
        page = self.history.page("triggers", request.params)
        return Answer(body={**page, "serverTime": iso(self.now())})

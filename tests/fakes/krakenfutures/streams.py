"""The feeds of the venue's WebSocket: who may subscribe, what a subscription is answered with,
and what every change of the account becomes. A removed market position is simply not listed."""

import hmac
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import uuid4

from tests.fakes.exchange import (
    BalanceChanged,
    Cause,
    Event,
    ExchangeServer,
    Fill,
    FillMade,
    Order,
    OrderChanged,
    PositionChanged,
    QuoteChanged,
    Socket,
    State,
)
from tests.fakes.krakenfutures import markets, rows
from tests.fakes.krakenfutures.history import History
from tests.fakes.krakenfutures.signing import signed
from tests.fakes.krakenfutures.words import REMOVED, at_once

PUBLIC = ("ticker", "ticker_lite", "heartbeat")
PRIVATE = ("fills", "open_positions", "open_orders", "open_orders_verbose", "balances")
ORDER_FEEDS = ("open_orders", "open_orders_verbose")

_SNAPSHOT_FILLS = 100


class Streams(ExchangeServer):
    """The WebSocket half of the stand-in."""

    account_uid = "6a70e882-4405-4dc5-9c49-010ddf2a6746"
    holding: dict[str, Decimal]
    history: History
    _placing: bool = False
    _sequence: int = 0
    _in_book: set[str]

    def sockets(self) -> tuple[str, ...]:
        return ("/ws/v1",)

    def on_open(self, socket: Socket) -> None:
        socket.send({"event": "info", "version": 1})

    def on_text(self, socket: Socket, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            socket.send({"event": "error", "message": "Json Error"})
            return
        match said.get("event"):
            case "challenge":
                socket.memory["challenge"] = str(uuid4())
                socket.send({"event": "challenge", "message": socket.memory["challenge"]})
            case "subscribe" if said.get("feed") in PUBLIC:
                self._subscribe_public(socket, said)
            case "subscribe" if said.get("feed") in PRIVATE:
                self._subscribe_private(socket, said)
            case "unsubscribe":
                self._unsubscribe(socket, said)
            case "ping":
                socket.send({"event": "pong"})
            case _:
                socket.send({"event": "error", "message": "Invalid feed"})

    # Subscribing

    def _subscribe_public(self, socket: Socket, said: Mapping[str, Any]) -> None:
        feed, products = said["feed"], said.get("product_ids") or []
        if any(product not in self.account.markets for product in products):
            socket.send({"event": "error", "message": "Invalid product id"})
            return
        socket.send({"event": "subscribed", **_echo(said, "feed", "product_ids")})
        for product in products:
            socket.subscriptions.add(f"{feed}:{product}")
            if product in self.account.quotes:
                self.publish(self._ticker(feed, product), channel=f"{feed}:{product}", to=[socket])

    def _subscribe_private(self, socket: Socket, said: Mapping[str, Any]) -> None:
        feed = said["feed"]
        challenge = socket.memory.get("challenge", "")
        right = (
            not self.logins_refused
            and said.get("api_key") == self.api_key
            and said.get("original_challenge") == challenge != ""
            and hmac.compare_digest(
                str(said.get("signed_challenge")), signed(challenge, self.secret)
            )
        )
        if not right:
            message = "Failed to subscribe to authenticated feed"
            socket.send({"event": "alert", "message": message})
            return
        if feed in socket.subscriptions:
            message = "Already subscribed to feed, re-requesting"
            socket.send({"event": "alert", "message": message})
        words = ("feed", "api_key", "original_challenge", "signed_challenge")
        socket.send({"event": "subscribed", **_echo(said, *words)})
        socket.subscriptions.add(feed)
        self.publish(self.snapshot(feed), channel=feed, to=[socket])

    def _unsubscribe(self, socket: Socket, said: Mapping[str, Any]) -> None:
        feed = said.get("feed")
        gone = [f"{feed}:{one}" for one in said.get("product_ids") or []] or [str(feed)]
        socket.subscriptions.difference_update(gone)
        socket.send({"event": "unsubscribed", **_echo(said, "feed", "product_ids")})

    def snapshot(self, feed: str) -> rows.Row:
        """What a subscription of a private feed begins with."""
        build: dict[str, Callable[[], rows.Row]] = {
            "fills": self._fills_snapshot,
            "open_positions": self.positions_message,
            "open_orders": lambda: self._orders_snapshot("open_orders"),
            "open_orders_verbose": lambda: self._orders_snapshot("open_orders_verbose"),
            "balances": self._balances_snapshot,
        }
        return build[feed]()

    def _fills_snapshot(self) -> rows.Row:
        fills = self.account.fills[-_SNAPSHOT_FILLS:]
        return {
            "feed": "fills_snapshot",
            "account": self.account_uid,
            "fills": [self._fill(fill) for fill in fills],
        }

    def _orders_snapshot(self, feed: str) -> rows.Row:
        return {
            "feed": f"{feed}_snapshot",
            "account": self.account_uid,
            "orders": [rows.feed_order(order) for order in self.account.open_orders()],
        }

    def _balances_snapshot(self) -> rows.Row:
        return {
            "feed": "balances_snapshot",
            "account": self.account_uid,
            "holding": {name: float(amount) for name, amount in self.holding.items()},
            "futures": rows.feed_inverse(self.account),
            "flex_futures": rows.feed_flex(self.account),
            "timestamp": self.now_ms(),
            "seq": self._next_sequence(),
        }

    # What happens

    def on_event(self, event: Event) -> None:
        match event:
            case OrderChanged(order=order, fill=fill):
                if not self._placing:
                    self.tell_order(order, fill)
            case FillMade(fill=fill):
                message = {
                    "feed": "fills",
                    "username": self.account_uid,
                    "fills": [self._fill(fill)],
                }
                self.publish(message, channel="fills")
            case PositionChanged():
                self.publish(self.positions_message(), channel="open_positions")
            case BalanceChanged(currency=currency):
                self._tell_balance(currency)
            case QuoteChanged(market=market):
                for feed in ("ticker", "ticker_lite"):
                    channel = f"{feed}:{market.id}"
                    self.publish(self._ticker(feed, market.id), channel=channel)
                if self.account.held(market.id):
                    self.publish(self.positions_message(), channel="open_positions")

    def tell_order(self, order: Order, fill: Fill | None) -> None:
        """Tell the order feeds, and the history, what an order came to after it was placed."""
        self.history.changed(order, fill)
        if order.cause is Cause.FILLED and order.state is not State.FILLED:
            if order.id in self._in_book:
                self._tell_orders(order, "partial_fill")
        elif order.state.live:
            self._tell_live(order)
        elif order.id in self._in_book or order.cause is not Cause.FILLED:
            self._tell_removed(order)

    def tell_placed(self, order: Order) -> None:
        """Tell the order feeds, and the history, what an order came to when it was placed. What
        is filled at once was never in the book, so only its fills are told."""
        self.history.placed(order)
        if order.state.live:
            self._tell_orders(order, "new_placed_order_by_user")
        elif order.cause is not Cause.FILLED:
            self._tell_removed(order)

    def tell_refused_post(self, order: rows.Row) -> None:
        """A post-only order that would have taken is told on the verbose feed only."""
        self.publish(
            {
                "feed": "open_orders_verbose",
                "order": order,
                "is_cancel": True,
                "reason": "post_order_failed_because_it_would_be_filled",
            },
            channel="open_orders_verbose",
        )

    def _tell_live(self, order: Order) -> None:
        if order.cause is Cause.TRIGGERED:
            self._tell_removed(order)
            if order.kind.limited:
                self._tell_orders(order, "limit_order_from_stop")
        elif order.cause is Cause.EDITED:
            self._tell_orders(order, "edited_by_user")
        elif order.cause is Cause.PLACED and order.parent_id is not None:
            if order.kind.limited:
                self._tell_orders(order, "limit_order_from_stop")
        elif not at_once(order):
            self._tell_orders(order, "new_placed_order_by_user")

    def _tell_orders(self, order: Order, reason: str) -> None:
        self._in_book.add(order.id)
        for feed in ORDER_FEEDS:
            message = {
                "feed": feed,
                "order": rows.feed_order(order),
                "is_cancel": False,
                "reason": reason,
            }
            self.publish(message, channel=feed)

    def _tell_removed(self, order: Order) -> None:
        self._in_book.discard(order.id)
        client = {} if order.client_id is None else {"cli_ord_id": order.client_id}
        for feed in ORDER_FEEDS:
            message = {
                "feed": feed,
                "order_id": order.id,
                **client,
                "is_cancel": True,
                "reason": REMOVED[order.cause],
            }
            self.publish(message, channel=feed)

    def _tell_balance(self, currency: str) -> None:
        wallet = (
            {"holding": {}, "futures": rows.feed_inverse(self.account)}
            if currency == "XBT"
            else {"flex_futures": rows.feed_flex(self.account)}
        )
        message = {
            "feed": "balances",
            "account": self.account_uid,
            **wallet,
            "timestamp": self.now_ms(),
            "seq": self._next_sequence(),
        }
        self.publish(message, channel="balances")

    # Messages

    def positions_message(self) -> rows.Row:
        """All positions there are: one that was closed is not among them."""
        return {
            "feed": "open_positions",
            "account": self.account_uid,
            "positions": [
                rows.feed_position(self.account, position)
                for position in self.account.held_positions()
            ],
            "seq": self._next_sequence(),
            "timestamp": self.now_ms(),
        }

    def _fill(self, fill: Fill) -> rows.Row:
        return rows.feed_fill(fill, self.account.orders.get(fill.order_id))

    def _ticker(self, feed: str, market_id: str) -> rows.Row:
        market, quote = self.account.markets[market_id], self.account.quotes[market_id]
        if feed == "ticker":
            return markets.ticker(market, quote, self.now_ms())
        return markets.ticker_lite(market, quote)

    def _next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence - 1


def _echo(said: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: said[name] for name in names if name in said}

import asyncio
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from engine.venues.crypto.faults import (
    Denied,
    Duplicate,
    Missing,
    Refused,
    Throttled,
    Unanswered,
    told_apart,
)
from engine.venues.crypto.limiter import Limiter
from engine.venues.crypto.markets import exact, number, plain
from engine.venues.crypto.settings import CryptoSettings
from engine.venues.crypto.wire import Wire, load_library, moved
from engine.venues.crypto.words import Redactor, in_words

errors = pytest.importorskip("ccxt.base.errors")


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("RequestTimeout", Unanswered),
        ("ExchangeNotAvailable", Unanswered),
        ("OnMaintenance", Unanswered),
        ("InvalidNonce", Unanswered),
        ("BadResponse", Unanswered),
        ("NullResponse", Unanswered),
        ("CancelPending", Unanswered),
        ("ExchangeError", Unanswered),
        ("BaseError", Unanswered),
        ("RateLimitExceeded", Throttled),
        ("DDoSProtection", Throttled),
        ("InsufficientFunds", Refused),
        ("InvalidOrder", Refused),
        ("BadRequest", Refused),
        ("OrderImmediatelyFillable", Refused),
        ("DuplicateOrderId", Duplicate),
        ("OrderNotFound", Missing),
        ("AuthenticationError", Denied),
        ("PermissionDenied", Denied),
        ("AccountSuspended", Denied),
    ],
)
def test_every_error_of_the_library_is_told_apart(name: str, meaning: type[Exception]) -> None:
    found = told_apart(getattr(errors, name)("words"), "words")
    assert type(found) is meaning
    assert str(found) == "words"


def test_a_ban_is_told_from_a_rate_limit() -> None:
    found = told_apart(errors.DDoSProtection("binance 418 I'm a teapot {}"), "banned")
    assert isinstance(found, Throttled)
    assert found.is_ban


def test_what_the_library_did_not_mean_to_raise_proves_nothing() -> None:
    assert type(told_apart(KeyError("x"), "x")) is Unanswered


def test_secrets_signatures_and_queries_are_taken_out() -> None:
    redact = Redactor(["key-of-ours", "secret-of-ours"])
    text = (
        "binance GET https://api.binance.com/api/v3/account?timestamp=1&signature=abc123 "
        'key-of-ours "signature":"f00" signature=dead&x=1 secret-of-ours apiKey: K1 '
        "\x1b[31mred\u202e"
    )
    found = redact(text)
    for hidden in (
        "abc123",
        "key-of-ours",
        "f00",
        "dead",
        "secret-of-ours",
        "K1",
        "\x1b",
        "\u202e",
    ):
        assert hidden not in found
    assert "https://api.binance.com/api/v3/account" in found


def test_an_answer_in_json_is_told_by_its_sentence() -> None:
    assert in_words('binance {"code":-2021,"msg":"Order would immediately trigger."}') == (
        "Order would immediately trigger (-2021)"
    )
    okx = 'okx {"code":"1","data":[{"sCode":"51008","sMsg":"Order failed."}],"msg":"All failed"}'
    assert in_words(okx) == "Order failed (51008)"
    assert in_words('krakenfutures {"error":"authenticationError"}') == "authenticationError"
    assert in_words("binance GET https://x") == "binance GET https://x"
    assert in_words("odd {broken") == "odd {broken"
    assert in_words('odd {"a":1}') == 'odd {"a":1}'


def test_every_address_is_moved_and_paths_stay() -> None:
    urls = {
        "api": {"rest": "https://{hostname}/v5", "ws": {"public": ["wss://x.y:9443/ws/a?b=c"]}},
        "logo": "no address",
    }
    assert moved(urls, "http://127.0.0.1:99") == {
        "api": {
            "rest": "http://127.0.0.1:99/v5",
            "ws": {"public": ["ws://127.0.0.1:99/ws/a?b=c"]},
        },
        "logo": "no address",
    }
    assert moved("wss://x/ws", "https://h:1") == "wss://h:1/ws"


def test_numbers_are_read_exactly_and_written_plainly() -> None:
    assert str(number("0.10")) == "0.1"
    assert str(number("1000.00000000")) == "1000"
    long = "123456789012345678901234567890.5"
    assert str(number(long)) == long
    assert number(1e-8) == Decimal("1e-8")
    assert plain(Decimal("1E-8")) == "0.00000001"
    assert plain(Decimal("2.500")) == "2.5"
    assert plain(Decimal("20")) == "20"
    assert number("") is None
    assert number(None) is None
    assert number("NaN") is None
    with pytest.raises(ValueError, match="no number"):
        exact("x")


SANDBOXES = {
    "krakenfutures": ("private", {"demo-futures.kraken.com"}),
    "binanceusdm": ("fapiPrivate", {"demo-fapi.binance.com"}),
    "okx": ("private", {"www.okx.com"}),
    "bybit": ("private", {"api-testnet.bybit.com"}),
}


@pytest.mark.parametrize("connector", SANDBOXES)
async def test_the_sandbox_is_the_exchanges_own_and_takes_signed_requests(connector: str) -> None:
    settings = CryptoSettings(
        connector=connector, api_key="k", secret="c2VjcmV0", password="p", sandbox=True
    )
    wire = Wire(
        load_library(connector),
        settings,
        Limiter({}, clock=lambda: 0.0, call_later=asyncio.get_running_loop().call_later),
        options={},
        verdicts={},
        heard=lambda message: True,
        lost=lambda text: None,
        opened=lambda url: None,
    )
    api, hosts = SANDBOXES[connector]
    try:
        signed = wire.exchange.sign("order", [api], "GET", {})
        assert {urlsplit(signed["url"]).hostname} == hosts
        if connector == "okx":
            assert wire.exchange.headers["x-simulated-trading"] == "1"
    finally:
        await wire.close()

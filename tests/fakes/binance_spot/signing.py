"""Who may ask: API key, HMAC signature and timestamp of a request, checked as Binance does.

It reads the request as it was sent, so that a client that signs something else is found out.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.binance_spot.errors import Rejected, missing
from tests.fakes.exchange.wire import Request

DEFAULT_WINDOW_MS = 5000
_AHEAD_MS = 1000
_SIGNATURE = re.compile(r"&?signature=([^&]*)")


def check_key(sent: str, known: str, *, refused: bool) -> None:
    """Refuse a request without the account's API key."""
    if not sent:
        raise Rejected(-2014, "API-key format invalid.", status=401)
    if refused or sent != known:
        raise Rejected(-2015, "Invalid API-key, IP, or permissions for action.", status=401)


def check_signed(request: Request, secret: str, now_ms: int) -> None:
    """Refuse an HTTP request whose signature or timestamp does not hold."""
    sent = request.query + request.body
    found = _SIGNATURE.search(sent)
    if found is None:
        raise missing("signature")
    _check_signature(_SIGNATURE.sub("", sent), found.group(1), secret)
    check_time(request.params, now_ms)


def check_signed_params(params: Mapping[str, Any], secret: str, now_ms: int) -> None:
    """Refuse a WebSocket API request whose signature or timestamp does not hold."""
    if "signature" not in params:
        raise missing("signature")
    rest = sorted((key, value) for key, value in params.items() if key != "signature")
    payload = "&".join(f"{key}={value}" for key, value in rest)
    _check_signature(payload, str(params["signature"]), secret)
    check_time(params, now_ms)


def check_time(params: Mapping[str, Any], now_ms: int) -> None:
    """Refuse what was sent too long ago, or comes from the future."""
    if "timestamp" not in params:
        raise missing("timestamp")
    sent = int(params["timestamp"])
    if sent > now_ms + _AHEAD_MS:
        raise Rejected(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if sent < now_ms - int(params.get("recvWindow", DEFAULT_WINDOW_MS)):
        raise Rejected(-1021, "Timestamp for this request is outside of the recvWindow.")


def _check_signature(payload: str, sent: str, secret: str) -> None:
    right = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right, sent):
        raise Rejected(-1022, "Signature for this request is not valid.")

"""How requests and challenges are signed, and whether one is. Source: Kraken Futures, Authent."""

import base64
import hashlib
import hmac

from tests.fakes.exchange import Request


def signed(text: str, secret: str) -> str:
    """base64(HMAC-SHA512(SHA256(text), base64-decoded secret)): of a challenge, or of what is
    posted + the path."""
    digest = hashlib.sha256(text.encode()).digest()
    mac = hmac.new(base64.b64decode(secret), digest, hashlib.sha512)
    return base64.b64encode(mac.digest()).decode()


def is_signed(request: Request, api_key: str, secret: str) -> bool:
    """Whether key and signature of a request are right. The nonce is optional."""
    posted = request.query or request.body
    nonce = request.header("Nonce")
    path = request.path.removeprefix("/derivatives")
    right = signed(posted + nonce + path, secret)
    return request.header("APIKey") == api_key and hmac.compare_digest(
        request.header("Authent"), right
    )

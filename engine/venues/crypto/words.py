"""Texts of an exchange on their way out: nothing secret in them, and in words for a person."""

import json
import re
from collections.abc import Iterable

from engine.desk.text import clean_text
from engine.venues.crypto.settings import CryptoSettings

_TITLES = {
    "krakenfutures": "Kraken Futures",
    "binanceusdm": "Binance USD-M",
    "okx": "OKX",
    "bybit": "Bybit",
    "binance": "Binance",
}
_HIDDEN = "***"
_SAID = ("sMsg", "msg", "retMsg", "error", "message")
_CODES = ("sCode", "code", "retCode")
_SIGNED = re.compile(
    r"""(?ix) (signature | sign | authent | passphrase | secret | api-?key | x-mbx-apikey
        | listenkey | ok-access-[a-z]+ | x-bapi-[a-z-]+)
        (["']?\s*[=:]\s*["']?) [^\s"'&,}]+"""
)
_QUERY = re.compile(r"(?i)\b((?:https?|wss?)://[^\s?\"']+)\?[^\s\"']+")


class Redactor:
    """Cleans texts and takes secrets, signatures and queries of URLs out of them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = sorted((text for text in secrets if text), key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, _HIDDEN)
        text = _QUERY.sub(r"\1", text)
        return clean_text(_SIGNED.sub(rf"\1\2{_HIDDEN}", text))


def in_words(text: str) -> str:
    """Take the sentence out of an error of ccxt's, which is an exchange's answer as JSON behind the
    exchange's name; other texts stay as they are."""
    begin = text.find("{")
    try:
        answer = json.loads(text[begin:]) if begin >= 0 else None
    except ValueError:
        return text
    if not isinstance(answer, dict):
        return text
    # OKX says "All operations failed" and puts the reason beside each of them.
    parts = answer.get("data")
    if isinstance(parts, list) and parts and isinstance(parts[0], dict) and parts[0].get("sMsg"):
        answer = parts[0]
    said = next((str(answer[key]) for key in _SAID if answer.get(key)), "")
    code = next((str(answer[key]) for key in _CODES if answer.get(key)), "")
    if not said:
        return text
    return f"{said.strip().rstrip('.')} ({code})" if code else said.strip()


def title(settings: CryptoSettings) -> str:
    """The exchange's name, with the environment where it is not the real one."""
    name = _TITLES.get(settings.connector, settings.connector)
    return f"{name} (sandbox)" if settings.sandbox else name


def for_silence(seconds: float) -> str:
    return f"nothing heard on the streams for {seconds:.0f} seconds: asking over REST"


def for_keys(reason: str) -> str:
    return f"cannot act: the exchange refused the API key: {reason}"


NO_KEYS = "cannot act: no API key is configured, only public data is read"
HEDGED = (
    "the account holds long and short positions side by side (hedge mode):"
    " switch it to one-way mode at the exchange"
)

"""The venues: Interactive Brokers through TWS or Gateway, and crypto exchanges through ccxt."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict

from engine.config import secrets
from engine.config.model.base import (
    SWITCH,
    Secret,
    Section,
    Switch,
    Whole,
    bad,
    distinct,
    entry,
    shaped,
)
from engine.config.secrets import SecretRef

_ENDPOINT = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9][A-Za-z0-9._-]{0,252})(?::(\d{1,5}))?",
    re.ASCII,
)
_HIGHEST_PORT = 65535
_KEYS: dict[str, Any] = {"secret": True, "noun": "a secret reference", "allowed": secrets.ALLOWED}

Host = Annotated[str, Strict(), shaped(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}|[0-9A-Fa-f:]{2,45}")]
Account = Annotated[str, Strict(), shaped(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")]


class Connector(StrEnum):
    """The exchange connectors, by the names their users know."""

    KRAKEN_PERPETUAL = "kraken_perpetual"
    BINANCE_PERPETUAL = "binance_perpetual"
    OKX_PERPETUAL = "okx_perpetual"
    BYBIT_PERPETUAL = "bybit_perpetual"
    BINANCE = "binance"

    @property
    def ccxt_id(self) -> str:
        """The ccxt class that speaks to this exchange."""
        return _CCXT_IDS[self]

    @property
    def is_spot(self) -> bool:
        """Whether this is a spot exchange; the others trade perpetuals."""
        return self is Connector.BINANCE


_CCXT_IDS = {
    Connector.KRAKEN_PERPETUAL: "krakenfutures",
    Connector.BINANCE_PERPETUAL: "binanceusdm",
    Connector.OKX_PERPETUAL: "okx",
    Connector.BYBIT_PERPETUAL: "bybit",
    Connector.BINANCE: "binance",
}


def _endpoint(value: str) -> str:
    text = value.removesuffix("/")
    if text == "":
        return text
    found = _ENDPOINT.fullmatch(text)
    if found is None or not 1 <= int(found.group(1) or 1) <= _HIGHEST_PORT:
        raise bad()
    return text


class IbVenue(Section):
    """A TWS or IB Gateway."""

    kind: Literal["ib"] = entry(
        label="Kind",
        help="What the venue is: ib is Interactive Brokers.",
        group="Venue",
        choices=("ib", "ccxt"),
    )
    host: Host = entry(
        "127.0.0.1",
        label="Host",
        help="Where TWS or IB Gateway listens.",
        group="Venue",
        noun="a host",
        allowed="a host name or an IP address",
    )
    port: Whole = entry(
        4002,
        label="Port",
        help="4002 and 4001 are Gateway paper and live; 7497 and 7496 are TWS paper and live.",
        group="Venue",
        noun="a port",
        ge=1,
        le=_HIGHEST_PORT,
    )
    client_id: Whole = entry(
        17,
        label="Client id",
        help="The API client number; no other program on this TWS may use the same.",
        group="Venue",
        noun="a client id",
        ge=0,
        le=2**31 - 1,
    )
    accounts: Annotated[tuple[Account, ...], AfterValidator(distinct)] = entry(
        label="Accounts",
        help="The accounts to watch and to trade in.",
        group="Venue",
        noun="an account",
        allowed='at least one account, like "DU1234567"',
        min_length=1,
        max_length=100,
    )


class CcxtVenue(Section):
    """A crypto exchange."""

    kind: Literal["ccxt"] = entry(
        label="Kind",
        help="What the venue is: ccxt is a crypto exchange.",
        group="Venue",
        choices=("ib", "ccxt"),
    )
    connector_name: Connector = entry(
        Connector.KRAKEN_PERPETUAL,
        label="Exchange",
        help="Which exchange and market: perpetuals, or Binance spot.",
        group="Venue",
        noun="a connector",
        choices=tuple(Connector),
    )
    api_key: Secret | None = entry(
        None,
        label="API key",
        help="Where the API key is kept. Live orders need it; paper mode reads public data.",
        group="Keys",
        **_KEYS,
    )
    secret: Secret | None = entry(
        None,
        label="API secret",
        help="Where the API secret is kept.",
        group="Keys",
        **_KEYS,
    )
    password: Secret | None = entry(
        None,
        label="API passphrase",
        help="Where the passphrase is kept. OKX asks for one; the others have none.",
        group="Keys",
        **_KEYS,
    )
    sandbox: Switch = entry(
        False,
        label="Sandbox",
        help="Use the exchange's own test environment.",
        group="Venue",
        **SWITCH,
    )
    endpoint: Annotated[str, Strict(), AfterValidator(_endpoint)] = entry(
        "",
        label="Endpoint",
        help="Replaces the host of every REST and WebSocket address; empty for none.",
        group="Venue",
        noun="an endpoint",
        allowed='"http://host:port", "https://host:port" or empty',
    )

    @property
    def references(self) -> tuple[SecretRef, ...]:
        """The secrets this venue points at."""
        return tuple(ref for ref in (self.api_key, self.secret, self.password) if ref is not None)


Venue = Annotated[IbVenue | CcxtVenue, Field(discriminator="kind")]

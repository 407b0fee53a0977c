"""Binance's wallet endpoints that clients of any of its markets ask before they trade."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any


def coin_rows(names: Iterable[str], held: Callable[[str], Decimal]) -> list[dict[str, Any]]:
    """GET /sapi/v1/capital/config/getall: every currency, without its networks."""
    return [
        {
            "coin": name,
            "name": name,
            "depositAllEnable": True,
            "withdrawAllEnable": True,
            "trading": True,
            "isLegalMoney": False,
            "free": str(held(name)),
            "locked": "0",
            "freeze": "0",
            "networkList": [],
        }
        for name in sorted(set(names))
    ]


def restrictions(*, spot: bool, futures: bool) -> dict[str, Any]:
    """GET /sapi/v1/account/apiRestrictions: what the API key may do."""
    return {
        "ipRestrict": True,
        "createTime": 1698645219000,
        "enableInternalTransfer": False,
        "enableFutures": futures,
        "enablePortfolioMarginTrading": False,
        "enableVanillaOptions": False,
        "permitsUniversalTransfer": False,
        "enableReading": True,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": spot,
        "enableWithdrawals": False,
        "enableMargin": False,
    }

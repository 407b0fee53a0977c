"""What IB's message codes mean here. Source: IB API, message codes, and what closers learned."""

# About the link between TWS and IB, or between us and TWS.
LINK_LOST = frozenset({1100, 2110})
LINK_RESTORED_DATA_LOST = 1101
LINK_RESTORED = 1102
CLIENT_ID_IN_USE = 326
CANNOT_CONNECT = frozenset({501, 502, 503, 504, 507, 1300})

# Data farms: broken code -> codes that say it is fine again.
FARM_BROKEN = frozenset({2103, 2105})
FARM_FINE = frozenset({2104, 2106, 2107, 2108, 2158})

LIQUIDATION_IMMINENT = 2148
VALIDATION = 321
NO_SUCH_CONTRACT = 200

# About an order. A code in none of these says nothing certain about its fate: it is asked for.
ORDER_REJECTED = frozenset({109, 154, 163, 200, 201, 203, 321, 383, 387, 388, 412, 434, 435, 460})
ORDER_CANCELLED = 202
BAD_PRICE_INCREMENT = 110
DUPLICATE_ORDER_ID = 103
CANCEL_CAME_LATE = frozenset({135, 136, 161, 10147, 10148, 10149})
ORDER_LIVES = frozenset({399, 404, 2109, 10349})

# About market data.
NOT_SUBSCRIBED = frozenset({354, 10089, 10090, 10168, 10186, 10187, 10197})
SHOWN_DELAYED = frozenset({10167})
TOO_MANY_LINES = 101
NO_SUCH_TICKER = frozenset({300, 366})


def is_informative(code: int) -> bool:
    """Whether a code is only a notice (IB keeps 2100 to 2199 for them)."""
    return 2100 <= code < 2200


def is_read_only(code: int, text: str) -> bool:
    """Whether a message says that the API takes no orders."""
    lowered = text.lower()
    return code == VALIDATION and ("read-only" in lowered or "read only" in lowered)

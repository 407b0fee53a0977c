"""Scenes of other shapes for the house: other sizes, accounts, contracts, and real hours."""

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from tests.fakes.tws.hours import week
from tests.fakes.tws.records import Instrument, Position, Right, Scene, option, stock
from tests.fakes.tws.scenes import EXPIRY, MARKET_RULES, PUT_440, SPY, condor_scene, quote

PUT_430 = 718236430
SPLIT = {con_id: con_id + 5_000_000 for con_id in (718236440, 718236435, 718237460, 718237465)}

SPY_STOCK = stock(SPY, "SPY")


def holding(scene: Scene, held: dict[int, int], account: str | None = None) -> Scene:
    """The scene with other positions, in its first account unless told."""
    whose = account or scene.accounts[0]
    rows = tuple(
        Position(account=whose, con_id=con_id, quantity=Decimal(quantity))
        for con_id, quantity in held.items()
    )
    return replace(scene, positions=rows)


def with_contract(scene: Scene, one: Instrument, bid: str = "1.00", ask: str = "1.05") -> Scene:
    """The scene with another contract, trading when the others do."""
    model = scene.instruments[1]
    one = replace(one, trading_hours=model.trading_hours, liquid_hours=model.liquid_hours)
    quotes = (*scene.quotes, (one.con_id, quote(bid, ask)))
    return replace(scene, instruments=(*scene.instruments, one), quotes=quotes)


def put(con_id: int, strike: str, multiplier: str = "100") -> Instrument:
    return option(con_id, SPY_STOCK, Right.PUT, Decimal(strike), EXPIRY, multiplier)


def with_multiplier(scene: Scene, con_id: int, multiplier: str) -> Scene:
    """The scene with one contract of another size."""
    return replace(
        scene,
        instruments=tuple(
            replace(one, multiplier=multiplier) if one.con_id == con_id else one
            for one in scene.instruments
        ),
    )


def in_two_accounts(now: datetime) -> Scene:
    """The same condor held in two accounts."""
    scene = condor_scene(now=now)
    other = tuple(replace(row, account="DU7654321") for row in scene.positions)
    accounts = (*scene.accounts, "DU7654321")
    return replace(scene, accounts=accounts, positions=(*scene.positions, *other))


def on_days(
    scene: Scene,
    first: date,
    *,
    holidays: frozenset[date] = frozenset(),
    days: int = 12,
) -> Scene:
    """The scene with real hours: options in regular hours, stock from four to twenty."""
    regular = week(first, days=days, holidays=holidays)
    extended = week(first, "0400", "2000", days=days, holidays=holidays)
    return replace(
        scene,
        instruments=tuple(
            replace(
                one,
                trading_hours=extended if one.con_id == SPY else regular,
                liquid_hours=regular,
            )
            for one in scene.instruments
        ),
    )


def doubled(scene: Scene) -> Scene:
    """The scene with what a two-for-one split makes of its options: half the strike, not held."""
    new = tuple(
        replace(one, con_id=SPLIT[one.con_id], strike=one.strike / 2)
        for one in scene.instruments
        if one.con_id in SPLIT
    )
    quotes = tuple((one.con_id, quote("1.00", "1.05")) for one in new)
    return replace(
        scene,
        instruments=(*scene.instruments, *new),
        quotes=(*scene.quotes, *quotes),
        market_rules=MARKET_RULES,
    )


__all__ = ["PUT_430", "PUT_440", "SPLIT"]

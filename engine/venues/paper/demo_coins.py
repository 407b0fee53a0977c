"""The demo's two exchanges: perpetuals, of which strangers' positions are put on the book, and spot
pairs for the allocation desk; and what a person would have declared about them.

The thresholds and the bars are quick, so that a newcomer sees both desks at work within a minute.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal

from engine.desk.allocation.definitions import AllocationSettings, ParameterSet
from engine.desk.facts import PositionRow
from engine.desk.perps.definitions import BarrierSettings, ManagerSettings
from engine.venues.between import utc_now
from engine.venues.paper.coin_market import CoinMarket
from engine.venues.paper.coins import DOLLARS, ETH, PAIRS, PERPETUALS, TETHER, Coin, spot
from engine.venues.paper.exchange import MAIN_ACCOUNT, PaperExchange
from engine.venues.paper.venue import Ticks, four_a_second
from engine.venues.port import VenueSink

PERPS_VENUE, SPOT_VENUE = "perps", "spot"
BAR_SECONDS = 2
WINDOW = 20
_HISTORY_BARS = 60
_LONGEST_HISTORY_SECONDS = 6 * 3600
_SEED = 8
_BY_HAND = Decimal("0.50")


def demo_perps(
    sink: VenueSink,
    *,
    name: str = PERPS_VENUE,
    seed: int = _SEED,
    assigned_after_seconds: float | None = 4.0,
    clock: Callable[[], datetime] = utc_now,
    ticks: Ticks = four_a_second,
) -> PaperExchange:
    """Build the exchange for perpetuals: one is held by hand and nobody guards it, another is
    assigned after so many seconds (None: by a drill only). Account "main"."""
    market = CoinMarket((it.coin for it in PERPETUALS), seed=seed)
    # As far along its paths as the spot market is, so that both show about the same prices.
    market.advance(_HISTORY_BARS * BAR_SECONDS)
    held = next(it for it in PERPETUALS if it.coin is ETH)
    by_hand = PositionRow(
        account=MAIN_ACCOUNT,
        instrument=held.instrument,
        quantity=_BY_HAND,
        average_cost=Decimal(f"{market.price(ETH) * 0.985:.2f}"),
    )
    return PaperExchange(
        name,
        sink,
        listings=PERPETUALS,
        positions=[by_hand],
        funds={DOLLARS: Decimal(10_000)},
        market=market,
        assigned_after_seconds=assigned_after_seconds,
        clock=clock,
        ticks=ticks,
    )


def demo_spot(
    sink: VenueSink,
    *,
    name: str = SPOT_VENUE,
    seed: int = _SEED,
    clock: Callable[[], datetime] = utc_now,
    ticks: Ticks = four_a_second,
) -> PaperExchange:
    """Build the exchange for spot pairs: 1000 USDT, and bars of BAR_SECONDS. Account "main"."""
    return PaperExchange(
        name,
        sink,
        listings=PAIRS,
        funds={TETHER: Decimal(1_000)},
        market=CoinMarket((it.coin for it in PAIRS), seed=seed),
        bar_seconds=BAR_SECONDS,
        history_bars=_HISTORY_BARS,
        clock=clock,
        ticks=ticks,
    )


def synthetic_spot(
    sink: VenueSink,
    *,
    name: str,
    symbols: Sequence[str],
    bar_seconds: int,
    history_bars: int,
    clock: Callable[[], datetime] = utc_now,
    ticks: Ticks = four_a_second,
) -> PaperExchange:
    """Build the exchange for these pairs, where no real one is configured: 1000 USDT.

    What is not quoted in that is not listed. Its bars reach back history_bars, but no more than a
    few hours. Account "main".
    """
    known = {it.ref: it for it in PAIRS}
    listings = [
        known.get(symbol) or spot(_stranger(symbol.removesuffix(TETHER)), step="0.001")
        for symbol in symbols
        if symbol.endswith(TETHER)
    ]
    return PaperExchange(
        name,
        sink,
        listings=listings,
        funds={TETHER: Decimal(1_000)},
        market=CoinMarket((it.coin for it in listings), seed=_SEED),
        bar_seconds=bar_seconds,
        history_bars=min(history_bars, _LONGEST_HISTORY_SECONDS // bar_seconds),
        clock=clock,
        ticks=ticks,
    )


def _stranger(name: str) -> Coin:
    """Make up a coin nobody wrote a price of."""
    return Coin(name=name, price=100.0, volatility=0.008, tick=Decimal("0.01"), lot=Decimal(1))


def demo_managers(venue: str = PERPS_VENUE) -> tuple[ManagerSettings, ...]:
    """Declare one assignment manager for every perpetual: barriers for five minutes at most."""
    return (
        ManagerSettings(
            venue=venue,
            trading_pairs=(),
            close_percent=Decimal(100),
            at_once=False,
            barriers=BarrierSettings(
                stop_loss=Decimal("0.05"),
                take_profit=Decimal("0.10"),
                trailing_activation=Decimal("0.03"),
                trailing_delta=Decimal("0.01"),
                time_limit_seconds=300,
            ),
        ),
    )


def demo_allocation(venue: str = SPOT_VENUE) -> AllocationSettings:
    """Declare a third of the account for each pair, with brackets its bars can reach."""
    return AllocationSettings(
        venue=venue,
        sets=(
            _third("BTCUSDT", threshold="2.5", profit="2.5", stop="2"),
            _third("BNBUSDT", threshold="3.5", profit="3.5", stop="3"),
            _third("ETHUSDT", threshold="3", profit="3", stop="2.5"),
        ),
        window=WINDOW,
        interval_seconds=BAR_SECONDS,
        exit_z_score=Decimal("-1.5"),
        quote_currency=TETHER,
    )


def _third(symbol: str, *, threshold: str, profit: str, stop: str) -> ParameterSet:
    return ParameterSet(
        symbol=symbol,
        allocation_percent=Decimal("33.3"),
        z_score_threshold=Decimal(threshold),
        profit_percent=Decimal(profit),
        stop_loss_percent=Decimal(stop),
    )

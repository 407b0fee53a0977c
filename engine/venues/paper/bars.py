"""Makes closed bars of the prices a market shows; instants are cut at whole intervals."""

from datetime import UTC, datetime, timedelta

from engine.desk.market import Bar

_MOST_MISSING = 1_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BarMaker:
    """Bars of one instrument. interval_seconds: how long each lasts."""

    def __init__(self, interval_seconds: float) -> None:
        self._interval = timedelta(seconds=interval_seconds)
        self._open: Bar | None = None

    def begins(self, at: datetime) -> datetime:
        """Give when the bar that contains an instant opens."""
        return at - (at - _EPOCH) % self._interval

    def take(self, price: float, at: datetime) -> tuple[Bar, ...]:
        """Take a price; give the bars that closed before it, oldest first. Stretches without a
        price are bars that stood still, but for very long ones, which are left out."""
        begins = self.begins(at)
        closed: list[Bar] = []
        bar = self._open
        if bar is not None and begins - bar.at > _MOST_MISSING * self._interval:
            closed, bar = [bar], None
        while bar is not None and bar.at < begins:
            closed.append(bar)
            bar = _flat(bar.at + self._interval, bar.close)
        if bar is None or closed:
            bar = _flat(begins, price)
        self._open = Bar(
            at=bar.at,
            open=bar.open,
            high=max(bar.high, price),
            low=min(bar.low, price),
            close=price,
        )
        return tuple(closed)


def _flat(at: datetime, price: float) -> Bar:
    return Bar(at=at, open=price, high=price, low=price, close=price)

"""What became of a trade, and the words for it. Decides and sends nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from engine.desk.allocation.bracket import close_type_at, floored
from engine.desk.allocation.episode import Episode
from engine.desk.facts import CloseType
from engine.desk.instruments import ContractSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A trade that is over. Money in the quote currency; prices are averages without commissions.

    close_type is None where nothing was bought. left_over is base that was not sold.
    """

    symbol: str
    close_type: CloseType | None
    reason: str
    opened_at: datetime
    closed_at: datetime
    bought: Decimal
    sold: Decimal
    entry_price: Decimal | None
    exit_price: Decimal | None
    spent: Decimal
    earned: Decimal
    left_over: Decimal

    def words(self, episode: Episode, spec: ContractSpec | None) -> tuple[str, str]:
        """Return a line and its detail for a person."""
        base, quote = episode.instrument.base, episode.instrument.quote
        how = (self.close_type or "").lower().replace("_", " ")
        if episode.by_hand:
            how = "sold by hand"
        title = f"{self.symbol}: closed, {how}, {self.earned - self.spent:+.2f} {quote}"
        if self.exit_price is None:
            body = f"{_plain(self.bought)} {base} bought, nothing sold"
        else:
            body = f"{_plain(self.sold)} {base} at {self.exit_price:.8g}"
        if self.reason:
            body += f"; {self.reason}"
        if spec is not None and floored(self.left_over, spec):
            body += f"; {_plain(self.left_over)} {base} is too little to sell"
        return title, f"{body}."


def closed(episode: Episode, at: datetime) -> ClosedTrade:
    """Sum a trade up."""
    return ClosedTrade(
        symbol=episode.symbol,
        close_type=_close_type(episode),
        reason=episode.exit_reason if episode.sold_at_market else "",
        opened_at=episode.begun_at,
        closed_at=at,
        bought=episode.bought,
        sold=episode.sold,
        entry_price=episode.entry_price,
        exit_price=episode.exit_price,
        spent=episode.spent,
        earned=episode.earned,
        left_over=episode.held,
    )


def told(released: Iterable[str], kept: Iterable[str]) -> str:
    """Put the outcome of a reset into words."""
    gone, stays = "; ".join(released), "; ".join(kept)
    text = f"Released {gone}." if gone else "Nothing was released."
    return f"{text} Kept {stays}." if stays else text


def _close_type(episode: Episode) -> CloseType | None:
    if episode.bought <= 0:
        return None
    price = episode.exit_price
    if episode.refused and price is not None:
        return close_type_at(price, episode.bracket)
    if episode.leg is not None and not episode.sold_at_market:
        return episode.leg
    return episode.exit or CloseType.EMERGENCY


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"

"""What the accounts are worth and how near they are to their margin, as the broker tells it.

One subscription for all of them; the broker repeats what changed every few minutes. It is asked for
once the book is known, and nothing waits for it.
"""

from functools import partial

from engine.desk.facts import AccountReported
from engine.desk.text import clean_text
from engine.venues.ib import codes
from engine.venues.ib.link import Link
from engine.venues.ib.pacer import Lane
from engine.venues.ib.previews import figure_of

_ALL = "All"
_NET, _EXCESS, _MAINTENANCE = "NetLiquidation", "ExcessLiquidity", "MaintMarginReq"
_TAGS = f"{_NET},{_EXCESS},{_MAINTENANCE}"


class Accounts:
    """Within: account -> tag -> (value, currency); told: account -> what was reported last."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._request: int | None = None
        self._values: dict[str, dict[str, tuple[str, str]]] = {}
        self._told: dict[str, AccountReported] = {}
        self._complete = False

    def want(self) -> None:
        """Subscribe, once a connection."""
        if self._request is None:
            self._request = self._link.client.getReqId()
            ask = partial(self._link.client.reqAccountSummary, self._request, _ALL, _TAGS)
            self._link.ask(Lane.FIGURES, ask)

    def want_anew(self) -> None:
        """Subscribe again: the broker forgot it."""
        if self._request is not None:
            self._link.ask(
                Lane.FIGURES, partial(self._link.client.cancelAccountSummary, self._request)
            )
            self._request, self._complete = None, False
            self.want()

    def take(self, request: int, account: str, tag: str, value: str, currency: str) -> None:
        """Take one value. The first ones are told together when their end came."""
        if request != self._request:
            return
        self._values.setdefault(account, {})[tag] = (value, clean_text(currency))
        if self._complete:
            self._tell(account)

    def end(self, request: int) -> None:
        if request == self._request:
            self._complete = True
            for account in self._values:
                self._tell(account)

    def error(self, request: int, code: int, text: str) -> bool:
        """Take an error; False when it is not about the subscription."""
        if request != self._request:
            return False
        if not codes.is_informative(code):
            self._link.warn(str(code), f"the accounts' values are not told: {text}")
        return True

    def _tell(self, account: str) -> None:
        values = self._values[account]
        none = ("", "")
        told = AccountReported(
            venue=self._link.venue,
            account=clean_text(account),
            currency=values.get(_NET, none)[1],
            net_liquidation=figure_of(values.get(_NET, none)[0]),
            excess_liquidity=figure_of(values.get(_EXCESS, none)[0]),
            maintenance_margin=figure_of(values.get(_MAINTENANCE, none)[0]),
        )
        if self._told.get(account) != told:
            self._told[account] = told
            self._link.emit(told)

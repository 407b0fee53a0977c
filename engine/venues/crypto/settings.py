"""How to reach one exchange, what to watch there, and how long to be patient with it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CryptoSettings:
    """connector is ccxt's id of the exchange. The keys are the secrets themselves: without api_key
    only public data is read.

    symbols: the pairs whose quotes are always kept, BASE-QUOTE for perpetuals and market ids for
    spot; empty means every one at an exchange that assigns positions, elsewhere what is held or
    asked for. endpoint: scheme://host:port that replaces those of every URL.
    bar_seconds, history_bars: closed bars of the symbols, at the start and as they close; none
    where history_bars is 0.
    answer_seconds: how long one REST answer may take. stale_seconds: silence of the streams until
    REST is asked instead, each poll_seconds; dead_seconds: until a new connection is made.
    confirm_seconds: how often REST confirms what streams tell; deaf_seconds: how old an execution
    is that streams should have told. absence_seconds: how long after an
    order was sent the venue's not knowing it proves nothing; None leaves that to what is known of
    the exchange. warm_seconds: how often a connection is used that would be closed when idle.
    probe_orders: where only a request of
    that kind can tell, learn early whether the key may trade by cancelling an order that is none.
    """

    connector: str
    is_spot: bool = False
    api_key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    sandbox: bool = False
    endpoint: str = ""
    symbols: tuple[str, ...] = ()
    account: str = "main"
    bar_seconds: int = 60
    history_bars: int = 0
    connect_seconds: float = 20.0
    answer_seconds: float = 8.0
    stale_seconds: float = 20.0
    dead_seconds: float = 60.0
    poll_seconds: float = 5.0
    confirm_seconds: float = 60.0
    deaf_seconds: float = 15.0
    absence_seconds: float | None = None
    warm_seconds: float = 12.0
    tick_seconds: float = 1.0
    probe_orders: bool = True

    @property
    def has_keys(self) -> bool:
        return bool(self.api_key)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no text may carry."""
        return tuple(text for text in (self.api_key, self.secret, self.password) if text)

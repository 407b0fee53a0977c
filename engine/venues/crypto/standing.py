"""How the venue stands as one connection sees it: its state, and whether it takes orders."""

from collections.abc import Callable

from engine.desk.facts import VenueChanged, VenueFact, VenueState
from engine.venues.crypto import words
from engine.venues.crypto.settings import CryptoSettings


class Standing:
    """detail: what is being done, empty until the markets are loaded; over: why the connection
    ended, empty while it lives; was_silent: whether its streams died, so that the venue is as it
    was shown until the next connection, which is_sequel, knows better.

    is_known tells whether the book is, is_stale whether streams are silent.
    """

    def __init__(
        self,
        name: str,
        settings: CryptoSettings,
        *,
        is_sequel: bool,
        emit: Callable[[VenueFact], None],
        is_known: Callable[[], bool],
        is_stale: Callable[[], bool],
    ) -> None:
        self._name = name
        self._settings = settings
        self._is_sequel = is_sequel
        self._emit = emit
        self._is_known = is_known
        self._is_stale = is_stale
        self._shown: VenueChanged | None = None
        self._refusal = "" if settings.has_keys else words.NO_KEYS
        self.can_trade: bool | None = None if settings.has_keys else False
        self.detail = ""
        self.over = ""
        self.was_silent = False
        self.was_ready = False

    @property
    def in_words(self) -> str:
        return self._shown.detail if self._shown else "not connected"

    def show(self) -> None:
        """Report the state if it is another than last shown."""
        state, detail = self._state()
        if state in (VenueState.READY, VenueState.STALE):
            self.was_ready = True
        if self.can_trade is False and self._refusal not in detail:
            detail = f"{self._refusal}; {detail}" if detail else self._refusal
        shown = VenueChanged(venue=self._name, state=state, detail=detail, can_trade=self.can_trade)
        if shown != self._shown:
            self._shown = shown
            self._emit(shown)

    def may(self, can_trade: bool, refusal: str) -> None:
        """Learn whether the venue takes orders, and why not. While connecting, the next step tells
        of it: that it does is no news of its own."""
        text = refusal and f"cannot act: {refusal}"
        if (can_trade, text) != (self.can_trade, self._refusal):
            self.can_trade, self._refusal = can_trade, text
            if self.detail or not can_trade:
                self.show()

    def deny(self, reason: str) -> str:
        """Learn that the key is refused altogether; give that in words."""
        self.can_trade, self._refusal = False, words.for_keys(reason)
        return self._refusal

    def _state(self) -> tuple[VenueState, str]:
        if self.over and not self.was_silent:
            return VenueState.DOWN, self.over
        if self.was_silent or (self._is_sequel and not self._is_known()):
            return VenueState.STALE, "the streams were silent: connecting anew"
        if not self.detail:
            return VenueState.CONNECTING, f"connecting to {words.title(self._settings)}"
        if not self._is_known():
            return VenueState.SYNCING, self.detail
        if self._is_stale():
            return VenueState.STALE, words.for_silence(self._settings.stale_seconds)
        return VenueState.READY, ""

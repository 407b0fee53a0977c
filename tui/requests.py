"""What the terminal asks of the engine: each request once, each answer posted as a message.

Nothing here touches a widget. A request whose answer never came is said to be unknown, not failed.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from textual.message import Message
from textual.message_pump import MessagePump

from tui.actions import by_id
from tui.link import Answer, Change, EngineLink, GuardWish, LinkFailed
from tui.messages import (
    ConfigChecked,
    ConfigRead,
    ConfigSaved,
    JournalRead,
    RequestAnswered,
)
from tui.view import View
from tui.why_not import why_not

NOT_SENT = "The engine is out of reach: nothing was sent."
OUT_OF_REACH = "The engine is out of reach."
T = TypeVar("T")


class Asker(Protocol):
    """What a request needs of the app it is asked for."""

    @property
    def view(self) -> View: ...
    def say(self, text: str, *, bad: bool = False) -> None: ...
    def post_message(self, message: Message) -> bool: ...
    def run_worker(
        self, work: Awaitable[None], *, group: str, exclusive: bool = False
    ) -> object: ...


class Requests:
    """All that can be asked, for one app; link is None while there is no engine."""

    def __init__(self, app: Asker) -> None:
        self._app = app
        self._in_flight: set[str] = set()
        self.link: EngineLink | None = None

    # --- orders of a person ----------------------------------------------------------------------

    def close(self, target_id: str | None, name: str) -> None:
        self._send(
            "close",
            f"Closing {name}: sent.",
            lambda link: link.close_strategies(target_id, emergency=True),
        )

    def set_armed(self, armed: bool) -> None:
        self._send("arm", "Sent.", lambda link: link.set_armed(armed))

    def acknowledge(self, alert_id: str) -> None:
        self._send(f"ack {alert_id}", "Sent.", lambda link: link.acknowledge(alert_id))

    def reset_allocations(self, *, force: bool) -> None:
        self._send("reset", "Reset: sent.", lambda link: link.reset_allocations(force=force))

    def guard(self, wish: GuardWish) -> None:
        self._send("guard", "Barriers: sent.", lambda link: link.guard(wish))

    def release(self, barrier_id: str) -> None:
        self._send("release", "Release: sent.", lambda link: link.release(barrier_id))

    def adopt(self, candidate_id: str, strategy_id: str | None) -> None:
        self._send("adopt", "Adopting: sent.", lambda link: link.adopt(candidate_id, strategy_id))

    def drill(self) -> None:
        self._send("drill", "Drill: sent.", lambda link: link.drill(None))

    def _send(self, name: str, saying: str, ask: Callable[[EngineLink], Awaitable[Answer]]) -> None:
        """Send one request unless the same is still under way: a double key is one action."""
        view = self._app.view
        if name in self._in_flight:
            self._app.say("The request before is still under way.")
            return
        if view.read_only or self.link is None:
            self._app.say(why_not(by_id("close-all"), view) or NOT_SENT, bad=True)
            return
        self._in_flight.add(name)
        self._app.say(saying)
        self._app.run_worker(self._carry(self.link, name, ask), group="requests")

    async def _carry(
        self, link: EngineLink, name: str, ask: Callable[[EngineLink], Awaitable[Answer]]
    ) -> None:
        try:
            answer: Answer | None = await ask(link)
        except LinkFailed:
            answer = None
        self._app.post_message(RequestAnswered(name, answer))

    def answered(self, message: RequestAnswered) -> None:
        self._in_flight.discard(message.request)
        if message.answer is None:
            text = "No answer came: whether it was done is not known. Look at the orders."
            self._app.say(text, bad=True)
        else:
            fallback = "Done." if message.answer.done else "Refused."
            self._app.say(message.answer.message or fallback, bad=not message.answer.done)

    # --- reading ---------------------------------------------------------------------------------

    def read_journal(
        self,
        reader: MessagePump,
        tag: str,
        *,
        since: datetime | None = None,
        strategy_id: str | None = None,
        limit: int,
    ) -> None:
        """Read for one screen; it gets JournalRead with its tag."""
        link = self.link
        if link is None:
            reader.post_message(JournalRead(tag, (), OUT_OF_REACH))
            return

        async def read() -> None:
            try:
                entries = await link.read_journal(since=since, strategy_id=strategy_id, limit=limit)
            except LinkFailed as failed:
                reader.post_message(JournalRead(tag, (), str(failed)))
            else:
                reader.post_message(JournalRead(tag, entries))

        self._app.run_worker(read(), group=f"journal {tag}", exclusive=True)

    def read_config(self, reader: MessagePump) -> None:
        link = self.link
        if link is None:
            reader.post_message(ConfigRead(None, OUT_OF_REACH))
            return

        async def read() -> None:
            try:
                reader.post_message(ConfigRead(await link.read_config()))
            except LinkFailed as failed:
                reader.post_message(ConfigRead(None, str(failed)))

        self._app.run_worker(read(), group="config", exclusive=True)

    def check_config(self, reader: MessagePump, changes: Sequence[Change], number: int) -> None:
        link = self.link
        if link is None:
            reader.post_message(ConfigChecked(number, None, OUT_OF_REACH))
            return

        async def check() -> None:
            try:
                reader.post_message(ConfigChecked(number, await link.check_config(changes)))
            except LinkFailed as failed:
                reader.post_message(ConfigChecked(number, None, str(failed)))

        self._app.run_worker(check(), group="check", exclusive=True)

    def save_config(self, reader: MessagePump, changes: Sequence[Change], base: str) -> None:
        link = self.link
        if link is None:
            reader.post_message(ConfigSaved(None))
            return

        async def save() -> None:
            try:
                reader.post_message(ConfigSaved(await link.save_config(changes, base)))
            except LinkFailed:
                reader.post_message(ConfigSaved(None))

        self._app.run_worker(save(), group="save")

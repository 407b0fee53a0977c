"""Sends alerts to the owner's channels through apprise: off the loop, with a timeout and retries.

A channel that fails is reported, once, and again when it works. Nothing here ever delays a close.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from engine.desk.intents import RaiseAlert, Severity

_QUEUED = 200
_TRIES = 3
_APPRISE_TYPE = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "failure",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One apprise URL. name is what may be shown: the scheme and host, never a token."""

    name: str
    url: str

    @classmethod
    def of(cls, url: str, number: int) -> "Channel":
        found = re.match(r"[A-Za-z][A-Za-z0-9+.-]*", url)
        return cls(name=f"{number}:{found[0] if found else 'unknown'}", url=url)


class AlertSender:
    """report(channel, detail): told on every change between working (detail empty) and failing."""

    def __init__(
        self,
        channels: tuple[Channel, ...],
        report: Callable[[str, str], None],
        *,
        timeout_seconds: float = 10.0,
        retry_seconds: float = 5.0,
    ) -> None:
        self._channels = channels
        self._report = report
        self._timeout = timeout_seconds
        self._retry = retry_seconds
        self._failing: dict[str, str] = {}
        self._queues: dict[str, asyncio.Queue[RaiseAlert]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._threads = ThreadPoolExecutor(
            max_workers=max(1, len(channels)), thread_name_prefix="alerts"
        )

    def start(self) -> None:
        for channel in self._channels:
            self._queues[channel.name] = asyncio.Queue(_QUEUED)
            self._tasks.append(asyncio.create_task(self._serve(channel)))

    def offer(self, alert: RaiseAlert) -> None:
        """Queue an alert for every channel; a full queue drops its oldest."""
        for queue in self._queues.values():
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(alert)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self, channel: Channel) -> None:
        queue = self._queues[channel.name]
        while True:
            alert = await queue.get()
            for attempt in range(_TRIES):
                problem = await self._send(channel, alert)
                self._told(channel, problem)
                if not problem:
                    break
                await asyncio.sleep(self._retry * 2**attempt)

    async def _send(self, channel: Channel, alert: RaiseAlert) -> str:
        """Send one alert; the problem in words, empty when it went out."""
        loop = asyncio.get_running_loop()
        sending = loop.run_in_executor(self._threads, _notify, channel.url, alert)
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.shield(sending)
        except TimeoutError:
            return f"no answer within {self._timeout:g} s"

    def _told(self, channel: Channel, problem: str) -> None:
        if problem == self._failing.get(channel.name, ""):
            return
        if problem:
            self._failing[channel.name] = problem
        else:
            self._failing.pop(channel.name, None)
        self._report(channel.name, problem)


def _notify(url: str, alert: RaiseAlert) -> str:
    # Imported on the first alert: it costs more start time and memory than the engine itself.
    import apprise

    service = apprise.Apprise()
    if not service.add(url):
        return "the URL is not one apprise understands"
    sent = service.notify(
        title=f"Bulkhead {alert.severity}: {alert.title}",
        body=alert.body or alert.title,
        notify_type=_APPRISE_TYPE[alert.severity],
        body_format=apprise.NotifyFormat.TEXT,
    )
    return "" if sent else "the channel refused it or could not be reached"

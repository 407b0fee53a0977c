"""A line to type into. Its editing keys act in the order they were typed: Textual takes characters
at once and lets every other key go the way up through the screen first, so that on a slow line,
where keys arrive together, a backspace deletes what was typed after it.
"""

from textual import events
from textual.binding import NoBinding
from textual.widgets import Input


class Entry(Input):
    async def _on_key(self, event: events.Key) -> None:
        try:
            (binding, *_) = self._bindings.get_bindings_for_key(event.key)
        except NoBinding:
            return
        # Handlers run for every class there is: the base's must not take this key as well.
        event.stop()
        event.prevent_default()
        await self.run_action(binding.action)

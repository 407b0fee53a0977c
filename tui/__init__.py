"""The terminal: draws the engine's pictures and passes a person's requests on, nothing more.

One convention holds here. Workers never touch a widget: they wait for the engine and post messages
(`tui.messages`). The app turns messages into a `View` and hands it to every screen on the stack
through `show_view`. Screens turn a view into rows with the pure functions of `tui.rows` and give
the rows to `RowList` widgets, which draw what changed. Text from outside passes `tui.rows.text`
and is never markup. Everything a key does stands in `tui.keys`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.link import LinkFactory

__all__ = ["run_terminal"]


def run_terminal(
    link_factory: "LinkFactory",
    *,
    read_only: bool = False,
    no_color: bool = False,
    palette: str | None = None,
) -> int:
    """Show the terminal until a person detaches (0) or a signal ends it (128 and its number).

    link_factory connects to the engine, again each time the link was lost. Imports Textual only
    when called, so that the command line stays quick. NO_COLOR in the environment counts too.
    """
    import os

    from tui.app import BulkheadApp
    from tui.palettes import DEFAULT, LOW_COLOR

    if no_color:
        os.environ["NO_COLOR"] = "1"
    console = os.environ.get("TERM", "") in ("linux", "vt100", "vt220")
    app = BulkheadApp(
        link_factory,
        read_only=read_only,
        palette=palette or (LOW_COLOR if console else DEFAULT),
        plain_marks=console,
    )
    app.run()
    return app.return_code or 0

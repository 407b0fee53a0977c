"""The terminal: draws the engine's pictures and passes a person's requests on, nothing more.

One convention holds here. Workers never touch a widget: they wait for the engine and post messages
(`tui.messages`). The app turns messages into a `View` and hands it to the screens that can be seen
through `show_view`. Screens turn a view into rows with the pure functions of `tui.rows` and give
the rows to `RowList` widgets, which draw what changed; `tui.painter` sends what differs. Text from
outside passes `tui.rows.text` and is never markup. Everything a key does stands in `tui.actions`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tui.link import LinkFactory

__all__ = ["run_terminal"]


def run_terminal(
    link_factory: "LinkFactory",
    *,
    read_only: bool = False,
    no_color: bool = False,
    palette: str | None = None,
    palette_folder: "Path | None" = None,
    keys: "Mapping[str, str] | None" = None,
    bell: bool = True,
    plain_marks: bool = False,
    mouse: bool = True,
    faults: "Sequence[str]" = (),
) -> int:
    """Show the terminal until a person detaches (0) or a signal ends it (128 and its number).

    link_factory connects to the engine, again each time the link was lost. palette names one that
    comes along or one of palette_folder (*.toml); keys maps action ids to keys ("close-selected":
    "ctrl+x,x"); faults in either are said in the terminal and not followed, and so are those given.
    mouse False leaves the mouse to the terminal, for selecting text. Imports Textual only when
    called, so that the command line stays quick. NO_COLOR in the environment counts too.
    """
    import gc
    import os

    # Collecting garbage while hundreds of modules are loaded finds none and takes a tenth of the
    # time; the app turns it on again once it stands.
    gc.disable()
    # Read once, when Textual is imported. A key is drawn at the second frame at the latest: at the
    # usual 60 that is 33 ms, and frames without a change cost nothing.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from tui.app import BulkheadApp
    from tui.settings import settings_of

    if no_color:
        os.environ["NO_COLOR"] = "1"
    settings = settings_of(
        palette=palette,
        palette_folder=palette_folder,
        keys=keys,
        bell=bell,
        plain_marks=plain_marks,
        faults=faults,
    )
    app = BulkheadApp(link_factory, read_only=read_only, settings=settings)
    app.run(mouse=mouse)
    return app.return_code or 0

"""Writes the generated parts of README: the picture and the key table.

Run `python -m tests.readme` after a change to the terminal; a test fails while they are stale.
"""

import asyncio
import re
from pathlib import Path

from tests.tui.samples import TROUBLE
from tui.keys import key_table_markdown
from tui.picture import draw_picture

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURE = ROOT / ".readme" / "dashboard.svg"
_TABLE = re.compile(r"(<!-- keys -->\n).*?(<!-- end of keys -->)", re.DOTALL)


async def picture() -> str:
    """The dashboard just after an assignment, drawn by the real app."""
    return await draw_picture(TROUBLE, size=(100, 28))


def with_keys(readme: str) -> str:
    return _TABLE.sub(
        lambda found: found[1] + key_table_markdown().strip() + "\n" + found[2], readme
    )


def main() -> None:
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(asyncio.run(picture()), encoding="utf-8")
    README.write_text(with_keys(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

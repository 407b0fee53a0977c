"""README shows what is: its picture and its key table are generated, and never stale."""

from tests.readme import PICTURE, README, picture, with_keys


async def test_the_picture_is_the_app_as_it_is() -> None:
    assert PICTURE.read_text(encoding="utf-8") == await picture()


def test_the_key_table_is_the_keys_as_they_are() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_keys(text) == text

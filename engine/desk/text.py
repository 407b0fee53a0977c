"""Text from outside made safe to store and to show, and numbers as people write them.

A venue's strings reach the terminal and the log: control characters, escape sequences' lead-ins
and direction overrides are taken out here, once. Markup is not this module's business.
"""

from decimal import Decimal

_LONGEST = 500
_SPACES = "\t\n\v\f\r\x85\u2028\u2029"
_C0_AND_C1 = (*range(0x20), *range(0x7F, 0xA0))
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_SURROGATES = range(0xD800, 0xE000)
_TABLE: dict[int, str | None] = {
    **dict.fromkeys((*_C0_AND_C1, *_BIDI, *_SURROGATES, 0xFEFF)),
    **dict.fromkeys(map(ord, _SPACES), " "),
}


def clean_text(text: str, longest: int = _LONGEST) -> str:
    """Take C0, C1 and bidi controls and lone surrogates out; line breaks and tabs become blanks.

    Longer text is cut and ends in an ellipsis.
    """
    if not (text.isascii() and text.isprintable()):
        text = text.translate(_TABLE)
    text = text.strip()
    return text if len(text) <= longest else text[: longest - 1] + "…"


def amount(value: Decimal, *, signed: bool = False) -> str:
    """Write a number with all its digits, but no exponent and no zeros at its end; signed: with its
    sign where it is not zero."""
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if not value:
        return "0"
    return f"+{text}" if signed and value > 0 else text

"""What a request asks for, read from text that may be of nobody's page."""

from uuid import uuid4

from config.kernel.texts import storable

# Digits of which every number is one that a key's column can be compared with.
MOST_DIGITS = 17
NONCE_LENGTH = 64


def number_of(text: str | None) -> int:
    """The key or count that it names; 0 for everything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else 0


def nonce_of(text: str) -> str:
    """What tells one press, however often it comes, from others; one of its own for a press that brings none."""
    return storable(text)[:NONCE_LENGTH] or uuid4().hex

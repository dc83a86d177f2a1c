"""Text that both databases keep: PostgreSQL refuses NUL, and UTF-8 has no half of a surrogate pair."""

NUL = "\x00"


def storable(text: str) -> str:
    """The text without NUL, each half of a surrogate pair as “?”; for words, never for keys."""
    if NUL in text:
        text = text.replace(NUL, "")
    return text if is_storable(text) else text.encode(errors="replace").decode()


def is_storable(text: str) -> bool:
    """Whether a text can be kept, or asked for, as it is."""
    if NUL in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown_whole(text: str) -> str:
    """A refused text as a person may look for it: NUL as “\\0”, each half of a surrogate pair as “?”."""
    return storable(text.replace(NUL, "\\0"))

"""Cutting a file of orders into the bodies it holds, character by character as they were sent."""

import json
import re
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from channels.errors import PayloadError

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def split_bodies(text: str) -> list[str]:
    """The order bodies of a file: one object, a list of objects, or either under `order` or `orders`.

    Each is a slice of the text, so that no fraction is written anew. Raises `PayloadError` for text that is no
    JSON, or holds anything but objects.
    """
    text = text.removeprefix("\ufeff")
    try:
        start = _skip(text, 0)
        if text[start : start + 1] == "{":
            members = dict(_members(text, start))
            inner = members.get("orders") or members.get("order")
            return _objects(inner) if inner is not None and "id" not in members else [text[start:].rstrip()]
        return _objects(text[start:])
    except (ValueError, RecursionError) as error:
        raise PayloadError("file", text, _("accepted is JSON text")) from error


def _objects(text: str) -> list[str]:
    start = _skip(text, 0)
    found = [text] if text[start : start + 1] == "{" else list(_elements(text, start))
    for body in found:
        if not body.startswith("{"):
            raise PayloadError("file", body, _("accepted are objects"))
    return found


def _elements(text: str, start: int) -> Iterator[str]:
    if text[start : start + 1] != "[":
        raise ValueError("no list")
    _value, whole = _DECODER.raw_decode(text, start)
    if text[whole:].strip():
        raise ValueError("more than one value")
    place = _skip(text, start + 1)
    while text[place] != "]":
        _value, end = _DECODER.raw_decode(text, place)
        yield text[place:end]
        place = _next(text, end)


def _members(text: str, start: int) -> Iterator[tuple[str, str]]:
    _value, whole = _DECODER.raw_decode(text, start)
    if text[whole:].strip():
        raise ValueError("more than one value")
    place = _skip(text, start + 1)
    while text[place] != "}":
        name, end = _DECODER.raw_decode(text, place)
        begin = _skip(text, _skip(text, end) + 1)
        _value, end = _DECODER.raw_decode(text, begin)
        yield name, text[begin:end]
        place = _next(text, end)


def _next(text: str, end: int) -> int:
    place = _skip(text, end)
    return _skip(text, place + 1) if text[place] == "," else place


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place

"""Languages: what their codes are called by the reader, and words that are kept for readers of each."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import get_language, get_language_info, override

from config.kernel.texts import storable

_BEGIN = '{"'


def language_name(code: str) -> str:
    """A language in the reader's own; its code where we know no name."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _fill(text: object, facts: Mapping[str, Any]) -> str:
    return str(text) % facts


def _join(words: Iterable[object], by: str = ", ") -> str:
    return by.join(map(str, words))


# Put together where they are shown, in the reader's language: `%` and `join` would do so at once.
filled = lazy(_fill, str)
joined = lazy(_join, str)


def kept_words(words: object, most: int | None = None) -> str:
    """Words for a column that `readers_words` reads: plain where all languages say the same, else JSON by language.

    `most` characters of each language. What was put together as text before stays in the language of that moment.
    """
    spoken = [code for code, _name in settings.LANGUAGES]
    if isinstance(words, str):
        said = dict.fromkeys(spoken, storable(words)[:most])
    else:
        said = {code: _said_in(code, words)[:most] for code in spoken}
    plain = said[spoken[0]]
    is_plain = set(said.values()) == {plain} and not plain.startswith(_BEGIN)
    return plain if is_plain else json.dumps(said, ensure_ascii=False)


def _said_in(language: str, words: object) -> str:
    with override(language):
        return storable(str(words))


def readers_words(kept: str) -> str:
    """What `kept_words` wrote, in the reader's language; any other text as it is."""
    if not kept.startswith(_BEGIN):
        return kept
    try:
        said: dict[str, Any] = json.loads(kept)
    except ValueError:
        return kept
    return str(said.get(get_language() or "", next(iter(said.values()))))

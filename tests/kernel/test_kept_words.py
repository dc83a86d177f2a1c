"""Words that are kept once and read by people of several languages."""

import pytest
from django.utils.translation import deactivate_all, get_language, gettext_lazy, override

from config.kernel.errors import InvalidInput, NotFound
from config.kernel.languages import filled, kept_words, readers_words


def read(kept: str) -> tuple[str, str]:
    with override("en"):
        english = readers_words(kept)
    with override("it"):
        return english, readers_words(kept)


@pytest.mark.parametrize("writer", ["en", "it"])
def test_refusal_is_read_in_each_readers_language_whoever_wrote_it(writer: str) -> None:
    accepted = filled(gettext_lazy("accepted are whole units, from 1 to %(most)s"), {"most": 9})
    with override(writer):
        kept = kept_words(InvalidInput(field="units", value="x", accepted=accepted))
        assert get_language() == writer

    assert read(kept) == (
        "units: “x” is not accepted; accepted are whole units, from 1 to 9.",
        "units: “x” non è accettato; sono ammesse unità intere, da 1 a 9.",
    )


@pytest.mark.parametrize(
    "text", ["", "Order 7 is closed.", "{", '{"', '{"en": "a', '{"en": "mine", "it": "yours"}']
)
def test_words_that_all_languages_share_come_back_as_they_are(text: str) -> None:
    assert read(kept_words(text)) == (text, text)


def test_plain_words_and_those_of_before_stand_plain_in_their_column() -> None:
    assert kept_words("A-1 ≠ A-2") == "A-1 ≠ A-2"
    assert read('{"half') == ('{"half', '{"half')


def test_words_of_each_language_are_cut_for_themselves() -> None:
    english, italian = read(kept_words(NotFound(), 10))

    assert (len(english), len(italian)) == (10, 10)
    assert read(kept_words("x" * 11, 10)) == ("x" * 10, "x" * 10)


def test_words_are_kept_without_what_no_database_takes() -> None:
    assert kept_words("a\x00b\ud800") == "ab?"
    kept = kept_words(InvalidInput(field="a\x00", value="\ud800", accepted=gettext_lazy("accepted is text")))
    assert read(kept)[0] == "a: “?” is not accepted; accepted is text."


def test_words_are_read_where_no_language_is_chosen() -> None:
    with override("it"):
        kept = kept_words(NotFound())
        deactivate_all()
        assert readers_words(kept) == "It does not exist any more."

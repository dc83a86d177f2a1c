"""Why something was not delivered, in words, and what a person can do about it."""

import re
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.kernel.languages import readers_words

Words = str | Promise


class Failure(NamedTuple):
    """`advice` is what can be done; `said` the error's own text."""

    title: str
    advice: str
    said: str


_WORD = re.compile(r"\w+")
_UNREACHED = gettext_lazy(
    "Check the address, the port and the network of the server, then press “Try again”."
)
_NOT_REACHED = gettext_lazy("The server could not be reached")
_KNOWN: dict[str, tuple[Words, Words]] = {
    "BadHeaderError": (
        gettext_lazy("A line break stands in the subject or in an address"),
        gettext_lazy(
            "No mail may have one there. Take it out of the mail's text, the channel's name or address, or the order, "
            "then press “Try again”."
        ),
    ),
    "SMTPRecipientsRefused": (
        gettext_lazy("The mail server refused the recipient"),
        gettext_lazy("Correct the order's e-mail address and press “Try again”, or suppress it."),
    ),
    "SMTPSenderRefused": (
        gettext_lazy("The mail server refused the sender"),
        gettext_lazy("Correct the channel's sender address, then press “Try again”."),
    ),
    "SMTPAuthenticationError": (
        gettext_lazy("The mail server refused our name or password"),
        gettext_lazy("Correct them in the settings of the installation, then press “Try again”."),
    ),
    "SMTPServerDisconnected": (gettext_lazy("The mail server hung up"), _UNREACHED),
    "ConnectionRefusedError": (_NOT_REACHED, _UNREACHED),
    "ConnectionResetError": (_NOT_REACHED, _UNREACHED),
    "TimeoutError": (gettext_lazy("The server did not answer in time"), _UNREACHED),
    "gaierror": (gettext_lazy("The server's name is not known"), _UNREACHED),
}


def failure_words(error: str) -> Failure:
    """Of an error as the outbox keeps it (`ClassName: text`, or `kept_words` that may name a class); empty for none."""
    if not error:
        return Failure("", "", "")
    error = readers_words(error)
    name, _colon, said = error.partition(": ")
    if found := next((_KNOWN[word] for word in _WORD.findall(error) if word in _KNOWN), None):
        return Failure(str(found[0]), str(found[1]), said)
    if not name.isidentifier() or not said:
        # A reason of ours, kept in the language of whoever wrote it down: the catalogue knows it in the reader's.
        return Failure(_(error), _("Mend what it names, then press “Try again”; or suppress it."), "")
    return Failure(
        _("The program could not do it"),
        _("Show this text to whoever looks after the program. “Try again” does the same once more."),
        error,
    )


def failure_text(error: str) -> str:
    """The same in one line, with the error's own text behind the words; empty for none."""
    failure = failure_words(error)
    return f"{failure.title} ({failure.said})" if failure.said else failure.title

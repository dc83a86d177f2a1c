"""Languages: what their codes are called by the reader."""

from django.utils.translation import get_language_info


def language_name(code: str) -> str:
    """A language in the reader's own; its code where we know no name."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code

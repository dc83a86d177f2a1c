"""What facts are about and who is owed them, as people call it."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.contrib import admin
from django.utils.functional import Promise
from django.utils.html import format_html

from config.kernel.admin.addresses import admin_url
from config.kernel.admin.timeline import subject_name

Subject = tuple[str, int]
_CALLED: dict[str, str | Promise] = {}
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Named(NamedTuple):
    """A subject for people; without an address where it has no page or is no more."""

    label: str
    url: str = ""

    def link(self) -> Any:
        return format_html('<a href="{}">{}</a>', self.url, self.label) if self.url else self.label


def call_subscribers(names: Mapping[str, str | Promise]) -> None:
    """Say what subscribers do with a fact: “Mail that the goods left”."""
    _CALLED.update(names)


def subscriber_words(name: str) -> str:
    """What is owed; the code of a subscriber that nobody described."""
    return str(_CALLED.get(name, name))


def named_subjects(subjects: Iterable[Subject]) -> dict[Subject, Named]:
    """Each subject by its kind and its own number, with its page; a statement a kind."""
    models = {_HUMP.sub("_", model.__name__).lower(): model for model in admin.site._registry}
    wanted: dict[str, set[int]] = defaultdict(set)
    for kind, pk in subjects:
        wanted[kind].add(pk)
    found: dict[Subject, Named] = {}
    for kind, ids in wanted.items():
        model = models.get(kind)
        rows = model._default_manager.in_bulk(ids) if model is not None else {}
        name = str(model._meta.verbose_name) if model is not None else subject_name(kind)
        for pk in ids:
            row = rows.get(pk)
            label = f"{name} {pk if row is None else row}"
            found[kind, pk] = Named(label, "" if row is None else admin_url(row, "change", pk))
    return found

"""What one can do from anywhere, in the words of those who do it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.navigation import Work
from inventory.enums import AdjustmentKind
from inventory.services.adjustment_booking import PERMISSIONS

K = AdjustmentKind


@dataclass(frozen=True, slots=True)
class Verb:
    """`also` are further words by which it is found; `query` opens the page for this verb, `need` is its right."""

    label: str | Promise
    also: str | Promise = ""
    query: str = ""
    need: str = ""


@dataclass(frozen=True, slots=True)
class Action:
    label: str
    where: str
    url: str
    also: str = ""


def _adjust(kind: AdjustmentKind, label: Promise, also: Promise) -> Verb:
    return Verb(label, also, f"kind={kind}", PERMISSIONS[kind])


VERBS: dict[str, tuple[Verb, ...]] = {
    "orders.order": (Verb(gettext_lazy("New order"), gettext_lazy("add, enter, telephone")),),
    "orders.importrun": (
        Verb(gettext_lazy("Import orders"), gettext_lazy("file, upload, CSV, spreadsheet")),
    ),
    "inventory.stockreceipt": (
        Verb(gettext_lazy("Receive stock"), gettext_lazy("goods in, delivery, arrived")),
    ),
    "inventory.stockcount": (Verb(gettext_lazy("Count stock"), gettext_lazy("inventory, stocktaking")),),
    "inventory.transfer": (
        Verb(gettext_lazy("Send a transfer"), gettext_lazy("move stock between locations, transfer")),
    ),
    "inventory.stockadjustment": (
        _adjust(K.CORRECTION, gettext_lazy("Correct stock"), gettext_lazy("adjust, found, missing")),
        _adjust(
            K.SET_ASIDE, gettext_lazy("Set units aside"), gettext_lazy("adjust, damaged, quarantine, broken")
        ),
        _adjust(
            K.OTHER_REASON,
            gettext_lazy("Change why units are set aside"),
            gettext_lazy("adjust, damaged, quarantine"),
        ),
        _adjust(K.PUT_BACK, gettext_lazy("Put units back for sale"), gettext_lazy("adjust, quarantine")),
        _adjust(
            K.SCRAP,
            gettext_lazy("Write off units that were set aside"),
            gettext_lazy("adjust, scrap, destroy"),
        ),
        _adjust(K.MOVE, gettext_lazy("Move units between bins"), gettext_lazy("adjust, shelf, bin")),
    ),
}


def actions(works: Iterable[Work], may: Callable[[str], bool]) -> list[Action]:
    """One a verb, of what the person may add; “Add: …” where nobody said it better."""
    found = []
    for work in works:
        for entry in work.entries:
            if entry.add_url:
                said = _("Add: %(name)s") % {"name": entry.label}
                verbs = VERBS.get(entry.key) or (Verb(said),)
                found += [
                    _action(work, verb, entry.add_url, said)
                    for verb in verbs
                    if not verb.need or may(verb.need)
                ]
    return found


def _action(work: Work, verb: Verb, url: str, said: str) -> Action:
    at = f"{url}?{verb.query}" if verb.query else url
    return Action(str(verb.label), str(work.label), at, f"{said} {verb.also}")

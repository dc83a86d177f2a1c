"""What happened to people's access, in words."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from config.kernel.admin import describe
from config.roles import ROLE_WORDS


def _roles(facts: Mapping[str, Any]) -> str:
    given = [f"+ {ROLE_WORDS.get(name, name)}" for name in facts.get("added", ())]
    taken = [f"− {ROLE_WORDS.get(name, name)}" for name in facts.get("removed", ())]
    return ", ".join([*given, *taken])


def _places(facts: Mapping[str, Any]) -> str:
    return ", ".join(facts.get("codes", ())) or _("the whole business")


def _count(facts: Mapping[str, Any]) -> str:
    count = facts.get("count") or 0
    return ngettext("%(n)s session", "%(n)s sessions", count) % {"n": count}


def _fields(facts: Mapping[str, Any]) -> str:
    return ", ".join(facts.get("fields", ()))


describe("user", "person_added", gettext_lazy("Person added"), tone="info")
describe("user", "person_changed", gettext_lazy("Person changed"), detail=_fields, tone="info")
describe("user", "roles_changed", gettext_lazy("Roles changed"), detail=_roles, tone="wait")
describe("user", "places_changed", gettext_lazy("Bound to locations"), detail=_places, tone="wait")
describe("user", "password_set", gettext_lazy("Password set"), tone="wait")
describe("user", "factor_enrolled", gettext_lazy("Second factor set up"), tone="ok")
describe("user", "factor_removed", gettext_lazy("Second factor turned off"), tone="wait")
describe("user", "factor_reset", gettext_lazy("Second factor reset by somebody else"), tone="stop")
describe("user", "sessions_ended", gettext_lazy("Sessions ended"), detail=_count, tone="idle")
describe(
    "user",
    "locked_out",
    gettext_lazy("Locked out after failed log-ins"),
    detail=lambda facts: str(facts.get("failures", "")),
    tone="stop",
)
describe("role", "role_changed", gettext_lazy("Rights of a role changed"), detail=_fields, tone="stop")

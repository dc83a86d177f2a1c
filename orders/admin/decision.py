"""Why it ships from there: an allocation decision in words."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.planner import Outcome, Reason
from orders.selectors.order_page import DecisionView

OUTCOMES: dict[str, Any] = {
    Outcome.WHOLE: gettext_lazy("All from one place"),
    Outcome.SPLIT: gettext_lazy("All, from several places"),
    Outcome.PARTIAL: gettext_lazy("Some, the rest waits"),
    Outcome.BACKORDERED: gettext_lazy("Everything waits"),
    Outcome.NOTHING: gettext_lazy("Nothing to decide"),
}


def decision_words(view: DecisionView | None) -> dict[str, Any] | None:
    """{title, chosen, others, waiting}: the question and its answer in sentences."""
    if view is None:
        return None
    decision = view.decision
    given: dict[int, int] = {}
    for row in decision.chosen:
        given[row["location"]] = given.get(row["location"], 0) + row["quantity"]
    candidates = {row["location"]: row for row in decision.candidates}
    chosen = [_chosen(view, place, units, candidates.get(place)) for place, units in given.items()]
    if decision.reason:
        chosen.insert(0, _("Chosen by hand: %(reason)s.") % {"reason": decision.reason.rstrip(".")})
    others = [_candidate(view, row) for place, row in candidates.items() if place not in given]
    return {
        "title": _title([_place(view, place) for place in given]),
        "chosen": chosen,
        "others": others,
        "waiting": [_waiting(view, row) for row in decision.waiting],
        "decided_at": decision.decided_at,
    }


def _title(places: list[str]) -> str:
    if not places:
        return _("Why does it wait?")
    if len(places) == 1:
        return _("Why %(place)s?") % {"place": places[0]}
    several = _("%(places)s and %(last)s") % {"places": ", ".join(places[:-1]), "last": places[-1]}
    return _("Why %(place)s?") % {"place": several}


def _place(view: DecisionView, pk: int) -> str:
    return view.locations.get(pk, f"#{pk}")


def _chosen(view: DecisionView, place: int, units: int, candidate: dict[str, Any] | None) -> str:
    facts = {"place": _place(view, place), "units": units, **(candidate or {})}
    if candidate is None:
        return _("%(place)s gives %(units)s.") % facts
    if candidate["reason"] == Reason.HAS_ALL:
        return (
            ngettext(
                "%(place)s has the unit that was asked for: one parcel, one place.",
                "%(place)s has all %(asked)s units that were asked for: one parcel, one place.",
                facts["asked"],
            )
            % facts
        )
    return _("%(place)s has %(have)s of %(asked)s asked for and gives %(units)s.") % facts


def _candidate(view: DecisionView, row: dict[str, Any]) -> str:
    facts = {"place": _place(view, row["location"]), **row}
    sentences = {
        Reason.HAS_ALL: _("%(place)s has all of it too, but is a less preferred place."),
        Reason.HAS_SOME: _("%(place)s: only %(have)s of %(asked)s."),
        Reason.HAS_NOTHING: _("%(place)s: nothing of it."),
        Reason.NOT_SHIPPING: _("%(place)s ships no orders."),
    }
    return sentences.get(row["reason"], "%(place)s") % facts


def _waiting(view: DecisionView, row: dict[str, Any]) -> str:
    if row["reason"] == Reason.UNKNOWN_SKU:
        said = ngettext(
            "%(quantity)s unit cannot be decided: its SKU is not known.",
            "%(quantity)s units cannot be decided: their SKU is not known.",
            row["quantity"],
        )
        return said % row
    facts = {**row, "sku": view.skus.get(row["sku"] or 0, "–")}
    sentences = {
        Reason.NO_STOCK: _("%(quantity)s × %(sku)s wait: nothing free anywhere."),
        Reason.QUEUE_AHEAD: _("%(quantity)s × %(sku)s wait: %(ahead)s owed to those before it in line."),
    }
    return sentences.get(row["reason"], "%(quantity)s × %(sku)s") % facts

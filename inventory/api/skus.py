"""SKUs as JSON, for staff who are logged in."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.kernel.actors import Actor
from inventory.models import Sku
from inventory.references import ResolvedReference
from inventory.selectors.claimed import ClaimantRow, available_by_claimant
from inventory.selectors.waterfall import WaterfallRow, waterfall
from inventory.selectors.waterfall_documents import Document, Documents, documents_of

SEE = "inventory.view_sku"


@never_cache
@require_safe
def sku_waterfall(request: HttpRequest, code: str) -> JsonResponse:
    """Why so many of a SKU can be sold: the rows of its page, which sum to `available` exactly.

    `documents` of a row name who holds or awaits its units; with the `further` ones they sum to the row.
    `channels` say how many each could order now, past those who wait with a lower priority. Refuses 401
    without a login, 403 without the right to see SKUs, 404 for an unknown code.
    """
    user = request.user
    if not user.is_authenticated:
        return _refused(401, "not_logged_in", _("Log in first."))
    if not user.is_staff or not user.has_perm(SEE):
        return _refused(403, "not_allowed", _("You may not see SKUs."))
    sku = Sku.objects.filter(code=code).first()
    if sku is None:
        return _refused(404, "not_found", _("There is no SKU “%(code)s”.") % {"code": code[:80]})
    actor = Actor.for_user(user)
    explained = waterfall(sku.pk, actor=actor)
    documents = documents_of(explained, actor=actor)
    limiting = Sku.objects.filter(pk=explained.limiting_part_id or 0).values_list("code", flat=True).first()
    return JsonResponse(
        {
            "sku": sku.code,
            "title": sku.title,
            "available": explained.available,
            "limiting_part": limiting,
            "channels": [_claimant(row) for row in available_by_claimant(sku.pk)],
            "rows": [_row(row, documents.get(row, Documents(rest=row.quantity))) for row in explained.rows],
        }
    )


def _claimant(row: ClaimantRow) -> dict[str, Any]:
    one = row.claimant
    return {
        "channel": one.code,
        "name": one.name,
        "priority": one.priority,
        "free": row.free,
        "ahead": row.ahead,
        "available": row.available,
    }


def _row(row: WaterfallRow, documents: Documents) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "label": row.label,
        "quantity": row.quantity,
        "detail": row.detail,
        "link": {"kind": row.link[0], "id": row.link[1]},
        "documents": [_document(document) for document in documents.shown],
        "further": documents.rest,
    }


def _document(document: Document) -> dict[str, Any]:
    kind, pk = document.reference
    resolved: ResolvedReference = document.resolved
    found: dict[str, Any] = {"kind": kind, "id": pk, "label": resolved.label, "url": resolved.url}
    found["quantity"] = document.quantity
    if document.position is not None:
        found["position"] = document.position
    return found


def _refused(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"code": code, "message": message}, status=status)

"""How the people behind rows are called, read with the rows."""

from typing import Any, TypeVar

from django.contrib.auth import get_user_model
from django.db.models import F, Model, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim

M = TypeVar("M", bound=Model)


def with_actor_names(rows: QuerySet[M], column: str = "actor_id") -> QuerySet[Any]:
    """Adds `actor_name`: the full name of the user whose key stands in `column`, else the login; None for nobody."""
    full = NullIf(Trim(Concat(F("first_name"), Value(" "), F("last_name"))), Value(""))
    user = get_user_model()._default_manager.filter(pk=OuterRef(column))
    return rows.annotate(actor_name=Subquery(user.values(name=Coalesce(full, F("username")))))

"""The filter behind the times of the first page: what passed a stage in the fortnight that was measured."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from config.kernel.admin import admin_url
from fulfillment.enums import Stage
from fulfillment.models import StageTime
from fulfillment.selectors.stages import PASSAGES, passed

PARAMETER = "passed"


class PassedFilter(SimpleListFilter):
    """`?passed=ship`: what the newest measurement of this stage counted."""

    title = _("Passed in 14 days")
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Only what a time asked for: a stage is chosen on the first page, not here."""
        asked = request.GET.get(PARAMETER)
        return [
            (stage.value, stage.label)
            for stage in Stage
            if stage == asked and _model_of(stage) is model_admin.model
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        asked = self.value()
        if asked not in {name for name, _label in self.lookup_choices}:
            return queryset
        time = StageTime.objects.filter(stage=asked).first()
        return queryset.none() if time is None else passed(queryset, Stage(asked), time.measured_at)


def passed_url(stage: Stage) -> str:
    """The list of what a stage's times were measured on."""
    return f"{admin_url(_model_of(stage), 'changelist')}?{PARAMETER}={stage}"


def _model_of(stage: Stage) -> Any:
    return PASSAGES[stage].rows().model

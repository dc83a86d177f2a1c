"""What a checked file comes to: counts by plan, totals by currency, problems by kind."""

from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum

from config.kernel.money import round_sum
from orders.enums import ImportPlan
from orders.models import ImportOrder, ImportProblem, ImportRow, ImportRun


def summary_of(run: ImportRun) -> dict[str, Any]:
    """A handful of statements; amounts as text."""
    plans = {
        plan: {"orders": orders, "rows": rows or 0}
        for plan, orders, rows in ImportOrder.objects.filter(run=run)
        .order_by()
        .values_list("plan")
        .annotate(orders=Count("pk"), rows=Sum("row_count"))
    }
    totals = [
        {"plan": plan, "currency": currency, "orders": orders, "units": units or 0, "total": _text(total)}
        for plan, currency, orders, units, total in ImportOrder.objects.filter(run=run)
        .exclude(plan__in=[ImportPlan.REFUSE, ImportPlan.LIST])
        .order_by("plan", "currency")
        .values_list("plan", "currency")
        .annotate(orders=Count("pk"), units=Sum("units"), total=Sum("total_amount"))
    ]
    problems = [
        {"code": code, "column": column, "count": count}
        for code, column, count in ImportProblem.objects.filter(run=run)
        .order_by()
        .values_list("code", "column")
        .annotate(count=Count("pk"))
        .order_by("-count", "code", "column")
    ]
    loose = ImportRow.objects.filter(run=run, key="").count()
    return {
        **{name: run.summary[name] for name in ("rows", "footers", "unknown") if name in run.summary},
        "plans": plans,
        "totals": totals,
        "problems": problems,
        "loose_rows": loose,
        "bad": plans.get(ImportPlan.REFUSE, {}).get("orders", 0) + loose,
    }


def _text(total: Decimal | None) -> str:
    return str(round_sum(total))

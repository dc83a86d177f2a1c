"""The building blocks of every page, for templates (`{% load bancale %}`) and for admin columns alike.

    badge(label, tone)            ok done · info moving · wait for someone · stop broken · back coming back · idle
    money(amount, currency)       €93.20, right aligned; – while the amount is not known
    quantity(n, unit)             1,204 units, right aligned; 0 is 0, unknown is –
    ago(when)                     4 min ago, in 3 h; the full local time as tooltip
    localtime(when)               21 Nov, 18:42 in the viewer's zone
    code(text)                    a SKU, a tracking number: set in monospace
    {{ count|number }}            2,431
    {{ value|dash }}              – for None and ""; {{ value|figure }} also aligns whole numbers
    {% card "Lines" more="3 SKUs" url=… %} … {% endcard %}    add flush=1 around a table or list
    {% facts rows %}              rows of (label, value) or (label, value, tone)
    {% steps rows %}              rows of (label, "done" | "now" | "stop" | "")
    {% timeline events %}         events with tone, title, detail, at, actor
    {% actions buttons %}         buttons with label, url, tone, reason
    {% waterfall rows %}          rows with label, quantity, url, tone; a row with total=True is a sum
    {% lacking form %}            what a form needs chosen and nobody has added yet, with the way there
    {% tiles rows %}              tiles as `config.dashboard.Tile`
    {% changelist_url opts %}     back to the same filtered list

Rows may be dicts or objects; the partials stand in `templates/kernel/`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from django import template
from django.contrib.admin import site
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models.options import Options
from django.forms import ModelChoiceField
from django.template.context import Context
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext

from config.kernel import clock
from config.kernel.money import exponent, round_money

register = template.Library()

TONES = frozenset({"ok", "info", "wait", "stop", "back", "idle"})
DASH = "–"
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# In the head of a page, the one that opens the rest among them.
_MOST_BUTTONS = 4


@register.simple_tag
def badge(label: str | Promise, tone: str = "idle") -> SafeString:
    """A status in words; the colour only repeats it. An unknown tone is a programming error."""
    if tone not in TONES:
        raise ValueError(f"badge tone {tone!r} is none of {sorted(TONES)}")
    return _badge(str(label), tone)


@lru_cache(maxsize=1024, typed=True)
def _badge(label: str, tone: str) -> SafeString:
    """Kept by text, escaped and not apart: a list has the same few badges in every row."""
    return format_html('<span class="badge {}">{}</span>', tone, label)


def money_text(amount: Decimal | None, currency: str) -> str:
    """An amount with its currency in the reader's locale: `€1,204.50`, `1.204,50 €`, `¥900`, `−€3.00`."""
    if amount is None:
        return DASH
    places = exponent(currency)
    value = round_money(Decimal(amount), currency)
    number = number_format(abs(value), decimal_pos=places, use_l10n=True, force_grouping=True)
    sign = "−" if value < 0 else ""
    mark = _SIGNS.get(currency)
    if gettext("€1.00").startswith("€"):
        return f"{sign}{mark}{number}" if mark else f"{sign}{currency} {number}"
    return f"{sign}{number} {mark or currency}"


@register.simple_tag
def money(amount: Decimal | None, currency: str) -> SafeString:
    """An amount as a right-aligned figure."""
    return _figure(money_text(amount, currency), known=amount is not None)


@register.simple_tag
def quantity(value: int | None, unit: str | Promise = "") -> SafeString:
    """Whole units as a right-aligned figure, with the unit beside it."""
    if value is None:
        return _figure(DASH, known=False)
    number = number_format(value, use_l10n=True, force_grouping=True)
    return _figure(f"{number} {unit}" if unit else number, known=True)


def _figure(text: str, *, known: bool) -> SafeString:
    return format_html('<span class="num{}">{}</span>', "" if known else " none", text)


@register.simple_tag
def code(text: str | None) -> SafeString | str:
    """An identifier that people compare letter by letter."""
    return format_html('<span class="mono">{}</span>', text) if text else DASH


@register.filter
def dash(value: Any) -> Any:
    """Unknown is shown as a dash, zero as zero."""
    return DASH if value is None or value == "" else value


@register.filter
def known(parts: Iterable[Any]) -> list[Any]:
    """The parts that say something, for a line of parts with dots between them."""
    return [part for part in parts if part not in (None, "", DASH)]


@register.filter
def number(value: int) -> str:
    """A count with its thousands set apart: 2,431."""
    return str(number_format(value, use_l10n=True, force_grouping=True))


@register.filter
def figure(value: Any) -> Any:
    """A table cell: whole numbers right aligned, unknown as a dash, anything else as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return quantity(value)
    return dash(value)


def ago_text(when: datetime) -> str:
    """`4 min ago` or `in 3 h`, by the kernel's clock."""
    seconds = round((clock.now() - when).total_seconds())
    span = span_text(abs(seconds))
    if seconds < 0:
        return gettext("in %(span)s") % {"span": span}
    return gettext("%(span)s ago") % {"span": span}


def span_text(seconds: int) -> str:
    """A length of time in its largest fitting unit: 40 s, 12 min, 47 h, 3 days."""
    if seconds < _MINUTE:
        return gettext("%(n)d s") % {"n": seconds}
    if seconds < _HOUR:
        return gettext("%(n)d min") % {"n": seconds // _MINUTE}
    if seconds < 2 * _DAY:
        return gettext("%(n)d h") % {"n": seconds // _HOUR}
    return ngettext("%(n)d day", "%(n)d days", seconds // _DAY) % {"n": seconds // _DAY}


def local_text(when: datetime) -> str:
    """`21 Nov, 18:42` in the active zone."""
    local = timezone.localtime(when)
    same_year = local.year == timezone.localtime(clock.now()).year
    return date_format(local, gettext("j M, H:i") if same_year else gettext("j M Y, H:i"))


@register.simple_tag
def ago(when: datetime | None) -> SafeString | str:
    """How long ago, or in how long."""
    if when is None:
        return DASH
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', when.isoformat(), local_text(when), ago_text(when)
    )


@register.simple_tag
def localtime(when: datetime | None) -> SafeString | str:
    """A moment in the viewer's zone; the year only when it is another one."""
    if when is None:
        return DASH
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', when.isoformat(), ago_text(when), local_text(when)
    )


@register.simple_block_tag
def card(content: str, title: str = "", more: str = "", url: str = "", flush: bool = False) -> SafeString:
    """A titled box; `more` at its right end, as a link when `url` is given; `flush` leaves out the padding."""
    link = format_html('<a class="more" href="{}">{}</a>', url, more) if url else ""
    if more and not url:
        link = format_html('<span class="more mute">{}</span>', more)
    header = format_html("<header><h2>{}</h2>{}</header>", title, link) if title else ""
    body = format_html("{}", content) if flush else format_html('<div class="body">{}</div>', content)
    return format_html('<section class="card">{}{}</section>', header, body)


@register.inclusion_tag("kernel/_facts.html")
def facts(rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Label and value, one under the other."""
    return {"rows": [(*row, "")[:3] for row in rows]}


@register.inclusion_tag("kernel/_steps.html")
def steps(rows: Iterable[Sequence[str]]) -> dict[str, Any]:
    """Where something stands on its way."""
    return {"rows": list(rows)}


@register.inclusion_tag("kernel/_timeline.html")
def timeline(events: Iterable[Any]) -> dict[str, Any]:
    """What happened, newest first as given."""
    return {"events": events}


@register.inclusion_tag("kernel/_actions.html")
def actions(buttons: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The legal next steps: the first few and the primary one, which stands last; the rest behind “More”.

    There stand what is risky, where there are many, and what is not possible now (`reason` and no url), with why.
    """
    rows = list(buttons)
    possible = [row for row in rows if row.get("url") and not row.get("reason")]
    shown = possible if len(possible) <= _MOST_BUTTONS else _foremost(possible)
    rest = [row for row in rows if row not in shown]
    return {
        "shown": [row for row in shown if row.get("tone") != "primary"],
        "rest": sorted(rest, key=lambda row: row.get("tone") == "risk"),
        "primary": [row for row in shown if row.get("tone") == "primary"],
    }


def _foremost(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    primary = [row for row in rows if row.get("tone") == "primary"]
    plain = [row for row in rows if row.get("tone") not in {"primary", "risk"}]
    return [*plain[: _MOST_BUTTONS - 1 - len(primary)], *primary]


@register.inclusion_tag("kernel/_lacking.html", takes_context=True)
def lacking(context: Context, form: Any) -> dict[str, Any]:
    """Of what must be chosen, that of which there is nothing yet, once each; a statement a choice."""
    wanted: list[Any] = [
        field.queryset
        for field in form.fields.values()
        if isinstance(field, ModelChoiceField) and field.required and not field.disabled
    ]
    missing = dict.fromkeys(rows.model for rows in wanted if not rows.exists())
    return {"missing": [(model._meta.verbose_name, _adding(context, model)) for model in missing]}


def _adding(context: Context, model: Any) -> str:
    """Where one is added, for who may."""
    pages, request = site._registry.get(model), context.get("request")
    if pages is None or request is None or not pages.has_add_permission(request):
        return ""
    return reverse(admin_urlname(model._meta, "add"))  # type: ignore[arg-type]


@register.inclusion_tag("kernel/_tiles.html")
def tiles(rows: Iterable[Any]) -> dict[str, Any]:
    """Queues as large figures, each a link to exactly what it counts."""
    return {"tiles": rows}


@register.inclusion_tag("kernel/_waterfall.html")
def waterfall(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Signed parts that sum up to a number, drawn as floating bars on one zero-based scale."""
    bars: list[dict[str, Any]] = []
    level = 0
    for row in rows:
        change = row["quantity"]
        start, end = (0, change) if row.get("total") else (level, level + change)
        level = end
        bars.append({**row, "low": min(start, end), "high": max(start, end)})
    floor = min([0, *(bar["low"] for bar in bars)])
    span = max([1, *(bar["high"] for bar in bars)]) - floor
    for place, bar in enumerate(bars):
        bar["x"] = round((bar["low"] - floor) / span * 1000)
        bar["width"] = max(round((bar["high"] - bar["low"]) / span * 1000), 4 if bar["quantity"] else 0)
        bar["tone"] = bar.get("tone") or (
            "total" if bar.get("total") else "plus" if bar["quantity"] >= 0 else "minus"
        )
        is_plain = bar.get("total") or not place or not bar["quantity"]
        said = str(bar["quantity"]) if is_plain else f"{bar['quantity']:+d}"
        bar["signed"] = said.replace("-", "−")
    return {"bars": bars, "zero": round(-floor / span * 1000)}


@register.simple_tag(takes_context=True)
def changelist_url(context: Context, opts: "Options[Any]") -> str:
    """The list that this page was opened from, with its filters; "" where there is none."""
    try:
        url = reverse(admin_urlname(opts, "changelist"))  # type: ignore[arg-type]
    except NoReverseMatch:
        return ""
    kept = dict(parse_qsl(context.get("preserved_filters", ""))).get("_changelist_filters", "")
    return f"{url}?{kept}" if kept else url


@register.simple_tag(takes_context=True)
def kept_list_name(context: Context, opts: "Options[Any]") -> str | Promise:
    """What the list that this page was opened from is called; "" for one that nobody named."""
    from config.kernel.admin.list_names import (
        list_name,  # its models are not there when tags are first looked for
    )

    kept = dict(parse_qsl(context.get("preserved_filters", ""))).get("_changelist_filters", "")
    return list_name(context["request"], opts, kept) if kept and "request" in context else ""


@register.inclusion_tag("kernel/_walk.html", takes_context=True)
def walk(context: Context, opts: "Options[Any]", pk: int) -> dict[str, Any]:
    """To the objects before and after this one in the list that it was opened from."""
    kept = context.get("preserved_filters", "")
    try:
        names = ("previous", "next", "place")
        steps = {name: reverse(admin_urlname(opts, name), args=[pk]) for name in names}  # type: ignore[arg-type]
    except NoReverseMatch:
        return {}
    return {name: f"{url}?{kept}" if kept else url for name, url in steps.items()} | {"is_kept": bool(kept)}


@register.simple_tag(takes_context=True)
def saved_views(context: Context, cl: ChangeList) -> dict[str, Any]:
    """The saved views of a list as tabs."""
    from config.kernel.admin.views import tabs_of  # its models are not there when tags are first looked for

    return tabs_of(cl, context["request"])


@register.simple_tag(takes_context=True)
def export_url(context: Context, cl: ChangeList) -> str:
    """Where the open list is exported, for those who may."""
    from config.kernel.admin.exports import export_url as found  # as above

    return found(cl, context["request"])


@register.simple_tag(takes_context=True)
def list_links(context: Context, cl: ChangeList) -> list[tuple[str, str]]:
    """Buttons of the open list that lead above its room."""
    from config.kernel.admin.list_links import list_links as found  # as above

    return found(cl, context["request"])


@register.simple_tag(takes_context=True)
def columns_url(context: Context, cl: ChangeList) -> str:
    """Where a person chooses the columns of the open list; nowhere in a pop-up."""
    if cl.is_popup or not hasattr(cl.model_admin, "columns_page"):
        return ""
    url = reverse(f"admin:{cl.opts.app_label}_{cl.opts.model_name}_columns")
    query = context["request"].GET.urlencode()
    return f"{url}?{query}" if query else url


@register.simple_tag
def page_links(cl: ChangeList) -> dict[str, Any]:
    """Pages around this one, the numbers of its first and last row, and whether all rows were counted."""
    steps = getattr(cl, "steps", None)
    if steps is None:
        number, last = cl.page_num, cl.paginator.num_pages
        steps = {
            "previous": cl.get_query_string({PAGE_VAR: number - 1}) if number > 1 else "",
            "next": cl.get_query_string({PAGE_VAR: number + 1}) if number < last else "",
        }
    first_row = getattr(cl, "first_row", (cl.page_num - 1) * cl.list_per_page + 1)
    return {
        **steps,
        "first_row": first_row,
        "last_row": first_row + len(cl.result_list) - 1,
        "shown": len(cl.result_list),
        "is_exact": getattr(cl.paginator, "is_exact", True),
    }


@register.simple_tag
def listed(cl: ChangeList) -> str:
    """How many rows a list has: 1,204, or 10,000+ where counting stopped."""
    count = number(cl.result_count)
    return count if getattr(cl.paginator, "is_exact", True) else f"{count}+"

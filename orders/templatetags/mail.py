"""How the parts of a mail look: as styles in the mail itself, since mail programs know no style sheet; as classes on
a page of ours, whose policy knows no styles. `mail.css` says the same by class, and a test compares."""

from django import template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

LOOKS = {
    "around": "background:#f4f4f2;",
    "margin": "padding:24px 12px;",
    "sheet": "max-width:560px;background:#ffffff;border:1px solid #e2e2de;font-family:Arial,Helvetica,sans-serif;"
    "font-size:15px;line-height:1.5;color:#1d1d1b;",
    "head": "padding:24px 28px 8px;",
    "shop": "margin:0 0 16px;font-size:13px;color:#66665f;",
    "logo": "display:block;border:0;",
    "title": "margin:0 0 8px;font-size:20px;line-height:1.3;",
    "block": "padding:8px 28px;",
    "words": "margin:0 0 12px;",
    "foot": "padding:0 28px 16px;",
    "bill": "border-collapse:collapse;font-size:14px;",
    "bill-head": "padding:6px 0;border-bottom:1px solid #cfcfc9;font-weight:normal;color:#66665f;",
    "bill-head-amount": "padding:6px 0 6px 12px;border-bottom:1px solid #cfcfc9;font-weight:normal;color:#66665f;",
    "line": "padding:8px 0;border-bottom:1px solid #ececea;vertical-align:top;",
    "line-amount": "padding:8px 0 8px 12px;border-bottom:1px solid #ececea;vertical-align:top;white-space:nowrap;",
    "mute": "color:#66665f;",
    "sum": "padding:4px 0;",
    "sum-amount": "padding:4px 0 4px 12px;white-space:nowrap;",
    "total": "padding:8px 0;border-top:1px solid #1d1d1b;font-weight:bold;",
    "total-amount": "padding:8px 0 8px 12px;border-top:1px solid #1d1d1b;font-weight:bold;white-space:nowrap;",
    "within": "padding:0 0 4px;color:#66665f;",
    "label": "margin:0 0 4px;font-size:13px;color:#66665f;",
    "plain": "margin:0;",
    "after": "margin:4px 0 0;color:#66665f;",
}


@register.simple_tag(takes_context=True)
def look(context: Context, name: str) -> SafeString:
    """The attribute that makes an element of a mail look so: a style, or where `in_page` is set a class."""
    if context.get("in_page"):
        return format_html('class="mail-{}"', name)
    return format_html('style="{}"', LOOKS[name])

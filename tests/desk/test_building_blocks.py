"""Badges, figures, times, charts: what every page is made of."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils import translation

from config.kernel import clock
from config.kernel.templatetags import bancale

pytestmark = pytest.mark.once
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def render(source: str, **context: object) -> str:
    return Template("{% load bancale %}" + source).render(Context(context))


def test_badge_escapes_its_words() -> None:
    assert bancale.badge("<b>", "stop") == '<span class="badge stop">&lt;b&gt;</span>'


def test_badge_refuses_an_unknown_tone() -> None:
    with pytest.raises(ValueError, match="purple"):
        bancale.badge("Held", "purple")


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("1204.5", "EUR", "€1,204.50"),
        ("-3", "GBP", "−£3.00"),
        ("900", "JPY", "¥900"),
        ("1.2345", "KWD", "KWD 1.235"),
        ("0", "CHF", "CHF 0.00"),
    ],
)
def test_money_reads_as_in_english(amount: str, currency: str, words: str) -> None:
    with translation.override("en"):
        assert bancale.money_text(Decimal(amount), currency) == words


def test_money_not_yet_known_is_a_dash() -> None:
    assert bancale.money(None, "EUR") == '<span class="num none">–</span>'


def test_quantity_shows_zero_and_hides_the_unknown() -> None:
    with translation.override("en"):
        assert bancale.quantity(0) == '<span class="num">0</span>'
        assert bancale.quantity(1204, "units") == '<span class="num">1,204 units</span>'
    assert bancale.quantity(None) == '<span class="num none">–</span>'


def test_figure_aligns_whole_numbers_only() -> None:
    assert bancale.figure(2) == '<span class="num">2</span>'
    assert bancale.figure(True) is True
    assert bancale.figure("A-03-2") == "A-03-2"
    assert bancale.figure(None) == "–"


@pytest.mark.parametrize(
    ("back", "words"),
    [
        (timedelta(seconds=4), "4 s ago"),
        (timedelta(minutes=59), "59 min ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(hours=-3), "in 3 h"),
    ],
)
def test_ago_takes_the_largest_fitting_unit(back: timedelta, words: str) -> None:
    with clock.frozen(NOON), translation.override("en"):
        assert bancale.ago_text(NOON - back) == words


def test_localtime_is_in_the_active_zone_and_names_another_year() -> None:
    with clock.frozen(NOON), translation.override("en"):
        assert bancale.local_text(NOON) == "22 Nov, 13:00"
        assert bancale.local_text(NOON.replace(year=2025)) == "22 Nov 2025, 13:00"


def test_waterfall_draws_parts_from_where_the_last_one_ended() -> None:
    rows = [
        {"label": "On hand", "quantity": 100},
        {"label": "Reserved", "quantity": -60},
        {"label": "Buffer", "quantity": -50},
        {"label": "You can sell", "quantity": 0, "total": True},
    ]

    chart = bancale.waterfall(rows)

    assert [(bar["low"], bar["high"]) for bar in chart["bars"]] == [(0, 100), (40, 100), (-10, 40), (0, 0)]
    assert [bar["signed"] for bar in chart["bars"]] == ["100", "−60", "−50", "0"]
    assert [(bar["x"], bar["width"]) for bar in chart["bars"]] == [(91, 909), (455, 545), (0, 455), (91, 0)]
    assert chart["zero"] == 91


def test_actions_say_why_a_button_cannot_be_pressed() -> None:
    html = render(
        "{% actions buttons %}",
        buttons=[
            {"label": "Confirm", "url": "/confirm", "tone": "primary"},
            {"label": "Release", "url": "", "reason": "A hold refuses it."},
        ],
    )

    assert '<a class="btn do" href="/confirm">Confirm</a>' in html
    assert 'aria-disabled="true"' in html
    assert "A hold refuses it." in html
    assert html.count("<a ") == 1


def test_actions_fold_what_is_risky_where_there_are_many_and_the_primary_one_stands_last() -> None:
    names = ("Cancel", "Hold", "Tag", "Plan", "Move")
    buttons = [{"label": name, "url": f"/{name}", "tone": "plain"} for name in names]
    buttons[0]["tone"] = "risk"
    html = render(
        "{% actions buttons %}", buttons=[*buttons, {"label": "Ship", "url": "/s", "tone": "primary"}]
    )

    places = [html.index(f">{name}<") for name in ("Hold", "Tag", "Plan", "Move", "Cancel", "Ship")]
    assert places == sorted(places)
    assert html.index(">Tag<") < html.index("<summary") < html.index(">Plan<")
    assert html.index(">Cancel<") < html.index("</details>") < html.index(">Ship<")


def test_card_facts_and_steps_escape_what_they_show() -> None:
    html = render(
        '{% card title more="all" url="/x" %}{% facts rows %}{% steps steps %}{% endcard %}',
        title="<i>",
        rows=[("Name", "<script>"), ("Phone", None), ("Total", 3, "sum")],
        steps=[("Placed", "done"), ("Confirm", "now")],
    )

    assert "<script>" not in html
    assert "<h2>&lt;i&gt;</h2>" in html
    assert "<dd>–</dd>" in html
    assert '<dd class="sum">3</dd>' in html
    assert 'class="now" aria-current="step"' in html


def test_timeline_without_events_says_so() -> None:
    assert "Nothing has happened yet." in render("{% timeline events %}", events=[])


def test_known_leaves_out_what_says_nothing() -> None:
    assert bancale.known(["Torino", "", None, "–", "0"]) == ["Torino", "0"]

"""Italian is complete: every string is found, translated with its placeholders, compiled, and seen on pages."""

import ast
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation

from config.kernel.admin import admin_url
from inventory.models import Sku
from orders.models import Order
from tests import strings
from tests.factories.fulfillment import make_confirmed, make_shipped, stock
from tests.factories.inventory import make_location
from tests.factories.orders import make_order
from tests.factories.returns import make_received
from tests.kernel.visitor import Visitor, text_of, visitor

CATALOGUES = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/django.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%%|\{\w*\}")
REFRESH = "run `manage.py catalogue` and translate what it names"
TELLING = re.compile(
    r"\b(Confirm|Confirmed|On hold|Hold|Allocated?|Placed|Warehouse|Orders?|Search|Save|Add|Filters?|Today|Stock"
    r"|Available|Waiting|Customer|Buyer|Lines?|Units?|Location|Shipped|Delivered|Cancel|Returns?|Parcels?|Log out"
    r"|Nothing|Show|Select|Actions?|History|Delete|Since|Refused|yet|This|What|the|of|to|and|is|are|not|for|you|your)\b"
)


def every_catalogue() -> list[Any]:
    return [pytest.param(polib.pofile(str(path)), id=path.parent.parent.name) for path in CATALOGUES]


@pytest.fixture(autouse=True)
def language_of_this_test_only() -> Iterator[None]:
    """A request leaves its language active in its thread."""
    yield
    translation.deactivate()


@pytest.fixture
def italian() -> polib.POFile:
    (path,) = (path for path in CATALOGUES if path.parent.parent.name == "it")
    return polib.pofile(str(path))


def test_each_language_but_english_has_a_catalogue() -> None:
    spoken = {path.parent.parent.name for path in CATALOGUES}
    assert spoken == {code for code, _name in settings.LANGUAGES} - {"en"}


@pytest.mark.parametrize("catalogue", every_catalogue())
def test_nothing_is_left_to_translate(catalogue: polib.POFile) -> None:
    left = [entry.msgid for entry in catalogue if not entry.translated() or entry.fuzzy or entry.obsolete]
    assert left == [], REFRESH


def _pairs(entry: polib.POEntry) -> Iterator[tuple[str, str]]:
    if not entry.msgid_plural:
        yield entry.msgid, entry.msgstr
    for number, text in entry.msgstr_plural.items():
        yield (entry.msgid if number == 0 else entry.msgid_plural), text


@pytest.mark.parametrize("catalogue", every_catalogue())
def test_placeholders_are_those_of_the_english(catalogue: polib.POFile) -> None:
    wrong = [
        (english, text)
        for entry in catalogue.translated_entries()
        for english, text in _pairs(entry)
        if sorted(set(PLACEHOLDER.findall(english))) != sorted(set(PLACEHOLDER.findall(text)))
    ]
    assert wrong == []


@pytest.mark.parametrize("catalogue", every_catalogue())
def test_ends_and_capitals_are_those_of_the_english(catalogue: polib.POFile) -> None:
    wrong = [
        (english, text)
        for entry in catalogue.translated_entries()
        for english, text in _pairs(entry)
        if _end(english) != _end(text) or english[:1].isspace() != text[:1].isspace()
    ]
    assert wrong == []


def _end(text: str) -> str:
    return text[-1:] if text[-1:] in tuple(".:,…?! \n") and text != "cad." else ""


@pytest.mark.parametrize("catalogue", every_catalogue())
def test_compiled_catalogue_says_what_the_source_says(catalogue: polib.POFile) -> None:
    compiled = polib.mofile(str(Path(catalogue.fpath).with_suffix(".mo")))

    def said(entries: polib.POFile | polib.MOFile) -> dict[tuple[Any, ...], Any]:
        return {
            (entry.msgctxt, entry.msgid, entry.msgid_plural): dict(entry.msgstr_plural) or entry.msgstr
            for entry in entries
            if entry.msgstr or entry.msgstr_plural.get(0)
        }

    assert said(compiled) == said(catalogue), "run `manage.py catalogue --compile`"
    assert compiled.metadata["Plural-Forms"] == catalogue.metadata["Plural-Forms"]


@pytest.mark.parametrize("catalogue", every_catalogue())
def test_catalogue_holds_every_string_and_no_other(catalogue: polib.POFile) -> None:
    """The strings are found here without gettext's tools, so that this runs on a bare machine too."""
    held = {(entry.msgctxt or "", entry.msgid, entry.msgid_plural or "") for entry in catalogue}
    found = strings.every_string()

    assert len(found) > 1000, "the finder finds nothing"
    assert sorted(found - held) == [], REFRESH
    assert sorted(held - found) == [], REFRESH


def test_no_bare_english_in_templates() -> None:
    assert [fault for path in strings.templates() for fault in strings.bare_english_of_template(path)] == []


def test_no_bare_english_in_modules() -> None:
    assert [fault for path in strings.modules() for fault in strings.bare_english_of_module(path)] == []


def test_every_field_on_an_admin_page_has_a_name_of_its_own() -> None:
    """Else Django makes one of the field's name in code, in English."""
    faults = []
    for model, model_admin in admin.site._registry.items():
        nameless = {
            f.name for f in model._meta.concrete_fields if f._verbose_name is None and not f.primary_key
        }
        faults += [f"{model._meta.label}.{name}" for name in sorted(nameless & shown_by(model_admin))]
    assert faults == []


def shown_by(model_admin: Any) -> set[str]:
    filtered = (row[0] if isinstance(row, tuple) else row for row in model_admin.list_filter)
    names = [*model_admin.list_display, *filtered, *model_admin.readonly_fields, *(model_admin.fields or ())]
    for _title, options in model_admin.fieldsets or ():
        names += flatten(options["fields"])
    return {name for name in names if isinstance(name, str)}


def test_bare_english_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strings, "ROOT", tmp_path)
    page, module = tmp_path / "page.html", tmp_path / "module.py"
    page.write_text('{% load i18n %}<p title="A tip">{% translate "Said" %} Unsaid {{ value }}</p>{# note #}')
    module.write_text('forms.CharField(label="Bare", help_text=_("Said"))\nmodels.TextField("bare")')

    assert list(strings.bare_english_of_template(page)) == ["page.html 'A tip'", "page.html 'Unsaid'"]
    assert list(strings.bare_english_of_module(module)) == ["module.py:1 'Bare'", "module.py:2 'bare'"]


def test_every_way_to_mark_a_string_is_found(tmp_path: Path) -> None:
    page, module = tmp_path / "page.html", tmp_path / "module.py"
    page.write_text(
        '{% load i18n %}{% translate "One" %}{% translate "Two" context "c" %}{{ _("Three") }}'
        "{% blocktranslate count n=n %}{{ n }} four{% plural %}{{ n }} fours{% endblocktranslate %}"
    )
    module.write_text(
        "from django.utils.translation import gettext_lazy as _, ngettext, pgettext_lazy\n"
        "_('Five'), ngettext('%(n)s six', '%(n)s sixes', 2), pgettext_lazy('c', 'Seven'), f'{_(\"Eight\")}'"
    )
    in_page = [("", "One", ""), ("", "Three", ""), ("", "%(n)s four", "%(n)s fours"), ("c", "Two", "")]
    in_module = [("", "Five", ""), ("", "%(n)s six", "%(n)s sixes"), ("c", "Seven", ""), ("", "Eight", "")]

    assert sorted(strings.of_template(page)) == sorted(in_page)
    assert sorted(strings.of_module(module)) == sorted(in_module)


def test_no_string_is_marked_inside_an_f_string() -> None:
    """`makemessages` does not look there."""
    faults = [
        f"{path.name}:{node.lineno}"
        for path in strings.modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id in ("_", "gettext", "ngettext")
    ]
    assert faults == []


# Pages


def words_of(page: Any) -> str:
    """What a reader meets on a page: its text, and what fields and buttons are called."""
    assert page.status_code == 200
    html = page.content.decode()
    assert '<html lang="it"' in html
    called = re.findall(r'\b(?:title|aria-label|placeholder|alt)="([^"]*)"', html)
    return text_of(page) + " ".join(map(unescape, called))


def english_on(page: Any, catalogue: polib.POFile) -> list[str]:
    """Telling words, and whole English sentences of the catalogue."""
    words = words_of(page)
    translated = catalogue.translated_entries()
    sentences = {entry.msgid for entry in translated if " " in entry.msgid and entry.msgid != entry.msgstr}
    return [
        *TELLING.findall(words),
        *(said for said in sentences if re.search(rf"(?<!\w){re.escape(said)}(?!\w)", words)),
    ]


@pytest.fixture
def reader(db: None) -> Visitor:
    client = visitor(superuser=True)
    user = get_user_model().objects.get()
    user.set_password("nastro-bilancia")
    user.save()
    client.force_login(user)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "it-IT,it;q=0.9,en;q=0.5"
    return client


@pytest.fixture
def shop(db: None) -> dict[str, Any]:
    """One of everything, with Italian names, so that whatever is English on a page is ours."""
    stock({"TAZZA": 3}, make_location("TO", name="Torino"))
    Sku.objects.update(title="Tazza")
    return {
        "placed": make_order(external_id="A-9"),
        "waiting": make_confirmed({"TAZZA": 5}, external_id="A-8"),
        "parcel": make_shipped({"VASO": 1}, external_id="A-7"),
        "rma": make_received(),
    }


def test_dashboard_lists_and_forms_are_italian(
    reader: Visitor, shop: dict[str, Any], italian: polib.POFile
) -> None:
    urls = [reverse("admin:index"), reverse("admin:password_change")]
    for model, model_admin in admin.site._registry.items():
        request = reader.get(reverse("admin:index")).wsgi_request
        urls.append(admin_url(model, "changelist"))
        if model_admin.has_add_permission(request):
            urls.append(admin_url(model, "add"))

    english = {url: found for url in urls if (found := english_on(reader.get(url), italian))}
    assert english == {}


def test_object_pages_are_italian(reader: Visitor, shop: dict[str, Any], italian: polib.POFile) -> None:
    english = {}
    for model in admin.site._registry:
        row = model._default_manager.order_by("-pk").first()
        if row is not None:
            url = admin_url(model, "change", row.pk)
            english[url] = english_on(reader.get(url), italian)
    for order in Order.objects.all():
        english[f"order {order.external_id}"] = english_on(
            reader.get(admin_url(Order, "change", order.pk)), italian
        )
    assert {url: found for url, found in english.items() if found} == {}
    assert len(english) > 15


def test_confirm_pages_are_italian(reader: Visitor, shop: dict[str, Any], italian: polib.POFile) -> None:
    placed = shop["placed"]
    pages = {verb: reader.get(admin_url(Order, verb, placed.pk)) for verb in ("confirm", "cancel", "hold")}
    bulk = {"action": "bulk_orders_order_confirm_orders", "_selected_action": [placed.pk]}
    pages["bulk"] = reader.post(admin_url(Order, "changelist"), bulk)

    assert {name: found for name, page in pages.items() if (found := english_on(page, italian))} == {}
    assert "Conferma ordine" in text_of(pages["confirm"])


def test_refusals_and_messages_are_italian(reader: Visitor, shop: dict[str, Any]) -> None:
    url = admin_url(Order, "confirm", shop["placed"].pk)
    page = reader.press(url)
    page = reader.get(page.url)

    assert "Confermato; l’e-mail di conferma è in partenza." in text_of(page)


def test_login_page_follows_the_browser(client: Client, db: None, italian: polib.POFile) -> None:
    page = client.get(reverse("admin:login"), headers={"accept-language": "it"})

    assert english_on(page, italian) == []
    assert "Accedi" in text_of(page)


def test_viewer_chooses_the_language(reader: Visitor) -> None:
    home = reverse("admin:index")
    answer = reader.post(reverse("set_language"), {"language": "en", "next": home})

    assert (answer.status_code, answer.url) == (302, home)
    assert answer.cookies["django_language"]["httponly"]
    assert '<html lang="en"' in reader.get(home).content.decode()


def test_language_cannot_be_changed_by_another_site(reader: Visitor) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("set_language"), {"language": "it"}).status_code == 403

    answer = reader.post(reverse("set_language"), {"language": "en", "next": "https://elsewhere.example/"})
    assert "elsewhere" not in answer.url


def test_confirmation_mail_is_italian(shop: dict[str, Any]) -> None:
    from orders.services.mail_texts import write_confirmation

    order = shop["placed"]
    order.language = "it"
    written = write_confirmation(order)

    assert written.subject.startswith("Ordine ")
    for word in ("grazie per l’ordine", "Riepilogo dell’ordine", "Totale", "Spedire a"):
        assert word in written.text
        assert word in written.html
    assert TELLING.findall(written.text) == []
    assert mail.outbox == []

"""Italian on the pages and in the mail: what a reader meets there holds no English."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import translation

from config.kernel.admin import admin_url
from inventory.models import Sku
from orders.enums import MailKind
from orders.models import Order
from orders.services.mail_occasions import Occasion
from orders.services.mail_texts import write_mail
from tests.factories.fulfillment import make_confirmed, make_shipped, stock
from tests.factories.inventory import make_location
from tests.factories.orders import make_order
from tests.factories.returns import make_received
from tests.kernel.visitor import Visitor, text_of, visitor

TELLING = re.compile(
    r"\b(Confirm|Confirmed|On hold|Hold|Allocated?|Placed|Warehouse|Orders?|Search|Save|Add|Filters?|Today|Stock"
    r"|Available|Waiting|Customer|Buyer|Lines?|Units?|Location|Shipped|Delivered|Cancel|Returns?|Parcels?|Log out"
    r"|Nothing|Show|Select|Actions?|History|Delete|Since|Refused|yet|This|What|the|of|to|and|is|are|not|for|you|your)\b"
)


@pytest.fixture(autouse=True)
def language_of_this_test_only() -> Iterator[None]:
    """A request leaves its language active in its thread."""
    yield
    translation.deactivate()


@pytest.fixture
def italian() -> polib.POFile:
    return polib.pofile(str(Path(settings.LOCALE_PATHS[0]) / "it" / "LC_MESSAGES" / "django.po"))


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


def test_scripts_of_forms_say_nothing_in_english(reader: Visitor) -> None:
    said = reader.get(reverse("admin:jsi18n")).content.decode()

    assert "Seleziona in questo elenco (%s) e premi la freccia per scegliere." in said
    assert "Scegli tutto: %s" in said


def test_language_cannot_be_changed_by_another_site(reader: Visitor) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("set_language"), {"language": "it"}).status_code == 403

    answer = reader.post(reverse("set_language"), {"language": "en", "next": "https://elsewhere.example/"})
    assert "elsewhere" not in answer.url


def test_confirmation_mail_is_italian(shop: dict[str, Any]) -> None:
    order = shop["placed"]
    order.language = "it"
    written = write_mail(Occasion(order, MailKind.CONFIRMATION))

    assert written.subject.startswith("Ordine ")
    for word in ("grazie per l’ordine", "Riepilogo dell’ordine", "Totale", "Spedire a"):
        assert word in written.text
        assert word in written.html
    assert TELLING.findall(written.text) == []
    assert mail.outbox == []

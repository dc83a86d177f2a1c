"""Languages of master data are chosen by name; one that came from outside stays until it is changed."""

from typing import Any

import pytest
from django.conf import settings
from django.utils.translation import override

from config.kernel import clock
from config.kernel.admin import LanguageField, admin_url
from orders.models import Customer, MailText
from tests.factories.orders import make_channel
from tests.kernel.test_countries import save
from tests.kernel.visitor import visitor

NAMES = [("en", "Inglese"), ("it", "Italiano")]


def test_languages_are_offered_by_the_readers_names() -> None:
    field = LanguageField(required=False)

    with override("it"):
        field.offer("ja")

    assert field.choices == [("", "–"), ("ja", "Giapponese"), *NAMES]


@pytest.mark.django_db
def test_words_of_mails_are_begun_in_a_language_by_its_name() -> None:
    boss = visitor(superuser=True)
    boss.cookies[settings.LANGUAGE_COOKIE_NAME] = "it"

    page = boss.get(admin_url(MailText, "add")).content.decode()

    assert '<option value="en" selected>Inglese</option>' in page
    assert '<option value="it">Italiano</option>' in page


def buyer(language: str) -> Customer:
    return Customer.objects.create(name="Rosa Neri", language=language, created_at=clock.now())


@pytest.mark.django_db
@pytest.mark.parametrize("make", [make_channel, buyer])
def test_language_from_outside_stays_and_another_is_chosen(make: Any) -> None:
    row = make(language="ja")
    boss = visitor(superuser=True)
    page = boss.get(admin_url(row, "change", row.pk)).content.decode()

    assert '<option value="ja" selected>Japanese</option>' in page
    assert save(boss, row, name="Kept", priority="0").status_code == 302
    row.refresh_from_db()
    assert (row.name, row.language) == ("Kept", "ja")
    assert save(boss, row, language="it", priority="0").status_code == 302
    row.refresh_from_db()
    assert row.language == "it"
    assert save(boss, row, language="klingon", priority="0").status_code == 200
    row.refresh_from_db()
    assert row.language == "it"

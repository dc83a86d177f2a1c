"""What a worker, or one person, wrote of a job is read by each person in their own language."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils.translation import override

from config.kernel import jobs
from config.kernel.admin import admin_url
from config.kernel.models import Job
from orders.enums import ImportPolicy
from orders.models import ImportRun
from orders.services.holds import place_hold
from orders.services.importing.applying import apply_runs
from tests.factories.imports import check, make_skus, row, work
from tests.factories.imports import text_of as file_of
from tests.factories.orders import SYSTEM, make_order
from tests.kernel.test_bulk import CONFIRM, LIST, carry_out, start
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
ENGLISH = "“Confirm” is refused by an open hold: Fraud check."
ITALIAN = "“Conferma” è rifiutato da un blocco attivo: Controllo antifrode."


@pytest.fixture(autouse=True)
def languages_as_before() -> Iterator[None]:
    """A request's language stays in its thread."""
    with override("en"):
        yield


def in_language(person: Visitor, language: str) -> Visitor:
    person.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return person


def seen(person: Visitor, url: str) -> tuple[str, str]:
    english, italian = (text_of(in_language(person, language).get(url)) for language in ("en", "it"))
    return english, italian


def test_what_a_job_refused_and_logged_is_read_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("config.kernel.admin.bulk.MAX_BATCH", 1)
    orders = [make_order() for _ in range(2)]
    place_hold([orders[1].pk], kind="fraud", actor=SYSTEM).only()
    support = visitor("Support")
    carry_out(support, start(support, CONFIRM, [order.pk for order in orders]))

    jobs.run_job(Job.objects.get().pk)

    english, italian = seen(visitor("Manager"), admin_url(Job, "change", Job.objects.get().pk))
    assert (english.count(ENGLISH), italian.count(ENGLISH)) == (1, 0)
    assert (english.count(ITALIAN), italian.count(ITALIAN)) == (0, 1)
    assert "1 done, 0 already so, 1 refused" in english
    assert "already so" not in italian


def test_answer_to_a_press_follows_the_reader_to_another_language() -> None:
    order = make_order()
    place_hold([order.pk], kind="fraud", actor=SYSTEM).only()
    support = visitor("Support")
    page = start(support, CONFIRM, [order.pk])
    pairs: dict[str, list[str]] = {}
    for name, value in page.context["hidden"]:
        pairs.setdefault(name, []).append(value)

    english, italian = seen(support, support.post(LIST, pairs).url)

    assert (ENGLISH in english, ENGLISH in italian) == (True, False)
    assert (ITALIAN in english, ITALIAN in italian) == (False, True)


def test_log_of_a_job_that_came_too_late_is_read_in_the_readers_language() -> None:
    make_skus("MUG")
    run = check(file_of(row("W-1")))
    job_id = apply_runs([run.pk], policy=ImportPolicy.GOOD_ONES, actor=SYSTEM).only()
    ImportRun.objects.update(status="rolled_back")

    work(job_id)

    english, italian = seen(visitor("Manager"), admin_url(Job, "change", job_id))
    assert "does not stand there any more: it is “Rolled back”." in english
    assert "does not stand there any more" not in italian
    assert "Rolled back" not in italian

"""What a worker refused of a file is read by each person in their own language."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils.translation import override

from orders.enums import ImportPolicy
from orders.models import ImportOrder, ImportRun, Order
from orders.services.importing.mapping import start_check
from orders.services.importing.rolling_back import roll_back_runs, sweep_roll_backs
from orders.services.importing.staging import problem_row
from orders.sheets import rows
from orders.sheets.problems import Problem, UnreadableFile, sentence
from tests.factories.fulfillment import make_confirmed, make_shipped
from tests.factories.imports import HEADER, apply, check, make_skus, row, text_of, upload, work
from tests.factories.inventory import make_level, make_location, make_sku
from tests.factories.orders import SYSTEM, make_order
from tests.imports.test_admin import page_url
from tests.kernel.visitor import text_of as words_of
from tests.kernel.visitor import visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def languages_as_before() -> Iterator[None]:
    """A request's language stays in its thread."""
    with override("en"):
        yield


def seen(run: ImportRun, language: str) -> str:
    """The words of the run's page and of its failed-rows file."""
    client = visitor("Manager")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page = words_of(client.get(page_url(run)))
    file = client.get(page_url(run, "failed"))
    assert '"en"' not in page
    return page + b"".join(file.streaming_content).decode()


def assert_told(run: ImportRun, english: str, italian: str, *, times: int = 2) -> None:
    """Each reader finds these words, and none of the other's."""
    pages = [seen(run, language) for language in ("en", "it")]
    assert [page.count(english) for page in pages] == [times, 0]
    assert [page.count(italian) for page in pages] == [0, times]


@pytest.mark.parametrize("writer", ["en", "it"])
def test_order_that_was_refused_when_it_was_applied(writer: str) -> None:
    make_order(external_id="W-1")
    run = check(text_of(row("W-1", quantity="1")))
    Order.objects.update(status="cancelled")
    number = Order.objects.get().number

    with override(writer):
        apply(run, ImportPolicy.GOOD_ONES)

    assert_told(run, f"Order {number} is closed (Cancelled).", f"L’ordine {number} è chiuso (Annullato).")


def test_order_that_the_warehouse_began_after_the_check() -> None:
    from fulfillment.services.releasing import release_orders

    make_level(make_sku("MUG"), make_location(), on_hand=5)
    order = make_confirmed(external_id="W-1")
    run = check(text_of(row("W-1", quantity="1")))
    release_orders([order.pk], actor=SYSTEM).raise_refusals()

    apply(run, ImportPolicy.GOOD_ONES)

    assert_told(
        run,
        f"is at work in the warehouse and differs; call the work back first: {order.number}",
        f"è in lavorazione in magazzino e diverso; richiamare prima il lavoro: {order.number}",
    )


def test_order_that_could_not_be_stored() -> None:
    make_skus("MUG")

    run = check(text_of(row("W-1", quantity="1000000", price="999999999.00")))

    assert_told(run, "is not accepted; accepted is", "non è accettato; ")


def test_lines_that_no_change_can_bring() -> None:
    make_order(external_id="W-1")
    number = Order.objects.get().number

    run = check(text_of(row("W-1", "NEW")))
    other = check(text_of(f"{row('W-1', quantity='3')},31.00", header=f"{HEADER},total_amount"))

    assert_told(
        run,
        f"{number}: “NEW” is no SKU that we know, and only a known one can be added",
        f"{number}: “NEW” non è uno SKU noto, e solo uno noto può essere aggiunto",
    )
    assert_told(
        other,
        f"{number}: {number} would come to 30.00, the file says 31.00",
        f"{number}: {number} verrebbe 30.00, il file dice 31.00",
    )


def test_order_that_could_not_be_taken_back() -> None:
    make_skus()
    run = apply(check(text_of(row("W-1"))))
    order = make_shipped({"MUG": 3}, goods={"MUG": 2}).order
    Order.objects.filter(pk=order.pk).update(import_run=run)
    ImportOrder.objects.filter(run=run).update(order=order)

    work(roll_back_runs([run.pk], actor=SYSTEM).only())

    run.refresh_from_db()
    assert_told(
        run,
        f"Goods of order {order.number} have left already (units: 2); use a return.",
        f"Merce dell’ordine {order.number} è già partita (pezzi: 2); serve un reso.",
        times=1,
    )
    assert sweep_roll_backs() == 0


def test_file_that_a_worker_could_not_read_through(monkeypatch: pytest.MonkeyPatch) -> None:
    run = upload(text_of(row("W-1"), row("W-2")))
    monkeypatch.setattr(rows, "MOST_ROWS", 1)

    work(start_check(run.pk, actor=SYSTEM))

    run.refresh_from_db()
    assert_told(
        run,
        "This file cannot be read: it has more than 1000000 rows; split it",
        "Il file non si può leggere: ha più di 1000000 righe: dividerlo",
        times=1,
    )


def test_words_that_are_cut_stay_readable() -> None:
    problem = Problem("refused", 1, "", "W-1", UnreadableFile("x" * 500))

    kept = problem_row(1, "W-1", problem)[-1]

    for language, begins in (
        ("en", "This file cannot be read: x"),
        ("it", "Il file non si può leggere: x"),
    ):
        with override(language):
            said = sentence(Problem("refused", 1, "", "W-1", kept))
        assert len(said.partition("; ")[2]) == 200
        assert said.partition("; ")[2].startswith(begins)

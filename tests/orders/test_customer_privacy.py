"""The customers' pages to those who may see that there are customers, and nothing of who they are."""

import re

import pytest
from django.urls import reverse

from config.kernel.actors import Actor, ActorKind
from config.kernel.admin import admin_url
from config.kernel.errors import NotAllowed
from config.kernel.models import SavedView
from orders.models import Customer, Order
from orders.neutral import NeutralBuyer
from orders.services.merging import MERGE, merge_customers
from tests.factories.orders import make_order
from tests.fulfillment.watching import nothing_written
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db

LIST = "/orders/customer/"
MERGER = Actor(ActorKind.USER, 1, "rosa", frozenset({MERGE}))
SECRETS = ("rosa", "neri", "@example.com", "765432", "verdi")
# Letters and digits by chance, which may say anything.
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


@pytest.fixture
def rosa() -> Customer:
    """With one who looks alike and one who was merged into her."""
    found = [
        make_order(buyer=NeutralBuyer(name=name, email=f"{mail}@example.com", phone=phone)).customer
        for name, mail, phone in (
            ("Rosa Neri", "rosa", "011 765432"),
            ("Rosa Verdi", "verdi", "011 765432"),
            ("Rosa N.", "n", ""),
        )
    ]
    Customer.objects.filter(pk=found[2].pk).update(merged_into=found[0].pk)
    return found[0]


def clerk(*rights: str) -> Visitor:
    return visitor("", "orders.view_customer", "orders.view_order", *rights)


def assert_tells_nobody(page: object) -> None:
    assert page.status_code == 200  # type: ignore[attr-defined]
    html = TOKEN.sub("", page.content.decode()).lower()  # type: ignore[attr-defined]
    assert [secret for secret in SECRETS if secret in html] == []


def edited(customer: Customer) -> None:
    """By its form, so that it has a history."""
    page = admin_url(Customer, "change", customer.pk)
    support = visitor("Support")
    form = support.get(page).context["adminform"].form
    values = {name: form[name].value() or "" for name in form.fields}
    assert support.post(page, {**values, "name": "Rosa Neri Verdi"}).status_code == 302


@pytest.mark.parametrize("rights", [(), ("orders.change_customer",), (MERGE,), ("orders.export_customer",)])
def test_customers_are_numbers_to_who_may_not_see_persons(rosa: Customer, rights: tuple[str, ...]) -> None:
    edited(rosa)
    client = clerk(*rights)

    pages = {
        name: client.get(admin_url(Customer, name, *key))
        for name, key in (
            ("changelist", ()), ("change", (rosa.pk,)), ("history", (rosa.pk,)), ("columns", ()),
        )
    }  # fmt: skip
    pages["merged"] = client.get(admin_url(Customer, "change", rosa.merged.get().pk))
    pages["order"] = client.get(admin_url(Order, "change", rosa.orders.order_by("pk").first().pk))
    if "orders.export_customer" in rights:
        pages["export"] = client.get(admin_url(Customer, "export"))

    for page in pages.values():
        assert_tells_nobody(page)
    for name in ("changelist", "change", "history", "order"):
        assert f"#{rosa.pk}" in text_of(pages[name]), name
    assert f"Merged into #{rosa.pk}." in text_of(pages["merged"])


def test_who_may_see_persons_reads_all_of_it(rosa: Customer) -> None:
    """The control: the same pages name her."""
    edited(rosa)
    client = clerk("orders.view_personal")

    for name, key in (("changelist", ()), ("change", (rosa.pk,)), ("history", (rosa.pk,))):
        assert "Rosa Neri Verdi" in text_of(client.get(admin_url(Customer, name, *key))), name
    listed = text_of(client.get(LIST))
    assert "rosa@example.com" in listed
    assert "011 765432" in listed
    assert "n@example.com" in text_of(client.get(admin_url(Customer, "change", rosa.pk)))


@pytest.mark.parametrize("text", ["rosa", "rosa@example.com", "n@example.com", "011", "verdi@"])
def test_customers_are_not_found_by_what_may_not_be_seen(rosa: Customer, text: str) -> None:
    shown = clerk().get(LIST, {"q": text})

    assert list(shown.context["cl"].result_list) == []
    assert clerk("orders.view_personal").get(LIST, {"q": text}).context["cl"].result_list


@pytest.mark.parametrize("rights", [(), ("orders.view_personal",)])
def test_customers_are_found_by_their_number_by_everybody(rosa: Customer, rights: tuple[str, ...]) -> None:
    found = clerk(*rights).get(LIST, {"q": f"#{rosa.pk}"}).context["cl"].result_list

    assert [row.pk for row in found] == [rosa.pk]


@pytest.mark.parametrize(
    "asked",
    [
        {"email__startswith": "rosa"},
        {"name": "Rosa Neri"},
        {"phone__contains": "011"},
        {"merged__email": "n@example.com"},
        {"orders__email": "rosa@example.com"},
        {"orders__search_text__contains": "ROSA"},
        {"addresses__city": "Torino"},
    ],
)
def test_guesses_at_customers_are_refused(rosa: Customer, asked: dict[str, str]) -> None:
    assert clerk().get(LIST, asked).status_code == 400 or "?e=1" in clerk().get(LIST, asked)["Location"]


def test_customers_are_not_sorted_by_what_may_not_be_seen(rosa: Customer) -> None:
    client = clerk()
    shown = client.get(LIST).context["cl"]

    assert list(shown.list_display) == ["customer_number", "order_count", "since"]
    user = client.session["_auth_user_id"]
    view = SavedView.objects.create(
        owner_id=user, model="orders.customer", name="Mine", query="o=1",
        columns=["known_as", "email", "customer_number"],
    )  # fmt: skip
    for place in range(-7, 8):
        listed = client.get(LIST, {"o": str(place), "view": view.pk})
        assert_tells_nobody(listed)
        sorted_by = {str(one).lstrip("-") for one in listed.context["cl"].queryset.query.order_by}
        assert sorted_by <= {"id", "pk", "orders_placed", "created_at"}, place


def test_customers_are_changed_and_merged_by_those_alone_who_may_see_persons(rosa: Customer) -> None:
    other = Customer.objects.get(email="verdi@example.com")
    client = clerk("orders.change_customer", MERGE)
    merge, change = (admin_url(Customer, name, rosa.pk) for name in ("merge", "change"))

    with nothing_written():
        page = client.get(change)
        assert merge not in page.content.decode()
        assert client.get(merge).status_code == 403
        assert client.post(merge, {"others": [other.pk]}).status_code == 403
        assert client.post(change, {"name": "", "language": "it"}).status_code == 403
        with pytest.raises(NotAllowed):
            merge_customers([other.pk], keep_id=rosa.pk, actor=MERGER)

    may = clerk("orders.change_customer", MERGE, "orders.view_personal")
    assert merge in may.get(change).content.decode()
    assert may.get(merge).status_code == 200
    assert (
        may.press(reverse("admin:orders_customer_merge", args=[rosa.pk]), others=[other.pk]).status_code
        == 302
    )

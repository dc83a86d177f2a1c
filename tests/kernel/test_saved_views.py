"""Saved views: kept, shown as tabs with counts, renamed, shared, deleted; own and shared."""

from typing import Any

import pytest

from config.kernel.models import SavedView
from orders.services.cancelling import cancel_orders
from tests.factories.orders import SYSTEM, make_order
from tests.kernel.visitor import Visitor, text_of, visitor

pytestmark = pytest.mark.django_db
LIST = "/orders/order/"
QUERY = "q=rosa&status__exact=placed"


def save(client: Visitor, name: str = "Rosa's", **more: Any) -> Any:
    return client.post(f"{LIST}views/save/?status__exact=placed&q=rosa&p=2&last=1", {"name": name, **more})


def test_view_is_offered_saved_and_shown_as_a_tab_with_its_count() -> None:
    desk = visitor("Support")
    orders = [make_order() for _number in range(3)]
    cancel_orders([orders[0].pk], reason="twice", actor=SYSTEM).only()
    offered = desk.get(f"{LIST}?{QUERY}").content.decode()
    assert f'href="{LIST}views/save/?{QUERY.replace("&", "&amp;")}"' in offered
    assert "views/save/" not in desk.get(LIST).content.decode()

    saved = save(desk)["Location"]

    view = SavedView.objects.get()
    assert saved == f"{LIST}?{QUERY}&view={view.pk}"
    assert (view.model, view.name, view.query, view.is_shared) == ("orders.order", "Rosa's", QUERY, False)
    shown = desk.get(f"{LIST}?{QUERY}")
    assert "Rosa&#x27;s" in shown.content.decode()
    assert f'href="{LIST}views/{view.pk}/"' in shown.content.decode()
    opened = desk.get(saved).content.decode()
    assert f'<a href="?{QUERY.replace("&", "&amp;")}&amp;view={view.pk}" aria-current="page">' in opened
    assert f'href="{LIST}views/{view.pk}/"' in opened
    assert "views/save/" not in opened
    assert desk.get(f"{LIST}views/").json() == {"tiles": [[saved, 2, "", ""]]}


def test_view_of_the_same_name_is_refused_and_writes_nothing() -> None:
    desk = visitor("Support")
    save(desk)

    page = desk.post(f"{LIST}views/save/?status__exact=completed", {"name": "Rosa's"})

    assert "You have a view of this name" in text_of(page)
    assert [view.query for view in SavedView.objects.all()] == [QUERY]


def test_own_view_is_renamed_and_deleted_by_its_owner_alone() -> None:
    desk, other = visitor("Support"), visitor("Support")
    save(desk)
    pk = SavedView.objects.get().pk
    for client in (other, visitor("Manager")):
        assert client.post(f"{LIST}views/{pk}/", {"name": "Mine"}).status_code == 404
        assert client.post(f"{LIST}views/{pk}/", {"delete": "1"}).status_code == 404
    assert "Rosa&#x27;s" not in other.get(LIST).content.decode()

    desk.post(f"{LIST}views/{pk}/", {"name": "Hers"})
    assert SavedView.objects.get().name == "Hers"

    gone = desk.post(f"{LIST}views/{pk}/", {"delete": "1"}, follow=True)
    assert "The view “Hers” is gone" in text_of(gone)
    assert not SavedView.objects.exists()


def test_sharing_needs_the_right_and_shows_the_view_to_others() -> None:
    desk, manager = visitor("Support"), visitor("Manager")
    save(desk, is_shared="on")
    assert SavedView.objects.get().is_shared is False

    save(manager, "Team", is_shared="on")

    assert SavedView.objects.get(name="Team").is_shared is True
    assert "Team" in text_of(desk.get(LIST))
    assert [tile[1] for tile in desk.get(f"{LIST}views/").json()["tiles"]] == [0, 0]


def test_view_whose_filter_is_no_more_is_left_out_of_the_counts() -> None:
    desk = visitor("Support")
    save(desk)
    SavedView.objects.update(query="nobody__knows=1")

    assert desk.get(f"{LIST}views/").json() == {"tiles": []}
    assert visitor("", "inventory.view_sku").get(f"{LIST}views/").status_code == 403

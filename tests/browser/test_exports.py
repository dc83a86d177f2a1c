"""An export from the list's button to the downloaded file, at the desk and on the phone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from config.kernel.models import Export
from tests.browser.conftest import DESK, PHONE, Visit
from tests.factories.imports import work
from tests.factories.orders import make_order


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_list_is_exported_and_the_file_downloaded(
    size: tuple[int, int], manager: User, beside: None, visit: Callable[..., Visit], tmp_path: Path
) -> None:
    numbers = {make_order().number for _number in range(2)}
    window = visit(size, user=manager)
    page = window.open("/orders/order/?status__exact=placed")

    page.get_by_role("link", name="Export…").click()
    page.wait_for_url("**/export/**")
    assert window.sideways() == 0
    page.get_by_role("button", name="Export").click()
    page.wait_for_url("**/kernel/export/*/change/**")
    assert window.sideways() == 0
    export = Export.objects.get()
    work(export.job_id or 0)
    # The page looks again by itself.
    expect(page.get_by_role("button", name="Download")).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download").click()

    path = tmp_path / "orders.csv"
    downloading.value.save_as(path)
    assert export.query == "status__exact=placed"
    assert {line.split(",")[0] for line in path.read_text("utf-8-sig").splitlines()[1:]} == numbers
    assert window.complaints == []

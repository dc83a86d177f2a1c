"""A list without rows says what will stand there and how it comes about."""

from django.contrib import admin

from config.kernel.admin import BancaleAdmin


def test_every_list_of_ours_teaches_while_it_is_empty() -> None:
    pages = [page for page in admin.site._registry.values() if isinstance(page, BancaleAdmin)]

    silent = [page.opts.label for page in pages if not str(page.empty_text)]

    assert len(pages) > 30
    assert silent == []

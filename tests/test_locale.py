"""Italian is complete: every string is found, translated with its placeholders, and compiled."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polib
import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.utils import flatten
from django.utils.functional import Promise

from tests import strings

CATALOGUES = sorted(Path(settings.LOCALE_PATHS[0]).glob("*/LC_MESSAGES/*.po"))
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd%]|\{\w*\}")
REFRESH = "run `manage.py catalogue` and translate what it names"


def every_catalogue(domain: str = "*") -> list[Any]:
    """Our own strings are "django"; "djangojs" has what Django's scripts say."""
    paths = [path for path in CATALOGUES if path.match(f"{domain}.po")]
    return [pytest.param(polib.pofile(str(path)), id=f"{path.parts[-3]}-{path.stem}") for path in paths]


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


@pytest.mark.parametrize("catalogue", every_catalogue("django"))
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


def test_every_model_has_a_name_of_its_own() -> None:
    """Its permissions are chosen by that name."""
    rooms = [app for app in apps.get_app_configs() if app.name.split(".")[0] in strings.ROOMS]
    named = {model._meta.label: model._meta.verbose_name for app in rooms for model in app.get_models()}
    assert [label for label, name in named.items() if not isinstance(name, Promise)] == []


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

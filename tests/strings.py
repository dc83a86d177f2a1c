"""Finds the translatable strings of the product without gettext's tools, and the English that nobody marked."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).parent.parent
ROOMS = ("config", "inventory", "orders", "fulfillment", "returns", "channels")

# Which argument is the msgid, which its plural, which its context.
FUNCTIONS = {
    "gettext": (0, None, None),
    "gettext_noop": (0, None, None),
    "ngettext": (0, 1, None),
    "pgettext": (1, None, 0),
    "npgettext": (1, 2, 0),
}
FUNCTIONS |= {f"{name}_lazy": places for name, places in FUNCTIONS.items() if name != "gettext_noop"}
# What a reader sees, wherever it is passed by this name.
SPOKEN_KEYWORDS = frozenset(
    ("verbose_name", "verbose_name_plural", "help_text", "label", "description", "search_help_text")
).union(("empty_title", "empty_text", "success", "undo", "done", "effect", "site_title", "index_title"))
SPOKEN_ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "aria-description")
# The same in every language.
NAMES = frozenset(("Bancale", "Ctrl"))
_LITERAL = r"u?(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
_CALL = re.compile(rf"\b(_|n?p?gettext)\(\s*({_LITERAL}(?:\s*,\s*{_LITERAL})*)")
_WORD = re.compile(r"[^\W\d_]{2,}")

Found = tuple[str, str, str]  # context, msgid, plural


def modules() -> list[Path]:
    """Every module of the product; migrations repeat what the models say."""
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    return sorted(path for path in paths if "migrations" not in path.parts)


def templates() -> list[Path]:
    folders = [ROOT / "templates", *(ROOT / room / "templates" for room in ROOMS)]
    return sorted(
        path for folder in folders for path in folder.rglob("*") if path.suffix in (".html", ".txt")
    )


def of_module(path: Path) -> Iterator[Found]:
    tree = ast.parse(path.read_text())
    named = _imported(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in named:
            found = _found(named[node.func.id], [_constant(argument) for argument in node.args])
            if found[1]:  # a name holds a string that is marked where it is written
                yield found


def _imported(tree: ast.Module) -> dict[str, str]:
    return {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation"
        for alias in node.names
        if alias.name in FUNCTIONS
    }


def _constant(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _found(function: str, arguments: list[str]) -> Found:
    singular, plural, context = FUNCTIONS[function]
    return (
        arguments[context] if context is not None else "",
        arguments[singular],
        arguments[plural] if plural is not None else "",
    )


def of_template(path: Path) -> Iterator[Found]:
    """Read as `makemessages` does: Django itself turns the tags into calls."""
    for function, arguments in _CALL.findall(templatize(path.read_text())):
        values = [ast.literal_eval(literal) for literal in re.findall(_LITERAL, arguments)]
        yield _found("gettext" if function == "_" else function, values)


def every_string() -> set[Found]:
    found = {string for path in modules() for string in of_module(path)}
    return found | {string for path in templates() for string in of_template(path)}


def bare_english_of_module(path: Path) -> Iterator[str]:
    """Words given to a reader without a translation: by keyword, as a field's first argument, as a message."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        spoken = [keyword.value for keyword in node.keywords if keyword.arg in SPOKEN_KEYWORDS]
        called = ast.unparse(node.func)
        if re.fullmatch(r"models\.\w*Field", called):
            spoken += node.args[:1]
        elif re.fullmatch(r"messages\.(success|info|warning|error)", called):
            spoken += node.args[1:2]
        elif called in ("ValidationError", "forms.ValidationError"):
            spoken += node.args[:1]
        for value in spoken:
            if _WORD.search(text := _constant(value)):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {text!r}"


def bare_english_of_template(path: Path) -> Iterator[str]:
    """Text nodes and spoken attributes that hold letters outside of a translation."""
    text = path.read_text()
    blocks = r"\{%-?\s*(comment|blocktranslate|blocktrans|verbatim)\b.*?\{%\s*end\1\s*%\}"
    classes = r"\{%\s*block (?:bodyclass|coltype)\s*%\}.*?\{%\s*endblock[^%]*%\}"
    text = re.sub(f"{blocks}|{classes}", " ", text, flags=re.S)
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", text, flags=re.S)
    if path.suffix == ".txt":
        texts = text.splitlines()
    else:
        reader = _Reader()
        reader.feed(text)
        texts = reader.texts
    for said in texts:
        if set(_WORD.findall(said)) - NAMES:
            yield f"{path.relative_to(ROOT)} {said.strip()!r}"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in ("script", "style")
        self.texts += [value for name, value in attrs if name in SPOKEN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.texts.append(data)

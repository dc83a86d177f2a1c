"""`manage.py catalogue`: collect every string of the product, and compile what is translated."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser

# Found from the folder of manage.py; what lies there and is not the product's own text is passed over.
IGNORED = (".venv/*", ".data/*", "tests/*")
WRAP = 100


class Command(BaseCommand):
    help = (
        "Collects the strings of code and templates into config/locale/*/LC_MESSAGES/django.po and compiles "
        "them, with djangojs.po beside it: what Django's scripts say and Django does not translate. Collecting "
        "needs xgettext; compiling does not. Ends with 1 while a string has no translation."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--compile", action="store_true", help="only compile, for a machine without gettext's tools"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.LOCALE_PATHS[0])
        languages = sorted(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/django.po"))
        if not options["compile"]:
            call_command(
                "makemessages",
                locale=languages,
                ignore_patterns=list(IGNORED),
                no_location=True,
                no_obsolete=True,
                verbosity=0,
            )
        left = sum(self._compile(path) for path in sorted(folder.glob("*/LC_MESSAGES/*.po")))
        if left:
            raise CommandError(f"{left} strings have no translation.")

    def _compile(self, path: Path) -> int:
        """Write the .mo beside the .po; the answer is how many strings are left to translate."""
        import polib  # a tool of development: the product runs without it

        catalogue = polib.pofile(str(path), wrapwidth=WRAP)
        # The only line that changes when nothing has.
        catalogue.metadata.pop("POT-Creation-Date", None)
        for entry in catalogue.fuzzy_entries():
            # gettext's guess from a similar string; an empty translation is at least not wrong.
            entry.flags.remove("fuzzy")
            entry.msgstr, entry.msgstr_plural = "", dict.fromkeys(entry.msgstr_plural, "")
            entry.previous_msgctxt = entry.previous_msgid = entry.previous_msgid_plural = None
        catalogue.save()
        catalogue.save_as_mofile(str(path.with_suffix(".mo")))
        left = [entry for entry in catalogue if not entry.translated()]
        for entry in left:
            self.stdout.write(f"{path.parent.parent.name}: {entry.msgid}")
        self.stdout.write(f"{path.parent.parent.name}: {len(catalogue)} strings, {len(left)} to translate")
        return len(left)

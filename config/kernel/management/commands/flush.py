from typing import Any

from django.core.management.commands.flush import Command as DjangoFlush

from config.kernel.triggers import suspended


class Command(DjangoFlush):
    """Django's flush, with the append-only triggers lifted while it runs (tests and `demo --reset`)."""

    def handle(self, **options: Any) -> None:
        with suspended():
            super().handle(**options)

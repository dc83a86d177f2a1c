from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReturnsConfig(AppConfig):
    name = "returns"
    verbose_name = _("Returns")

    def ready(self) -> None:
        from returns import invariants, states  # noqa: F401  (registers checks and machines)
        from returns.selectors import sight  # noqa: F401  (declares who sees what)

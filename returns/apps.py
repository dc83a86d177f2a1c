from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReturnsConfig(AppConfig):
    name = "returns"
    verbose_name = _("Returns")

    def ready(self) -> None:
        from inventory.undecided import register_undecided
        from inventory.uses import register_uses
        from returns import invariants, states, subscribers  # noqa: F401  (registers checks and machines)
        from returns.selectors import sight  # noqa: F401  (declares who sees what)
        from returns.selectors.quarantine import units_to_inspect
        from returns.selectors.sku_use import skus_expected_back

        register_uses(skus_expected_back)
        register_undecided(units_to_inspect)
        subscribers.register()

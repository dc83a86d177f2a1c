"""Who does something: a person, a channel, a rule or the system itself."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import NotAllowed

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser


class ActorKind(TextChoices):
    USER = "user", _("Person")
    CHANNEL = "channel", _("Channel")
    BUYER = "buyer", _("Buyer")
    RULE = "rule", _("Rule")
    SYSTEM = "system", _("System")


@dataclass(frozen=True, slots=True)
class Actor:
    """`permissions` None means that no person's rights limit the act (system, rule, channel, superuser)."""

    kind: ActorKind
    id: int | None = None
    label: str = ""
    permissions: frozenset[str] | None = None

    @classmethod
    def for_user(cls, user: "AbstractUser") -> Self:
        permissions = None if user.is_superuser else frozenset(user.get_all_permissions())
        return cls(ActorKind.USER, user.pk, user.get_username(), permissions)

    @classmethod
    def system(cls, label: str) -> Self:
        return cls(ActorKind.SYSTEM, None, label)

    @classmethod
    def channel(cls, pk: int, label: str) -> Self:
        return cls(ActorKind.CHANNEL, pk, label)

    @classmethod
    def rule(cls, label: str) -> Self:
        return cls(ActorKind.RULE, None, label)

    def may(self, permission: str) -> bool:
        return self.permissions is None or permission in self.permissions

    def require(self, permission: str) -> None:
        """Refuses with `NotAllowed` before anything was read or written."""
        if not self.may(permission):
            raise NotAllowed(permission=permission)

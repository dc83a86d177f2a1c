"""Who does something: a person, a channel, a rule or the system itself."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser


class ActorKind(TextChoices):
    USER = "user", _("Person")
    CHANNEL = "channel", _("Channel")
    BUYER = "buyer", _("Buyer")
    RULE = "rule", _("Rule")
    SYSTEM = "system", _("System")


PlacesOf = Callable[[Any], frozenset[int] | None]
_places_of: list[PlacesOf] = []


def register_places(places_of: PlacesOf) -> None:
    """Name who knows the locations that a person is bound to (None: to none); one statement a person."""
    _places_of[:] = [places_of]


def places_of(user: Any) -> frozenset[int] | None:
    """The locations a person is bound to, None for the whole business; asked once an instance."""
    if user.is_superuser or not _places_of:
        return None
    if not hasattr(user, "_bancale_places"):
        user._bancale_places = _places_of[0](user)
    found: frozenset[int] | None = user._bancale_places
    return found


@dataclass(frozen=True, slots=True)
class Actor:
    """`permissions` None means that no person's rights limit the act (system, rule, channel, superuser).

    `locations` None means that the actor sees the whole business, else rows of these locations only.
    """

    kind: ActorKind
    id: int | None = None
    label: str = ""
    permissions: frozenset[str] | None = None
    locations: frozenset[int] | None = None

    @classmethod
    def for_user(cls, user: "AbstractUser") -> Self:
        permissions = None if user.is_superuser else frozenset(user.get_all_permissions())
        return cls(ActorKind.USER, user.pk, user.get_username(), permissions, places_of(user))

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

    def sees_place(self, location_id: int | None) -> bool:
        return self.locations is None or location_id in self.locations

    def require_place(self, location_id: int | None) -> None:
        """Refuses a location that the actor does not see with `NotFound`, the answer to one that does not exist."""
        if not self.sees_place(location_id):
            raise NotFound(location_id=location_id)

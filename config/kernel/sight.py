"""Who sees which of the kernel's own rows, and which people: the system belongs to those whom nothing bounds."""

from django.db.models import Q

from config.kernel.actors import Actor, ActorKind
from config.kernel.visibility import see, see_all, unbounded

ALL_JOBS = "kernel.change_job"
ALL_EXPORTS = "kernel.change_export"


def _own(actor: Actor) -> Q:
    return Q(actor_kind=ActorKind.USER, actor_id=actor.id)


def _events(actor: Actor) -> Q | None:
    return None if actor.locations is None else _own(actor)


def _jobs(actor: Actor) -> Q | None:
    """Everybody's for those who may stop and repeat them, else one's own."""
    return None if actor.locations is None and actor.may(ALL_JOBS) else _own(actor)


def _exports(actor: Actor) -> Q | None:
    """One's own; everybody's for managers of the whole business."""
    return None if actor.locations is None and actor.may(ALL_EXPORTS) else _own(actor)


def _people(actor: Actor) -> Q | None:
    """Superusers are seen by superusers only, so that nobody below sets their password."""
    return None if actor.permissions is None else Q(is_superuser=False)


see("kernel.event", _events)
see("kernel.job", _jobs)
see("kernel.export", _exports)
see("kernel.delivery", unbounded)
see("kernel.fact", unbounded)
see_all("kernel.heartbeat", "auth.group")
see("auth.user", _people)

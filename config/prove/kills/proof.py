"""The proof from the first order to the verdict."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.db import SessionStore

from config.access.sessions import BEGAN, SEEN
from config.celery import app
from config.kernel import clock, outbox
from config.kernel.enums import DeliveryState
from config.kernel.models import Attempt, Delivery
from config.prove.database import CannotProve
from config.prove.figures import Figures
from config.prove.kills import faults, hasty, healing, verdict
from config.prove.kills.clients import Browser, Client, History, Unknown
from config.prove.kills.stage import Stage
from config.prove.shop import Shop, open_shop
from orders.enums import ChannelKind
from orders.models import SalesChannel

SKUS, UNITS = 20, 100_000
SECONDS_TO_START = 60
CONTROL_KILLS = 4
GROUP = "Support"


@dataclass(frozen=True, slots=True)
class Plan:
    """`is_hasty`: short leases and sweeps. `is_control`: no beat, and workers that never look after the dead."""

    counts: faults.Counts
    clients: int
    seed: int
    is_hasty: bool = False
    is_control: bool = False

    @property
    def app(self) -> str:
        """The module of the workers' Celery app."""
        if self.is_control:
            return "config.prove.kills.unswept"
        return "config.prove.kills.hasty" if self.is_hasty else "config"

    @property
    def sweep(self) -> float:
        return float(
            hasty.SWEEP_SECONDS if self.is_hasty else app.conf.beat_schedule["deliver-outbox"]["schedule"]
        )


def prove(stage: Stage, plan: Plan) -> Iterator[Figures]:
    """Sell under faults, heal, and judge."""
    if plan.is_hasty:
        hasty.hurry()
    history, dice = History(), random.Random(plan.seed)
    clients = _clients(stage, history, plan)
    stage.services.web.start()
    stage.services.worker.start()
    if not plan.is_control:
        stage.services.beat.start()
    with _selling(stage, clients):
        strikes = _strike(stage, history, plan, dice)
        time.sleep(1)
    ended = time.monotonic()
    patience = 10 if plan.is_control else 2 * outbox.LEASE.total_seconds() + 300
    repeated = healing.Repeated() if plan.is_control else healing.repeat_unknown(history, clients[0].browser)
    is_at_rest = healing.wait_for(lambda: not healing.owed(), patience) is not None
    seconds = time.monotonic() - ended
    mails = healing.settle_mails(stage.mailbox.received, patience)
    yield verdict.strikes_table(strikes, sweep=plan.sweep)
    yield verdict.requests_table(history, repeated)
    figures = verdict.effects_table(history, stage.mailbox.received, mails)
    figures.show("at rest after the last order", f"{seconds:.1f} s" if is_at_rest else "never")
    yield figures


def _strike(stage: Stage, history: History, plan: Plan, dice: random.Random) -> faults.Strikes:
    if not plan.is_control:
        return faults.strike_all(stage, history, faults.chosen(plan.counts, dice), dice)
    for _kill in range(CONTROL_KILLS):
        healing.wait_for(lambda: Delivery.objects.filter(state=DeliveryState.IN_FLIGHT).exists(), 20)
        stage.services.worker.kill_whole()
        stage.services.worker.start()
    stage.flush_redis()
    return faults.Strikes()


@contextmanager
def _selling(stage: Stage, clients: list[Client]) -> Iterator[None]:
    """Clients at work, once the web answers and a worker has done something."""
    if healing.wait_for(lambda: _answers(clients[0].browser), SECONDS_TO_START) is None:
        raise CannotProve(f"The web process did not start: {_last_words(stage)}")
    for client in clients:
        client.start()
    try:
        ended = Attempt.objects.filter(ended_at__isnull=False)
        if healing.wait_for(ended.exists, SECONDS_TO_START) is None:
            raise CannotProve(f"The worker did not start: {_last_words(stage)}")
        yield
    finally:
        for client in clients:
            client.is_over.set()
        for client in clients:
            client.join(60)


def _answers(browser: Browser) -> bool:
    try:
        return browser.get("/healthz").status == 200
    except Unknown:
        return False


def _last_words(stage: Stage) -> str:
    logs = (stage.services.web.log, stage.services.worker.log)
    return " / ".join(line for log in logs for line in log.read_text(errors="replace").splitlines()[-3:])


def _clients(stage: Stage, history: History, plan: Plan) -> list[Client]:
    shop = open_shop(locations=1)
    skus = shop.new_skus(SKUS)
    shop.receive(dict.fromkeys(skus.values(), UNITS))
    user = get_user_model().objects.create_user("proof", is_staff=True)
    user.groups.add(Group.objects.get(name=GROUP))
    channels = (_channel_with_rule(shop).pk, shop.channel_id)
    return [
        Client(
            Browser(stage.services.address, _session(user)),
            history,
            random.Random(f"{plan.seed} client {number}"),
            (sorted(skus), *channels),
        )
        for number in range(plan.clients)
    ]


def _channel_with_rule(shop: Shop) -> SalesChannel:
    entity = SalesChannel.objects.get(pk=shop.channel_id).legal_entity
    return SalesChannel.objects.create(
        code="rule", name="Rule", kind=ChannelKind.PHONE, legal_entity=entity, auto_confirm=True
    )


def _session(user: object) -> str:
    """A session as the login page leaves it."""
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)  # type: ignore[attr-defined]
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()  # type: ignore[attr-defined]
    session[BEGAN] = session[SEEN] = clock.now().timestamp()
    session.save()
    return str(session.session_key)

"""The mail about low stock: one a follower and hour, each alert once, whatever comes twice or breaks."""

import smtplib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import OperationalError

from config.kernel import clock, outbox
from config.kernel.actors import Actor, ActorKind
from config.kernel.enums import DeliveryState
from config.kernel.errors import NotAllowed
from config.kernel.models import Delivery
from inventory.models import (
    AlertDigest,
    AlertFollower,
    AlertNotice,
    Location,
    LowStockAlert,
    StaffLocation,
)
from inventory.services import digests
from inventory.services.alerts import acknowledge_alerts
from inventory.services.digests import prepare_digests
from inventory.services.policies import LevelPolicy, set_policies
from inventory.tasks import sweep_digests
from tests.factories.inventory import ACTOR, make_level, make_location, make_sku, receive

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = timedelta(minutes=20)


def follow(name: str = "anna", *places: Location, language: str = "en", **fields: Any) -> AlertFollower:
    given = {"email": f"{name}@example.com", "is_staff": True, "is_superuser": True, **fields}
    user = get_user_model().objects.create_user(name, password="x", **given)
    follower = AlertFollower.objects.create(user=user, language=language)
    follower.locations.set(places)
    return follower


def fall_low(code: str, place: Location, minute: int = 30) -> LowStockAlert:
    """A level of three with a reorder point of five, low since so many minutes past eleven."""
    sku = make_sku(code, f"Goods {code}")
    make_level(sku, place, 3)
    with clock.frozen(NOON - timedelta(hours=1) + timedelta(minutes=minute)):
        policy = LevelPolicy(sku.pk, place.pk, reorder_point=5, target=1200)
        set_policies([policy], actor=ACTOR).raise_refusals()
        outbox.deliver_due("work")
    return LowStockAlert.objects.get(level__sku=sku)


def send(at: datetime = NOON + timedelta(minutes=1)) -> list[mail.EmailMultiAlternatives]:
    """Let the sweep and the mail lane run; the mails that left."""
    before = len(mail.outbox)
    with clock.frozen(at):
        sweep_digests()
        outbox.deliver_due("mail")
    return mail.outbox[before:]


@pytest.fixture
def milano(db: None) -> Location:
    return make_location("MI", name="Milano")


def test_digest_lists_new_alerts_once_in_one_mail(milano: Location) -> None:
    follow()
    first, second = fall_low("CUP", milano), fall_low("MUG", milano)

    (message,) = send()

    assert (message.to, message.subject) == (["anna@example.com"], "2 SKUs are low")
    for words in (
        "CUP · Goods CUP",
        "Milano: 3 left, reorder point 5, target 1,200",
        f"/{second.pk}/change/",
    ):
        assert words in message.body
    html = message.alternatives[0][0]
    assert "Goods MUG" in html
    assert "3 left, reorder point 5" in html
    assert AlertDigest.objects.get().sent_at is not None
    assert send() == send(NOON + timedelta(hours=1, minutes=1)) == []
    assert sorted(AlertNotice.objects.values_list("alert_id", flat=True)) == [first.pk, second.pk]


def test_alert_raised_in_this_hour_is_told_in_the_next(milano: Location) -> None:
    follow()
    fall_low("CUP", milano, minute=60)

    assert send() == []
    (message,) = send(NOON + timedelta(hours=1))
    assert message.subject == "1 SKU is low"


def test_digest_speaks_the_followers_language(milano: Location) -> None:
    follow(language="it")
    fall_low("CUP", milano)

    (message,) = send()

    assert message.subject == "1 SKU sta finendo"
    assert "Milano: ne restano 3, punto di riordino 5, obiettivo 1.200" in message.body


def follow_at(place: Location, name: str, *chosen: Location) -> AlertFollower:
    """Somebody who is bound to a location and may see alerts there."""
    follower = follow(name, *chosen, is_superuser=False)
    follower.user.user_permissions.add(Permission.objects.get(codename="view_lowstockalert"))
    StaffLocation.objects.create(user=follower.user, location=place)
    return follower


def test_follower_who_is_bound_to_a_location_hears_of_no_other(milano: Location) -> None:
    torino = make_location("TO", name="Torino")
    follow_at(torino, "anna")
    follow_at(torino, "bruno", milano)
    follow_at(torino, "carla", milano, torino)
    fall_low("CUP", milano)
    fall_low("MUG", torino)

    told = {message.to[0]: message.body for message in send()}

    assert set(told) == {"anna@example.com", "carla@example.com"}
    assert all("MUG" in body and "CUP" not in body for body in told.values())


def test_follower_who_was_bound_after_the_mail_was_due_hears_of_no_other(milano: Location) -> None:
    follower = follow_at(milano, "anna")
    fall_low("CUP", milano)
    with clock.frozen(NOON + timedelta(minutes=1)):
        sweep_digests()
    StaffLocation.objects.filter(user=follower.user).update(location=make_location("TO"))

    assert send(NOON + timedelta(minutes=2)) == []


def test_follower_of_a_location_hears_of_that_one_alone(milano: Location) -> None:
    torino = make_location("TO", name="Torino")
    follow("anna", torino)
    follow("bruno", torino, milano)
    follow("carla")
    fall_low("CUP", milano)
    fall_low("MUG", torino)

    told = {message.to[0]: message.subject for message in send()}

    assert told == {
        "anna@example.com": "1 SKU is low",
        "bruno@example.com": "2 SKUs are low",
        "carla@example.com": "2 SKUs are low",
    }


def test_nobody_is_told_without_address_right_or_account(milano: Location) -> None:
    follow("anna", email="")
    follow("bruno", is_superuser=False)
    follow("carla", is_active=False)
    fall_low("CUP", milano)

    assert send() == []
    assert AlertDigest.objects.count() == 0


def test_what_is_acknowledged_before_the_hour_is_not_told(milano: Location) -> None:
    follow()
    alert = fall_low("CUP", milano)
    acknowledge_alerts([alert.pk], reason="Ordered", actor=ACTOR).raise_refusals()

    assert send() == []


def test_what_has_come_before_the_mail_leaves_is_not_told(milano: Location) -> None:
    follow()
    alert = fall_low("CUP", milano)
    with clock.frozen(NOON):
        sweep_digests()
        receive(alert.level.sku, milano, 10)
        outbox.deliver_due("work")

    assert send() == []
    delivery = Delivery.objects.get(lane="mail")
    assert (delivery.state, delivery.last_error) == (DeliveryState.SUPPRESSED, "nothing is low any more")


def test_server_that_refuses_is_asked_again(milano: Location, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: EmailBackend, messages: Any) -> int:
        raise smtplib.SMTPDataError(451, b"later")

    follow()
    fall_low("CUP", milano)
    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        assert send() == []
    assert Delivery.objects.get(lane="mail").state == DeliveryState.FAILED
    assert AlertDigest.objects.get().sending_at is None

    assert len(send(NOON + LATER)) == 1


def test_mail_that_could_not_be_written_is_tried_again(
    milano: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_given: Any) -> Any:
        raise OperationalError("the connection is lost")

    follow()
    fall_low("CUP", milano)
    with monkeypatch.context() as patched:
        patched.setattr(digests, "write_digest", away)
        assert send() == []
    assert Delivery.objects.get(lane="mail").state == DeliveryState.FAILED

    assert len(send(NOON + LATER)) == 1
    assert Delivery.objects.get(lane="mail").state == DeliveryState.DELIVERED


def test_worker_that_died_after_sending_is_not_repeated(
    milano: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(self: EmailBackend, messages: Any) -> int:
        mail.outbox.extend(messages)
        raise TimeoutError

    follow()
    fall_low("CUP", milano)
    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", lose)
        assert len(send()) == 1

    assert Delivery.objects.get(lane="mail").state == DeliveryState.UNKNOWN
    assert send(NOON + LATER) == []


def test_prepare_digests_twice_refusals_and_rights(milano: Location) -> None:
    follower = follow()
    fall_low("CUP", milano)
    clerk = Actor(ActorKind.USER, 1, "clerk", frozenset())

    with clock.frozen(NOON):
        results = prepare_digests([follower.pk, 404], actor=ACTOR)
        again = prepare_digests([follower.pk], actor=ACTOR)

    assert (results.done_ids, results.refusals[404].code) == ([follower.pk], "not_found")
    assert again.unchanged_ids == [follower.pk]
    assert Delivery.objects.filter(lane="mail").count() == 1
    with pytest.raises(NotAllowed):
        prepare_digests([follower.pk], actor=clerk)


@pytest.mark.parametrize("lost", [{"is_active": False}, {"is_superuser": False}])
def test_who_lost_account_or_right_after_the_mail_was_due_hears_nothing(
    milano: Location, lost: dict[str, bool]
) -> None:
    follower = follow()
    fall_low("CUP", milano)
    with clock.frozen(NOON):
        sweep_digests()
    get_user_model().objects.filter(pk=follower.user_id).update(**lost)

    assert send() == []
    delivery = Delivery.objects.get(lane="mail")
    assert (delivery.state, delivery.last_error) == (
        DeliveryState.SUPPRESSED,
        "this person may not see low stock any more",
    )

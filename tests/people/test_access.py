"""Who gets in: guessed passwords, second factors, sessions that end, and the proof that sensitive acts ask for."""

import re
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.access.factors import check_code, confirm_device, pending_device
from config.access.lockout import MANY
from config.kernel import clock
from config.kernel.actors import Actor
from config.kernel.admin import admin_url
from config.kernel.models import Event, RecoveryCode, StaffSession
from config.tasks import sweep_access
from tests.kernel.visitor import Visitor, hidden, text_of, visitor

pytestmark = pytest.mark.django_db
PASSWORD = "scaffale-nastro-7"
# Seconds that the door stays closed after a wrong code: no machine is so slow that it opens during a test.
SLOW = 600


@pytest.fixture
def nina() -> Any:
    return get_user_model().objects.create_user("nina", password=PASSWORD, is_staff=True)


def log_in(client: Client, password: str = PASSWORD, name: str = "nina", **extra: Any) -> Any:
    data = {"username": name, "password": password, "next": "/"}
    return client.post(reverse("admin:login"), data, **extra)


def kinds(user: Any) -> list[str]:
    rows = Event.objects.filter(subject_type="user", subject_id=user.pk).order_by("pk")
    return list(rows.values_list("kind", flat=True))


def token(device: TOTPDevice, steps: int = 0) -> str:
    return f"{totp(device.bin_key, drift=steps):06}"


def enrolled(user: Any) -> tuple[TOTPDevice, list[str]]:
    device = pending_device(user)
    codes = confirm_device(user, token(device), actor=Actor.for_user(user))
    assert codes is not None
    device.refresh_from_db()
    return device, codes


def later(seconds: float) -> Any:
    return clock.frozen(clock.now() + timedelta(seconds=seconds))


# Guessed passwords


def test_sixth_failure_is_refused_even_with_the_right_password_and_another_address_still_works(
    nina: Any,
) -> None:
    client = Client()

    answers = [log_in(client, "wrong").status_code for _try in range(5)]
    locked = log_in(client)
    elsewhere = log_in(Client(), REMOTE_ADDR="192.0.2.9")

    assert answers == [200, 200, 200, 200, 429]
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert "Too many tries" in text_of(locked)
    assert elsewhere.status_code == 302
    assert kinds(nina) == ["locked_out"]


def test_forged_forwarding_header_neither_opens_nor_hides(nina: Any) -> None:
    for number in range(5):
        log_in(Client(), "wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")

    assert log_in(Client(), HTTP_X_FORWARDED_FOR="198.51.100.99").status_code == 429


def test_trusted_proxy_tells_the_address_from_the_right(nina: Any, settings: Any) -> None:
    settings.PROXY_COUNT = 1
    for number in range(5):
        log_in(Client(), "wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}, 203.0.113.5")

    assert log_in(Client(), HTTP_X_FORWARDED_FOR="203.0.113.5").status_code == 429
    assert log_in(Client(), HTTP_X_FORWARDED_FOR="203.0.113.5, 203.0.113.6").status_code == 302


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("unknown", "127.0.0.1"),
        ("_hidden", "127.0.0.1"),
        ("9" * 90, "127.0.0.1"),
    ],
)
def test_log_in_succeeds_whatever_a_proxy_says_of_the_address(
    settings: Any, nina: Any, told: str, kept: str
) -> None:
    settings.PROXY_COUNT = 1
    client = Client()

    log_in(client, "wrong", headers={"x-forwarded-for": f"198.51.100.1, {told}"})
    assert AccessAttempt.objects.get().ip_address == kept
    answer = log_in(client, headers={"x-forwarded-for": f"198.51.100.1, {told}"})

    assert answer.status_code == 302
    assert StaffSession.objects.get().address == kept


@pytest.mark.parametrize("reached", ["", "unix:"])
def test_log_in_succeeds_through_a_socket_without_an_address(nina: Any, reached: str) -> None:
    assert log_in(Client(), "wrong", REMOTE_ADDR=reached).status_code == 200
    assert log_in(Client(), REMOTE_ADDR=reached).status_code == 302
    assert StaffSession.objects.get().address == ""


def test_many_addresses_slow_a_name_down_but_not_where_it_is_known(nina: Any) -> None:
    assert log_in(Client(), REMOTE_ADDR="192.0.2.1").status_code == 302
    for number in range(MANY):
        log_in(Client(), "wrong", REMOTE_ADDR=f"198.51.100.{number}")

    assert log_in(Client(), REMOTE_ADDR="198.51.100.200").status_code == 429
    assert log_in(Client(), REMOTE_ADDR="192.0.2.1").status_code == 302


def test_failed_attempts_keep_no_password(nina: Any) -> None:
    log_in(Client(), "wrong-but-close")

    assert "wrong-but-close" not in AccessAttempt.objects.get().post_data


# Sessions


def test_session_ends_after_half_an_hour_without_use_and_after_twelve_hours_with(nina: Any) -> None:
    idle, busy = Client(), Client()
    for client in (idle, busy):
        client.force_login(nina)
    home = reverse("admin:index")

    with later(31 * 60):
        ended = idle.get(home)
    for minutes in range(20, 12 * 60, 20):
        with later(minutes * 60):
            assert busy.get(home).status_code == 200
    with later(12 * 3600 + 1):
        over = busy.get(home)

    for answer in (ended, over):
        assert answer.status_code == 302
        assert answer["Location"].endswith("&ended=1")


def test_page_that_polls_does_not_keep_a_session_alive(nina: Any) -> None:
    client = Client()
    client.force_login(nina)

    with later(20 * 60):
        assert client.get(reverse("admin:queues")).status_code == 200
    with later(31 * 60):
        assert client.get(reverse("admin:index")).status_code == 302


def test_disabled_person_is_out_at_once(nina: Any) -> None:
    client = Client()
    client.force_login(nina)
    nina.is_active = False
    nina.save()

    assert client.get(reverse("admin:index")).status_code == 302


def test_new_password_ends_every_other_session(nina: Any) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        client.force_login(nina)

    new = {"old_password": PASSWORD, "new_password1": "pallet-cassa-9", "new_password2": "pallet-cassa-9"}
    here.post(reverse("admin:password_change"), new)

    assert here.get(reverse("admin:index")).status_code == 200
    assert there.get(reverse("admin:index")).status_code == 302
    assert kinds(nina) == ["password_set"]


@pytest.mark.parametrize("by_page", [True, False], ids=["own page", "page of a person"])
def test_session_that_set_a_new_password_is_still_shown_and_ended_from_elsewhere(by_page: bool) -> None:
    boss = get_user_model().objects.create_superuser("boss", password=PASSWORD)
    here, there = Client(), Client()
    here.force_login(boss)
    new = {"new_password1": "pallet-cassa-9", "new_password2": "pallet-cassa-9"}

    if by_page:
        here.post(reverse("admin:password_change"), {"old_password": PASSWORD, **new})
    else:
        typed = {"password1": "pallet-cassa-9", "password2": "pallet-cassa-9"}
        here.post(reverse("admin:auth_user_password_change", args=[boss.pk]), typed)
    shown = here.get(reverse("admin:account")).context["sessions"]
    boss.refresh_from_db()
    there.force_login(boss)
    there.post(reverse("admin:end_session"))

    assert [one["is_this"] for one in shown] == [True]
    assert here.get(reverse("admin:index")).status_code == 302


def test_person_ends_one_of_their_own_sessions_and_nobody_elses(nina: Any) -> None:
    other = get_user_model().objects.create_user("otto", is_staff=True)
    here, there, ottos = Client(), Client(), Client()
    for client, user in ((here, nina), (there, nina), (ottos, other)):
        client.force_login(user)
    rows = {row.session_key: row.pk for row in StaffSession.objects.all()}
    key = str(there.session.session_key)

    here.post(reverse("admin:end_session"), {"session": rows[str(ottos.session.session_key)]})
    assert ottos.get(reverse("admin:index")).status_code == 200
    here.post(reverse("admin:end_session"), {"session": rows[key]})

    assert there.get(reverse("admin:index")).status_code == 302
    assert here.get(reverse("admin:account")).status_code == 200
    assert not Session.objects.filter(session_key=key).exists()


def test_old_access_is_forgotten_and_a_living_session_stays(nina: Any) -> None:
    client = Client()
    with clock.frozen(clock.now() - timedelta(days=91)):
        Client().force_login(nina)
    log_in(client)
    log_in(Client(), "wrong")
    AccessAttempt.objects.update(attempt_time=clock.now() - timedelta(days=91))

    sweep_access()
    sweep_access()

    assert StaffSession.objects.count() == 1
    assert not AccessAttempt.objects.exists()
    assert client.get(reverse("admin:index")).status_code == 200


# Second factor


def test_factor_is_set_up_by_a_first_code_and_codes_are_shown_once(nina: Any) -> None:
    client, other = Client(), Client()
    for one in (client, other):
        one.force_login(nina)
    page = client.get(reverse("admin:factor"))
    image = client.get(reverse("admin:factor_image"))
    device = TOTPDevice.objects.get()

    done = client.post(reverse("admin:factor"), {"code": token(device)})

    assert "Scan with" in text_of(page)
    assert image["Content-Type"] == "image/svg+xml"
    assert "no-store" in image["Cache-Control"]
    assert image.content.startswith(b"<?xml") or image.content.startswith(b"<svg")
    assert b"style" not in image.content
    codes = re.findall(r"\b[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}\b", text_of(done))
    assert len(set(codes)) == 10
    assert not RecoveryCode.objects.filter(digest__in=codes).exists()
    assert other.get(reverse("admin:index")).status_code == 302
    assert client.get(reverse("admin:index")).status_code == 200
    assert kinds(nina) == ["factor_enrolled"]


def test_password_alone_opens_no_page_once_a_factor_is_on(nina: Any) -> None:
    enrolled(nina)
    client = Client()
    log_in(client)
    asked = reverse("admin:second_factor")

    for path in ("/", "/orders/order/", "/api/skus/X/waterfall", reverse("admin:account")):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, asked), path
    # Nor may the factor be replaced, or its secret be read, with the password alone.
    assert client.get(reverse("admin:factor"))["Location"] == asked
    assert client.get(reverse("admin:factor_image")).status_code == 404


def test_right_code_opens_once(nina: Any) -> None:
    device, _codes = enrolled(nina)
    client, second = Client(), Client()
    for one in (client, second):
        log_in(one)
    code = token(device, 1)

    opened = client.post(reverse("admin:second_factor"), {"code": code, "next": "/orders/order/"})
    again = second.post(reverse("admin:second_factor"), {"code": code, "next": "/"})

    assert (opened.status_code, opened["Location"]) == (302, "/orders/order/")
    assert client.get(reverse("admin:index")).status_code == 200
    assert again.status_code == 200
    assert "not right" in text_of(again)
    assert second.get(reverse("admin:index")).status_code == 302


def test_recovery_code_opens_once_and_wrong_ones_slow_down(nina: Any, settings: Any) -> None:
    settings.OTP_TOTP_THROTTLE_FACTOR = SLOW
    _device, codes = enrolled(nina)

    assert check_code(nina, codes[0].upper().replace("-", " "))
    assert not check_code(nina, codes[0])
    # The failure has closed the door for a while, to the right code too.
    assert not check_code(nina, codes[1])
    assert RecoveryCode.objects.filter(used_at=None).count() == 9


def test_code_that_was_not_looked_at_is_not_called_wrong(nina: Any, settings: Any) -> None:
    settings.OTP_TOTP_THROTTLE_FACTOR = SLOW
    _device, codes = enrolled(nina)
    client = Client()
    log_in(client)
    asked = reverse("admin:second_factor")

    wrong = client.post(asked, {"code": "aaaa-bbbb-cccc"})
    early = client.post(asked, {"code": codes[0]})

    assert "This recovery code is not right, or was used before." in text_of(wrong)
    assert re.search(r"this one was not looked at\. Try again in \d+ seconds\.", text_of(early))
    assert RecoveryCode.objects.filter(used_at=None).count() == 10
    TOTPDevice.objects.update(throttling_failure_timestamp=clock.now() - timedelta(seconds=SLOW + 1))
    assert client.post(asked, {"code": codes[0]}).status_code == 302


def test_required_factor_leads_to_its_set_up_first(nina: Any, settings: Any) -> None:
    settings.REQUIRE_TOTP = True
    client = Client()
    client.force_login(nina)

    assert client.get("/", follow=True).redirect_chain[-1][0] == reverse("admin:factor")
    client.post(reverse("admin:factor"), {"code": token(TOTPDevice.objects.get())})
    assert client.get("/").status_code == 200


def test_second_factor_leads_to_no_foreign_site(nina: Any) -> None:
    device, _codes = enrolled(nina)
    client = Client()
    log_in(client)

    url = reverse("admin:second_factor")
    opened = client.post(url, {"code": token(device, 1), "next": "https://evil.example/"})

    assert opened["Location"] == "/"


def test_manager_resets_a_factor_and_leaves_a_trace(nina: Any) -> None:
    enrolled(nina)
    manager = visitor("Manager")
    url = admin_url(nina, "reset_factor", nina.pk)

    assert "Reset the second factor" in text_of(manager.get(url))
    manager.post(url)

    assert not TOTPDevice.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert kinds(nina) == ["factor_enrolled", "factor_reset"]
    assert visitor("Support").get(url).status_code == 403


# Proof


def old_proof(client: Client, seconds: int = 600) -> None:
    """As if the person had logged in ten minutes ago."""
    session = client.session
    session["proved_at"] -= seconds
    session.save()


def person_form(**more: Any) -> dict[str, Any]:
    empty = {"staff_locations-TOTAL_FORMS": 0, "staff_locations-INITIAL_FORMS": 0}
    return {"username": "nina", "is_active": "on", "is_staff": "on", **empty, **more}


def test_role_change_asks_for_the_password_again_and_then_goes_on(nina: Any) -> None:
    manager = visitor("Manager")
    boss = get_user_model().objects.get(username__startswith="manager")
    boss.set_password(PASSWORD)
    boss.save()
    manager.force_login(boss)
    old_proof(manager)
    picker, url = Group.objects.get(name="Picker"), admin_url(nina, "change", nina.pk)

    seen = hidden(manager.get(url))

    asked = manager.post(url, person_form(**seen, groups=[picker.pk]))
    assert "Confirm that it is you" in text_of(asked)
    assert not nina.groups.exists()

    wrong = manager.post(url, person_form(**seen, groups=[picker.pk], proof_password="wrong"))
    assert "not right" in text_of(wrong)
    assert not nina.groups.exists()

    done = manager.post(url, person_form(**seen, groups=[picker.pk], proof_password=PASSWORD))
    assert done.status_code == 302
    assert list(nina.groups.all()) == [picker]
    facts = Event.objects.get(kind="roles_changed").facts
    assert facts == {"added": ["Picker"], "removed": []}


def test_proof_page_carries_the_press_but_no_password(nina: Any) -> None:
    manager: Visitor = visitor("Manager")
    old_proof(manager)

    asked = manager.post(admin_url(nina, "change", nina.pk), person_form(first_name="Nina"))
    typed = manager.post(
        reverse("admin:auth_user_password_change", args=[nina.pk]),
        {"password1": "typed-secret-1", "password2": "x"},
    )

    assert ("first_name", "Nina") in asked.context["hidden"]
    assert "typed-secret-1" not in typed.content.decode()
    assert ("proof_reopens", "1") in typed.context["hidden"]


@pytest.mark.parametrize("age", [180, 600])  # a proof that would end under the typing, and one that has ended
@pytest.mark.parametrize("page", ["admin:auth_user_add", "admin:auth_user_password_change"])
def test_form_that_takes_a_password_asks_before_it_is_filled_in(nina: Any, page: str, age: int) -> None:
    manager: Visitor = visitor("Manager")
    boss = get_user_model().objects.get(username__startswith="manager")
    boss.set_password(PASSWORD)
    boss.save()
    manager.force_login(boss)
    url = reverse(page, args=[] if page.endswith("add") else [nina.pk])
    assert "Confirm that it is you" not in text_of(manager.get(url))
    old_proof(manager, age)

    asked = manager.get(url)
    wrong = manager.post(url, {**hidden(asked), "proof_password": "wrong"})
    right = manager.post(url, {**hidden(wrong), "proof_password": PASSWORD})

    assert "Confirm that it is you" in text_of(asked)
    assert "what was typed there is not kept" not in text_of(asked)
    assert [page.context["cancel_url"] for page in (asked, wrong)] == [
        reverse("admin:auth_user_changelist")
    ] * 2
    assert "The password is not right." in text_of(wrong)
    assert (right.status_code, right["Location"]) == (302, url)
    assert "Confirm that it is you" not in text_of(manager.get(url))


def test_disabling_a_person_ends_their_sessions_and_is_told(nina: Any) -> None:
    client = Client()
    client.force_login(nina)
    manager, url = visitor("Manager"), admin_url(nina, "change", nina.pk)
    form = person_form(**hidden(manager.get(url)))
    del form["is_active"]

    manager.post(url, form)

    assert not StaffSession.objects.filter(user=nina).exists()
    assert kinds(nina) == ["person_changed"]


def test_privileged_acts_are_a_list_of_their_own(nina: Any) -> None:
    enrolled(nina)
    manager = visitor("Manager")
    url = reverse("admin:kernel_event_changelist")

    rows = manager.get(url, {"acts": "privileged"}).context["cl"].result_list

    assert [row.kind for row in rows] == ["factor_enrolled"]
    assert "Second factor set up" in text_of(manager.get(url, {"acts": "privileged"}))

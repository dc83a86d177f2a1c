"""What staff write into mails: checked at save, tried before it, used by channel and language, never looked into."""

import re
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import translation

from config.kernel import outbox
from config.kernel.admin import admin_url
from config.kernel.models import Event
from orders.admin.mail_preview import logo_url
from orders.enums import MailKind
from orders.models import MailText, Notification, SalesChannel
from orders.neutral import NeutralBuyer
from orders.selectors.mail_wordings import Pieces, read_mail_words
from orders.services.confirming import confirm_orders
from orders.services.mail_builtin import BUILT_IN
from orders.services.mail_occasions import Occasion
from orders.services.mail_previews import preview_order_mail, preview_text
from orders.services.mail_texts import write_mail
from orders.templatetags.mail import LOOKS
from orders.wordings import OF_BODIES, PLACEHOLDERS, body_faults, subject_faults
from tests.factories.orders import SYSTEM, make_channel, make_order, neutral_line
from tests.kernel.visitor import Visitor, text_of, visitor
from tests.test_architecture import ROOT

pytestmark = pytest.mark.django_db

K = MailKind
ADD = "/orders/mailtext/add/"
ENGLISH = NeutralBuyer(name="Rosa <b>Neri</b>", email="rosa@example.com", language="en")


def text(**fields: Any) -> MailText:
    given = {"kind": K.CONFIRMATION, "language": "en", "subject": "", "body": ""} | fields
    return MailText.objects.create(**given)


@pytest.mark.parametrize("kind", list(K))
def test_product_s_own_texts_obey_their_own_rules(kind: MailKind) -> None:
    for language in ("en", "it"):
        with translation.override(language):
            subject, body = (str(piece) for piece in BUILT_IN[kind])
        assert (subject_faults(kind, subject), body_faults(kind, body)) == ([], [])


ATTACKS = [
    "{order.__class__}", "{order_number.__class__.__init__.__globals__}", "{order_number!r}", "{order_number:>99}",
    "{0}", "{}", "{{ order.pk }}", "{% include 'x' %}", "{order_number", "order_number}", "{Order_Number}",
    "{ order_number }", "{tracking_number}", "{{greeting}}",
]  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_no_placeholder_is_refused_by_line_with_what_is_accepted(attack: str) -> None:
    row = MailText(kind=K.CONFIRMATION, language="en", subject=attack, body=f"Hello\n{attack}")

    with pytest.raises(ValidationError) as refused:
        row.full_clean()

    said = refused.value.message_dict
    assert set(said) == {"subject", "body"}
    assert said["body"][0].startswith("Line 2: “")
    assert (
        "is no placeholder of this mail. Accepted: {greeting}, {buyer_name}, {order_number}"
        in said["body"][0]
    )
    assert "{greeting}" not in said["subject"][0].partition("Accepted")[2]


@pytest.mark.parametrize("attack", ATTACKS)
def test_text_that_passed_the_check_by_is_neither_looked_into_nor_sent(attack: str) -> None:
    text(subject=attack, body=f"Hello\n{attack}\nBye")

    written = write_mail(
        Occasion(make_order(buyer=ENGLISH), K.CONFIRMATION), read_mail_words([K.CONFIRMATION])
    )

    for said in (written.subject, written.text, written.html):
        assert "object at" not in said
        assert "globals" not in said.replace(attack, "")
    assert written.text.startswith("Hello\n")


def test_subject_is_one_line() -> None:
    assert subject_faults(K.DELAY, "Late\nBcc: spy@example.com") == [
        "A subject is one line of printable characters."
    ]


@pytest.mark.parametrize("body", ["See {order_summary} here", "{order_summary}\n\n{order_summary}"])
def test_summary_stands_once_and_alone(body: str) -> None:
    assert body_faults(K.CONFIRMATION, body) == [
        "{order_summary} stands once, on a line of its own: it becomes a table."
    ]


def test_each_piece_is_the_channel_s_else_everybody_s_else_the_product_s() -> None:
    channel, other = make_channel(), make_channel(code="other", name="Other")
    text(sales_channel=channel, subject="Ours {order_number}")
    text(subject="Everybody's", body="{greeting}\n\nThank you!")

    words = read_mail_words([K.CONFIRMATION])

    assert words.pieces(K.CONFIRMATION, "en", channel.pk) == Pieces(
        "Ours {order_number}", "{greeting}\n\nThank you!"
    )
    assert words.pieces(K.CONFIRMATION, "en", other.pk).subject == "Everybody's"
    assert words.pieces(K.CONFIRMATION, "it", channel.pk) == Pieces()


def test_mail_is_sent_with_the_words_of_the_channel_escaped_in_html() -> None:
    order = make_order(buyer=ENGLISH, number="A&1")
    text(
        sales_channel=order.sales_channel,
        subject="Grazie {order_number}",
        body="<i>Hi</i> {buyer_name}\n\n{carrier} gone",
    )
    confirm_orders([order.pk], actor=SYSTEM).only()

    outbox.deliver_due("mail")

    row = Notification.objects.get()
    assert (row.subject, row.body_text) == ("Grazie A&1", "<i>Hi</i> Rosa <b>Neri</b>\n")
    assert "&lt;i&gt;Hi&lt;/i&gt; Rosa &lt;b&gt;Neri&lt;/b&gt;" in row.body_html
    assert "<i>" not in row.body_html
    assert mail.outbox[0].subject == "Grazie A&1"


def test_piece_of_which_nothing_is_left_is_the_product_s_own() -> None:
    order = make_order(
        buyer=ENGLISH, ship_to=None, lines=(neutral_line(requires_shipping=False),), number="7"
    )
    text(subject="{dispatch_day}", body="{ship_to}")

    written = write_mail(Occasion(order, K.CONFIRMATION), read_mail_words([K.CONFIRMATION]))

    assert written.subject == "Your order 7 at Bottega is confirmed"
    assert "thank you for your order 7" in written.text


def test_two_texts_for_one_mail_are_refused() -> None:
    text()
    twin = MailText(kind=K.CONFIRMATION, language="en")

    with pytest.raises(ValidationError, match="a text for this mail and language already"):
        twin.full_clean()


@pytest.fixture
def manager() -> Visitor:
    return visitor("Manager")


def form(client: Visitor, url: str) -> dict[str, Any]:
    values = client.get(url).context["adminform"].form
    found = {name: values[name].value() for name in values.fields}
    return {name: "" if value is None else value for name, value in found.items()}


def test_manager_writes_a_text_and_the_page_says_who_changed_what(manager: Visitor) -> None:
    given = {
        "kind": K.DELAY,
        "language": "it",
        "sales_channel": "",
        "subject": "Ritardo {order_number}",
        "body": "",
    }
    assert manager.post(ADD, given).status_code == 302
    row = MailText.objects.get()
    url = admin_url(row, "change", row.pk)

    manager.post(url, {**form(manager, url), "body": "{greeting}\r\n\r\nscusa."})

    row.refresh_from_db()
    assert (row.subject, row.body, row.version) == ("Ritardo {order_number}", "{greeting}\n\nscusa.", 2)
    events = Event.objects.filter(thread_type="mailtext", thread_id=row.pk).order_by("pk")
    assert [(event.kind, event.facts["fields"]) for event in events][1] == ("edited", ["text"])
    assert "Details changed" in text_of(manager.get(url))


def test_unknown_placeholder_is_refused_in_the_form_and_nothing_is_saved(manager: Visitor) -> None:
    page = manager.post(ADD, {"kind": K.HOLD, "language": "en", "subject": "", "body": "Hi\n{order_sumary}"})

    said = text_of(page)
    assert "Line 2: “{order_sumary}” is no placeholder of this mail. Accepted: {greeting}" in said
    assert not MailText.objects.exists()


def test_text_is_tried_on_an_order_before_it_is_saved(manager: Visitor) -> None:
    order = make_order(buyer=ENGLISH)
    draft = {
        "kind": K.CONFIRMATION,
        "language": "en",
        "subject": "Yes, {buyer_name}",
        "body": "Soon {order_total}.",
    }

    page = manager.post(ADD, {**draft, "_try": "1", "try_order": order.number})
    missing = manager.post(ADD, {**draft, "_try": "1", "try_order": "NONE"})
    faulty = manager.post(ADD, {**draft, "body": "{x}", "_try": "1"})

    assert page.status_code == 200
    assert "Yes, Rosa <b>Neri</b>" in text_of(page)
    assert "Soon €20.00." in page.context["preview"].written.text
    assert "There is no order NONE; this is a sample." in text_of(missing)
    assert "is no placeholder" in text_of(faulty)
    assert "preview" not in faulty.context
    assert not MailText.objects.exists()


def test_trying_a_saved_text_saves_nothing(manager: Visitor) -> None:
    row = text(subject="Old")
    url = admin_url(row, "change", row.pk)

    page = manager.post(url, {**form(manager, url), "subject": "New", "_try": "1"})

    row.refresh_from_db()
    assert (row.subject, row.version) == ("Old", 1)
    assert page.context["preview"].written.subject == "New"
    assert 'value="New"' in page.content.decode()


def test_deleted_text_leaves_an_event_and_the_product_s_own(manager: Visitor) -> None:
    row = text(subject="Mine")

    manager.post(admin_url(row, "delete", row.pk), {"post": "yes"})

    assert not MailText.objects.exists()
    assert Event.objects.filter(thread_type="mailtext", kind="deleted").count() == 1


@pytest.mark.parametrize("role", ["Support", "Picker", "Reader", "Integration"])
def test_texts_are_the_manager_s(role: str) -> None:
    row = text()

    for url in (ADD, "/orders/mailtext/", admin_url(row, "change", row.pk)):
        assert visitor(role).get(url).status_code == 403


@pytest.mark.parametrize("kind", list(K))
def test_sample_has_a_value_for_every_placeholder_in_either_language(kind: MailKind) -> None:
    SalesChannel.objects.all().delete()
    for language in ("en", "it"):
        names = [name for name in PLACEHOLDERS[kind] if name != "order_summary"]
        draft = MailText(
            kind=kind, language=language, body="\n".join(f"[{name}] {{{name}}}" for name in names)
        )

        written = preview_text(draft, logo_url).written

        assert re.findall(r"\[(\w+)\] ?\S", written.text) == names, language
        assert "{" not in written.text


def test_preview_of_every_kind_on_an_order_says_what_the_order_has() -> None:
    order = make_order(buyer=ENGLISH, number="7")

    for kind in K:
        shown = preview_order_mail(order.pk, kind, logo_url)
        assert shown is not None
        assert "7" in shown.written.subject
        assert "style=" not in shown.written.html
        assert "Rosa &lt;b&gt;Neri&lt;/b&gt;" in shown.written.html
        assert shown.not_sent == ""


def test_looks_of_a_mail_are_the_same_by_class() -> None:
    sheet = (ROOT / "config/static/bancale/mail.css").read_text()

    by_class = dict(re.findall(r"^\.mail-shown \.mail-([a-z-]+) \{ (.+) \}$", sheet, re.M))
    assert {name: by_class[name] for name in LOOKS} == LOOKS


def test_what_is_only_for_bodies_is_a_placeholder() -> None:
    assert set().union(*PLACEHOLDERS.values()) >= OF_BODIES

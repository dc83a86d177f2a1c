"""What the buyer reads, in English and in Italian."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from config.kernel.templatetags.bancale import money_text
from orders.enums import ChargeKind, MailKind
from orders.models import Order
from orders.neutral import NeutralBuyer, NeutralCharge, NeutralDiscount, NeutralTax
from orders.services.cancelling import cancel_orders
from orders.services.cancelling_lines import CancelUnits, cancel_units
from orders.services.mail_occasions import Occasion, read_orders
from orders.services.mail_texts import Written, write_mail
from orders.services.mail_values import order_summary
from tests.factories.orders import SYSTEM, make_order, neutral_line, neutral_payment

pytestmark = pytest.mark.django_db

VAT = NeutralTax("IVA", Decimal("261.80"), Decimal(22))
OFF = NeutralDiscount(Decimal("10.00"), "TEN")
COURIER = NeutralCharge(
    ChargeKind.SHIPPING, "s", "Courier", Decimal("9.90"), taxes=(replace(VAT, amount=Decimal("2.18")),)
)


def confirmation(order: Order) -> Written:
    return write_mail(Occasion(order, MailKind.CONFIRMATION))


def written(language: str, **fields: Any) -> Written:
    order = make_order(
        buyer=NeutralBuyer(name="Rosa Neri", email="rosa@example.com", language=language),
        lines=(neutral_line("MUG", 1200, "1.00", taxes=(VAT,), discounts=(OFF,)),),
        charges=(COURIER,),
        prices_include_tax=False,
        total_amount=Decimal("1463.88"),
        payments=(neutral_payment("1463.88"),),
        number="A & B",
        shipping_method="Courier",
        **fields,
    )
    order.dispatch_by_on = date(2026, 3, 4)
    return confirmation(order)


def plain(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_write_mail_english_text() -> None:
    mail = written("en")

    assert (mail.language, mail.subject) == ("en", "Your order A & B at Bottega is confirmed")
    assert mail.text.strip() == "\n".join(
        [
            "Dear Rosa Neri,",
            "",
            "thank you for your order A & B at Bottega. We have confirmed it.",
            "We expect to send it by 4 Mar 2026.",
            "",
            "Your order",
            "",
            "  1,200 × A mug",
            "      each €1.00, discount −€10.00: €1,190.00",
            "",
            "  Goods: €1,190.00",
            "  Courier: €9.90",
            "  IVA 22 %: €263.98",
            "  Total: €1,463.88",
            "",
            "Ship to",
            "  Rosa Neri",
            "  Via Po 3",
            "  10124 Torino",
            "  Italy",
            "  By Courier",
            "",
            "Bottega srl",
        ]
    )


def test_write_mail_html_says_the_same() -> None:
    mail = written("en")

    text = plain(mail.html)
    for words in ("€1,190.00", "IVA 22 %", "€263.98", "€1,463.88", "4 Mar 2026", "Via Po 3", "A &amp; B"):
        assert words in text
    assert '<html lang="en">' in mail.html


def test_write_mail_italian_text() -> None:
    mail = written("it-IT")

    assert (mail.language, mail.subject) == ("it", "Ordine A & B confermato – Bottega")
    assert "grazie per l’ordine A & B da Bottega. Lo abbiamo confermato.\n" in mail.text
    assert "4 mar 2026" in mail.text
    assert "1.463,88" in mail.text
    assert "1.200 × A mug" in mail.text
    assert '<html lang="it">' in mail.html
    assert "1.463,88" in plain(mail.html)


def test_write_mail_language_that_we_do_not_speak_is_english() -> None:
    assert written("fr").language == "en"


def test_write_mail_prices_with_tax_name_it_inside() -> None:
    order = make_order(
        buyer=NeutralBuyer(language="en"),
        lines=(neutral_line(taxes=(replace(VAT, title="", amount=Decimal("3.61"), rate=Decimal("22.50")),)),),
    )

    text = confirmation(order).text

    assert "  Goods: €20.00\n  Total: €20.00\n  of which Tax 22.5 %: €3.61\n" in text


def test_write_mail_yen_has_no_cents() -> None:
    order = make_order(
        buyer=NeutralBuyer(language="en"),
        currency="JPY",
        lines=(neutral_line("MUG", 3, "500"),),
        payments=(),
    )

    assert "each ¥500: ¥1,500" in confirmation(order).text


def test_write_mail_escapes_what_strangers_wrote() -> None:
    order = make_order(
        buyer=NeutralBuyer(name="<b>Rosa</b>", language="en"),
        lines=(neutral_line(title="<script>alert(1)</script> & {{ order.pk }} {% now %}"),),
    )

    mail = confirmation(order)

    assert "<script>" not in mail.html
    assert "<b>Rosa" not in mail.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {{ order.pk }} {% now %}" in mail.html
    assert "<script>alert(1)</script> & {{ order.pk }} {% now %}" in mail.text


def test_write_mail_of_an_order_without_shipping_has_no_address() -> None:
    order = make_order(
        buyer=NeutralBuyer(language="en"), ship_to=None, lines=(neutral_line(requires_shipping=False),)
    )

    text = confirmation(order).text

    assert text.startswith("Good day,")
    assert "Ship to" not in text
    assert "We expect" not in text


def test_write_mail_rows_sum_to_the_total() -> None:
    order: Order = make_order(
        buyer=NeutralBuyer(language="en"), charges=(COURIER,), total_amount=Decimal("29.90")
    )

    amounts = [
        Decimal(found)
        for found in re.findall(r"(?:Goods|Courier|Total): €([\d.]+)", confirmation(order).text)
    ]

    assert amounts == [Decimal("20.00"), Decimal("9.90"), Decimal("29.90")]


@pytest.mark.parametrize(("inclusive", "total", "tax"), [(True, "10.00", "1.80"), (False, "12.20", "4.40")])
def test_write_mail_after_a_cancellation_names_the_tax_of_what_is_left(
    inclusive: bool, total: str, tax: str
) -> None:
    amount = Decimal("3.61") if inclusive else Decimal("4.40")
    vat = NeutralTax("VAT", amount, Decimal(22))
    order = make_order(
        lines=(neutral_line("MUG", 2, taxes=(vat,)),),
        prices_include_tax=inclusive,
        total_amount=None,
        payments=(),
    )
    line = order.lines.get()
    cancel_units([CancelUnits(order.pk, {line.pk: 1})], reason="test", actor=SYSTEM).raise_refusals()
    order = read_orders([order.pk])[order.pk]

    summary = order_summary(order)

    said = {row.label: row.amount for row in (*summary["sums"], *summary["tax_within"])}
    assert (summary["total"], said["VAT 22 %"]) == (
        money_text(Decimal(total), "EUR"),
        money_text(Decimal(tax), "EUR"),
    )
    cancel_orders([order.pk], reason="test", actor=SYSTEM).raise_refusals()
    whole = order_summary(read_orders([order.pk])[order.pk])
    said = {row.label: row.amount for row in (*whole["sums"], *whole["tax_within"])}
    assert said["VAT 22 %"] == money_text(amount, "EUR")

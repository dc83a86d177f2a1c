"""One mail handed to the server, and whether it left: surely, surely not, or nobody knows."""

import logging
import smtplib

from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.utils.translation import gettext_lazy as _

from config.kernel.errors import BancaleError
from config.kernel.outbox import OutcomeUnknown

log = logging.getLogger(__name__)

# The server's own word that it did not take the mail: at MAIL, RCPT or DATA, or before any of them.
_REFUSED = (
    smtplib.SMTPSenderRefused,
    smtplib.SMTPRecipientsRefused,
    smtplib.SMTPDataError,
    smtplib.SMTPHeloError,
    smtplib.SMTPNotSupportedError,
    ValueError,
)


class MailRefused(BancaleError):
    """The mail did not leave and may be tried again."""

    code = "mail_refused"
    message = _("The mail was not accepted: %(answer)s")


class ServerAway(MailRefused):
    code = "mail_server_away"
    message = _("The mail server cannot be reached: %(answer)s")


class BeingSent(BancaleError):
    code = "mail_being_sent"
    message = _("Another worker is sending this mail.")


class MailLost(OutcomeUnknown):
    """The server broke off in the middle of this very mail."""

    message = _("The mail may have left: the server broke off before it said so.")


def post(mail: EmailMultiAlternatives) -> None:
    """Hand one mail to the server. Raises `MailRefused` only when it surely did not leave, else `MailLost`."""
    connection = _connect()
    try:
        if not connection.send_messages([mail]):
            raise MailRefused(answer="-")
    except _REFUSED as error:
        raise MailRefused(answer=_answer(error)) from error
    except MailRefused:
        raise
    except Exception as error:
        log.warning("a mail's outcome is unknown (%s)", type(error).__name__)
        raise MailLost from error
    finally:
        _disconnect(connection)


def _connect() -> BaseEmailBackend:
    """Opened before anything is said, so that a failure here is known to come before the mail."""
    connection: BaseEmailBackend = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise ServerAway(answer=_answer(error)) from error
    return connection


def _disconnect(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (OSError, smtplib.SMTPException):
        log.debug("the mail server did not part in peace", exc_info=True)


def _answer(error: Exception) -> str:
    """The server's words without the reader's address."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, _words = next(iter(error.recipients.values()), (0, b""))
        return f"{code} recipient refused"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {type(error).__name__}"
    return type(error).__name__

"""The transport ``smtp``: hands letters to a mail server (RFC 5321, STARTTLS by RFC 3207)."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence

from waypost.mail.compose import bare_address
from waypost.mail.transport import SENT, Letter, Result
from waypost.settings import Settings

#: Replies that a mail server gives for good (RFC 5321, 4.2.1).
PERMANENT = 500


class SmtpTransport:
    """A connection for each batch: e-mails are few, and mail servers close idle ones anyway."""

    name = "smtp"

    def __init__(self, settings: Settings, context: ssl.SSLContext | None = None) -> None:
        self._settings = settings
        self._context = context or ssl.create_default_context()

    def send(self, letters: Sequence[Letter]) -> list[Result]:
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            return [self._trouble(error)] * len(letters)
        results: list[Result] = []
        try:
            for letter in letters:
                result = self._hand_over(server, letter)
                if result is None:  # the connection is gone, and with it the turn of the rest
                    lost = Result("later", "the mail server closed the connection", "disconnected")
                    results += [lost] * (len(letters) - len(results))
                    break
                results.append(result)
        finally:
            _quit(server)
        return results

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        host, port, timeout = (
            settings.mail_smtp_host,
            settings.mail_smtp_port,
            settings.mail_timeout,
        )
        server: smtplib.SMTP
        if settings.mail_smtp_tls == "tls":
            server = smtplib.SMTP_SSL(host, port, timeout=timeout, context=self._context)
        else:
            server = smtplib.SMTP(host, port, timeout=timeout)
        try:
            if settings.mail_smtp_tls == "starttls":
                server.starttls(context=self._context)
            if settings.mail_smtp_user:
                server.login(settings.mail_smtp_user, settings.mail_smtp_password)
        except BaseException:
            server.close()
            raise
        return server

    def _hand_over(self, server: smtplib.SMTP, letter: Letter) -> Result | None:
        """None: the connection is gone."""
        try:
            server.send_message(
                letter.message, bare_address(self._settings.mail_sender), [letter.recipient]
            )
        except smtplib.SMTPServerDisconnected:
            return None
        except smtplib.SMTPRecipientsRefused as error:
            return _refused(*error.recipients[letter.recipient])
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError:
            return Result("never", "the mail server cannot write to such an address", "address")
        except (smtplib.SMTPException, OSError) as error:
            return self._trouble(error)
        except (UnicodeError, ValueError):
            return Result("never", "not an address that can be written to", "address")
        return SENT

    def _trouble(self, error: Exception) -> Result:
        """Nothing can be handed over at the moment, be it for a setting that somebody will mend."""
        where = f"{self._settings.mail_smtp_host}:{self._settings.mail_smtp_port}"
        if isinstance(error, smtplib.SMTPAuthenticationError):
            reason = "the mail server does not let us log in"
        elif isinstance(error, smtplib.SMTPResponseException):
            reason = f"{error.smtp_code} {_text(error.smtp_error)}"
        else:
            reason = str(error) or type(error).__name__
        return Result("later", f"{where}: {reason}", f"{where}: {reason}")


def _refused(code: int, said: bytes | str) -> Result:
    reason = f"{code} {_text(said)}"
    return Result("never" if code >= PERMANENT else "later", reason, str(code))


def _text(said: bytes | str) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said


def _quit(server: smtplib.SMTP) -> None:
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        server.close()

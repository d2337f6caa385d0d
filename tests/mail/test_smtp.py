"""Handing letters to a mail server of another project."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from mail_server import PASSWORD, USER, MailServer

from waypost.mail.compose import MailError, Sender, compose
from waypost.mail.smtp import SmtpTransport
from waypost.mail.transport import Letter, Result
from waypost.settings import Settings, SettingsError, load

SENDER = Sender("Waypost <no-reply@waypost.example>", "Yours, Waypost")


def letter(to: str = "ann@example.org", code: str = "123456", number: int = 1) -> Letter:
    payload = b'{"code": "%b"}' % code.encode()
    message = compose(
        "code", payload, recipient=to, sender=SENDER, reference=f"7.{number}", now=1_709_985_600_000
    )
    return Letter(7, number, to, message, "a code to log in")


def transport(server: MailServer, context: ssl.SSLContext | None = None, **more: Any) -> Any:
    return SmtpTransport(Settings(**server.settings(**more)), context)


def outcomes(results: list[Result]) -> list[str]:
    return [result.outcome for result in results]


def test_a_letter_arrives_whole(mail_server: MailServer) -> None:
    assert outcomes(transport(mail_server).send([letter()])) == ["sent"]
    (got,) = mail_server.letters
    assert (got["From"], got["To"]) == (SENDER.address, "ann@example.org")
    assert got["Date"] == "Sat, 09 Mar 2024 12:00:00 +0000"
    assert got["Message-ID"] == "<7.1@waypost.example>"
    assert got["Auto-Submitted"] == "auto-generated"
    text = got.get_content()
    assert "123456" in text
    assert text.endswith("-- \nYours, Waypost\n")
    (envelope,) = mail_server.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@waypost.example", [got["To"]])


def test_many_letters_share_a_connection_and_each_has_its_answer(mail_server: MailServer) -> None:
    mail_server.unknown = {"gone@example.org"}
    mail_server.answers = ["451 4.3.0 later, please", "554 5.7.1 we do not like it"]
    people = [
        "a@example.org",
        "b@example.org",
        "gone@example.org",
        "c@example.org",
    ]
    results = transport(mail_server).send([letter(to) for to in people])
    assert outcomes(results) == ["later", "never", "never", "sent"]
    assert results[0].reason == "451 4.3.0 later, please"
    assert results[2].reason is not None
    assert "gone@example.org" in results[2].reason
    assert results[2].code == "550", "logs have no addresses"
    assert mail_server.connections == 1
    assert [got["To"] for got in mail_server.letters] == ["c@example.org"]


def test_a_server_that_is_not_there_is_tried_later() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings = Settings(
            mail_provider="smtp",
            mail_sender="a@b.example",
            mail_smtp_host="127.0.0.1",
            mail_smtp_port=unused.getsockname()[1],
            mail_timeout=1,
        )
        first, second = SmtpTransport(settings).send([letter(), letter()])
        assert first == second
        assert first.outcome == "later"
        assert first.reason is not None
        assert "127.0.0.1:" in first.reason
        unused.listen()  # takes connections, and says nothing
        assert outcomes(SmtpTransport(settings).send([letter()])) == ["later"]


def test_it_logs_in_where_it_must() -> None:
    with MailServer(login=True) as server:
        right = {"mail_smtp_user": USER, "mail_smtp_password": PASSWORD}
        assert outcomes(transport(server, **right).send([letter()])) == ["sent"]
        for wrong in ({}, {**right, "mail_smtp_password": "wrong-secret"}):
            (result,) = transport(server, **wrong).send([letter()])
            assert result.outcome != "sent"
            assert "wrong-secret" not in str(result)


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server on 127.0.0.1, and of a client that trusts it."""
    folder: Path = tmp_path_factory.mktemp("tls")
    chain, key = folder / "chain.pem", folder / "key.pem"
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    named = ["-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-days", "2", "-keyout", key, "-out", chain]
    subprocess.run([*made, *named, *files], check=True, capture_output=True)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(chain, key)
    return server, ssl.create_default_context(cafile=str(chain))


def test_over_tls_from_the_beginning_or_from_then_on(
    tls: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    ours, client = tls
    right = {"mail_smtp_user": USER, "mail_smtp_password": PASSWORD}
    with MailServer(tls=ours, login=True) as server:
        told = {**right, "mail_smtp_tls": "starttls"}
        assert outcomes(transport(server, client, **told).send([letter()])) == ["sent"]
        # One that cannot show who it is gets nothing, least of all the password.
        (stranger,) = transport(server, **told).send([letter()])
        assert stranger.outcome == "later"
        assert "certificate" in (stranger.reason or "").lower()
    with MailServer(ssl_context=ours) as server:
        assert outcomes(transport(server, client, mail_smtp_tls="tls").send([letter()])) == ["sent"]


def test_no_tls_where_it_is_asked_for_is_no_way_out(mail_server: MailServer) -> None:
    (result,) = transport(mail_server, mail_smtp_tls="starttls").send([letter()])
    assert (result.outcome, mail_server.letters) == ("later", [])


@pytest.mark.parametrize(
    ("recipient", "sender"),
    [
        ("a@example.org\r\nBcc: all@example.org", SENDER.address),
        ("nobody", SENDER.address),
        ("ä@example.org", SENDER.address),
        ("", SENDER.address),
        ("a@example.org", "x\ny <a@b.example>\nBcc: c@d.example"),
    ],
)
def test_addresses_are_addresses_and_nothing_else(recipient: str, sender: str) -> None:
    try:
        made = compose(
            "invitation",
            b'{"label": "Van\\r\\nBcc: x@y.example", "device_id": "1"}',
            recipient=recipient,
            sender=Sender(sender),
            reference="1",
            now=0,
        )
    except MailError:
        return
    assert "Bcc" not in made


def test_what_has_no_letter_is_an_error() -> None:
    for kind, payload in (("tracking", b"{}"), ("code", b"{}"), ("invitation", b"\xff")):
        with pytest.raises(MailError):
            compose(kind, payload, recipient="a@b.example", sender=SENDER, reference="1", now=0)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"mail_provider": "smtp", "mail_smtp_host": "h"}, "mail_sender"),
        ({"mail_provider": "log", "mail_sender": "nobody"}, "mail_sender"),
        ({"mail_provider": "log", "mail_sender": "a@b\nBcc: c@d"}, "mail_sender"),
        ({"mail_provider": "smtp", "mail_sender": "a@b.example"}, "mail_smtp_host"),
        ({"mail_provider": "pigeon"}, "mail_provider"),
        ({"mail_smtp_tls": "perhaps"}, "mail_smtp_tls"),
    ],
)
def test_settings_that_cannot_be_are_named(wrong: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load(wrong, environ={})


def test_the_settings_on_the_page_are_settings(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "mail.md").read_text()
    (example,) = re.findall(r"^```toml\n(.*?)^```", page, re.M | re.S)
    file = tmp_path / "waypost.toml"
    file.write_text(example)
    settings = load(environ={}, file=file)
    assert (settings.mail_provider, settings.mail_smtp_tls) == ("smtp", "starttls")
    named = set(re.findall(r"`(mail_\w+)`", page))
    assert named == {name for name in Settings.__struct_fields__ if name.startswith("mail_")}

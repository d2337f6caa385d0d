"""Every setting, typed, once. Read from ``waypost.toml``, the environment and the command line,
the later winning; the environment name of ``api_rate`` is ``WAYPOST_API_RATE``."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

ROLES = ("api", "gateway", "jobs")

Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]

#: A host name, an IPv4 or an IPv6 address (without brackets).
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})|[0-9A-Fa-f:]{2,39}")

#: What may stand in braces in the templates of the SMS provider ``http``.
SMS_PLACEHOLDERS = ("to", "text", "from", "id", "life")

_MAIL_SENDER = re.compile(r"[^@\s<>]+@[^@\s<>]+|[^<>\r\n]*<[^@\s<>]+@[^@\s<>]+>")


class SettingsError(Exception):
    """A setting that cannot be; the text names it and says what it may be."""


class Settings(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """All settings, with their defaults."""

    #: Where the embedded databases, the first log-in and the admin socket live.
    data_dir: Path = Path("data")
    #: PostgreSQL address; empty: SQLite in ``data_dir``.
    database: str = ""
    #: NATS address; empty: everything runs in one process.
    nats: str = ""
    #: Where the API listens.
    http: str = "127.0.0.1:8080"
    #: Address that device ports listen on.
    device_host: str = "0.0.0.0"  # noqa: S104  (devices come from outside)
    #: Ports by protocol name; ``all`` is for every protocol not named. 0: any free port.
    device_port: dict[str, NotNegative] = {}
    #: Other gateways on this machine listen on the same ports, and the system spreads connections
    #: and UDP peers over them.
    share_ports: bool = False
    #: What this process does.
    roles: list[str] = msgspec.field(default_factory=lambda: list(ROLES))
    #: Emulated vehicles to run.
    demo: NotNegative = 0

    #: Address under which devices reach this server: a host name or an IP address. A URL may
    #: stand here, too; only its host counts, since a device's port is that of its protocol. Empty:
    #: nobody can be told where to report, and commands that would say so fail with that reason.
    public_address: str = ""
    #: Certificate chain and key (PEM) for HTTPS and for device ports over TLS.
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    #: Protocols whose TCP port speaks TLS (with the certificate above).
    tls_protocols: list[str] = []

    #: Requests a second per user and per address; 0 is off.
    api_rate: NotNegative = 50
    #: Largest request body, bytes.
    api_body: Positive = 16 * 1024 * 1024
    #: Origins that browsers may call the API from; ``*`` is any.
    api_origins: list[str] = msgspec.field(default_factory=lambda: ["*"])
    #: Addresses of proxies whose X-Forwarded-For is believed.
    trusted_proxies: list[str] = msgspec.field(default_factory=lambda: ["127.0.0.1", "::1"])
    #: Failed log-ins of one login, or from one address, within ``login_window`` seconds before
    #: further ones are refused until the window has passed.
    login_attempts: Positive = 10
    login_window: Positive = 300
    #: Most live sessions of one user; the next log-in is refused with code 104.
    sessions_per_user: Positive = 200

    #: Most WebSockets (live events and consoles) at once, in all and of one user.
    live_connections: Positive = 20_000
    live_connections_per_user: Positive = 100
    #: Largest message of a WebSocket client, bytes.
    live_message: Positive = 512 * 1024
    #: Seconds of silence after which a WebSocket client is pinged; after twice as many it is
    #: closed.
    live_ping: Positive = 30
    #: Seconds that a WebSocket may be open without a subscription.
    live_hello: Positive = 60

    #: Most device connections at once from one address (0: no limit), and in all.
    connections_per_address: NotNegative = 5000
    connections: Positive = 100_000
    #: Seconds a device connection may stay silent, and may take to say who it is.
    connection_idle: Positive = 1800
    connection_hello: Positive = 60
    #: Frames a second that one connection may send on average before it is slowed down; 0 is off.
    connection_rate: NotNegative = 0
    #: Records waiting to be stored before sockets are no longer read.
    ingest_queue: Positive = 100_000
    #: Records in one transaction at most.
    ingest_batch: Positive = 8000
    #: Bytes in and out kept per device for ``tap``.
    tap_bytes: Positive = 65_536
    #: Unregistered devices kept in the inbox.
    inbox_size: Positive = 10_000

    #: Longest period that ``track/list`` and ``track/read`` give at once, days.
    track_days: Positive = 186

    #: Days that points are kept where the tariff does not say (0: for ever).
    retention_days: NotNegative = 366
    #: Seconds that a command waits for its answer before it is tried again, and days it lives.
    command_timeout: Positive = 60
    command_life_days: Positive = 7
    #: Commands that may wait for one device before people's further ones are refused with code 268.
    commands_waiting: Positive = 20_000

    #: How SMS go out and come in; empty: not at all. ``docs/sms.md`` describes these settings. In a
    #: cluster the same for roles api and jobs.
    sms_provider: Literal["", "smpp", "http", "log"] = ""
    #: Who SMS come from: a number, a short code or a name.
    sms_sender: str = ""
    #: Short messages a second (0: no limit), and how many may be on their way to the provider.
    sms_rate: NotNegative = 10
    sms_window: Positive = 10
    #: Hours that an SMS is tried, and may wait in the network.
    sms_life_hours: Positive = 24
    #: Attempts at one command (0: until its life ends).
    sms_attempts: NotNegative = 5
    #: Seconds that the provider may take to answer.
    sms_timeout: Positive = 30

    sms_smpp_host: str = ""
    sms_smpp_port: Port = 2775
    sms_smpp_tls: bool = False
    sms_smpp_system_id: str = ""
    sms_smpp_password: str = ""
    sms_smpp_system_type: str = ""
    sms_smpp_service_type: str = ""
    #: What the sender is; ``auto``: as it looks.
    sms_smpp_sender_type: Literal[
        "auto", "unknown", "international", "national", "short", "name"
    ] = "auto"
    #: The SMSC's default alphabet.
    sms_smpp_alphabet: Literal["gsm", "latin1"] = "gsm"
    #: How long texts go: parts with a header, parts with parameters, or in one piece.
    sms_smpp_long: Literal["udh", "sar", "payload"] = "udh"
    #: Does the SMSC send delivery reports?
    sms_smpp_reports: bool = True
    #: How the SMSC writes message ids in its answers and in delivery reports.
    sms_smpp_sent_id: Literal["text", "decimal", "hexadecimal"] = "text"
    sms_smpp_report_id: Literal["text", "decimal", "hexadecimal"] = "text"
    #: Seconds of silence before the SMSC is asked whether it is there.
    sms_smpp_enquire: Positive = 30

    #: The request that sends an SMS: templates with ``{to}``, ``{text}``, ``{from}``, ``{id}``,
    #: ``{life}``.
    sms_http_url: str = ""
    sms_http_method: Literal["GET", "POST", "PUT"] = "POST"
    sms_http_headers: list[str] = []
    sms_http_body: str = ""
    #: Regular expressions: what the answer must hold, and where the message id is in it.
    sms_http_success: str = ""
    sms_http_message_id: str = ""
    #: What callers of ``/sms/http/delivery`` and ``/sms/http/incoming`` must know, 16 characters or
    #: more; empty: nobody may call.
    sms_http_secret: str = ""
    #: Names of the fields in these calls.
    sms_http_list: str = ""
    sms_http_delivery_id: str = "id"
    sms_http_delivery_status: str = "status"
    sms_http_incoming_from: str = "from"
    sms_http_incoming_to: str = "to"
    sms_http_incoming_text: str = "text"
    sms_http_incoming_id: str = "id"
    #: Statuses that are final.
    sms_http_delivered: list[str] = msgspec.field(default_factory=lambda: ["delivered", "DELIVRD"])
    sms_http_failed: list[str] = msgspec.field(
        default_factory=lambda: [
            *("failed", "undelivered", "undeliverable", "rejected", "expired", "deleted"),
            *("UNDELIV", "REJECTD"),
        ]
    )

    #: How e-mails go out: to a mail server, or (``log``) into files of ``data_dir``; empty: not at
    #: all. ``docs/mail.md`` describes these settings. In a cluster the same for roles api and jobs.
    mail_provider: Literal["", "smtp", "log"] = ""
    #: Who e-mails come from: an address, or a name and <an address>.
    mail_sender: str = ""
    #: Hours that an e-mail is tried.
    mail_life_hours: Positive = 24
    #: Seconds that the mail server may take to answer.
    mail_timeout: Positive = 30
    mail_smtp_host: str = ""
    mail_smtp_port: Port = 587
    #: ``starttls``: plain at first, and TLS before anything is said (usual with port 587); ``tls``:
    #: from the first byte (465); ``none``: never.
    mail_smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    #: Empty: the mail server wants no log-in.
    mail_smtp_user: str = ""
    mail_smtp_password: str = ""

    #: Find positions by cells and Wi-Fi for messages without a fix, once there is a table of cells
    #: (``waypost admin cells import``) or a provider. ``docs/location.md``.
    location: bool = True
    #: The provider's address of the form ``geolocate``, and its key; empty: none.
    location_url: str = ""
    location_key: str = ""
    #: Seconds that it may take to answer, and requests a second (0: no limit).
    location_timeout: Positive = 10
    location_rate: NotNegative = 5

    #: Log level, and form: ``text`` or ``json``.
    log_level: str = "info"
    log_format: str = "text"

    def __post_init__(self) -> None:
        for role in self.roles:
            if role not in ROLES:
                raise ValueError(f"roles: {role!r} is none of {', '.join(ROLES)}")
        if set(self.roles) != set(ROLES):
            if not self.database:
                raise ValueError(
                    "roles can be split over processes only with PostgreSQL (set database); "
                    "on SQLite one process does everything"
                )
            if not self.nats:
                raise ValueError(
                    "roles can be split over processes only with NATS between them (set nats)"
                )
        if self.public_address and not self.public_host:
            raise ValueError(
                f"public_address: {self.public_address!r} is neither a host name, an IP address "
                "nor a URL with one of them"
            )
        self._check_sms()
        if self.location_url and not self.location_url.startswith(("http://", "https://")):
            raise ValueError("location_url must begin with http:// or https://")
        self._check_mail()
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key go together")

    def _check_sms(self) -> None:
        if self.sms_provider == "smpp":
            for name in ("sms_smpp_host", "sms_smpp_system_id"):
                if not getattr(self, name):
                    raise ValueError(f"sms_provider smpp needs {name}")
            # SMPP 3.4, 4.1.1 and 4.4.1: fields of fixed lengths. Passwords are often longer.
            for name, longest in (
                ("sms_smpp_system_id", 15),
                ("sms_smpp_password", 255),
                ("sms_smpp_system_type", 12),
                ("sms_smpp_service_type", 5),
                ("sms_sender", 20),
            ):
                text = getattr(self, name)
                if len(text) > longest or not (text.isascii() and text.isprintable()):
                    raise ValueError(f"{name} must be plain ASCII of {longest} characters at most")
        if self.sms_provider == "http" and not self.sms_http_url.startswith(
            ("http://", "https://")
        ):
            raise ValueError("sms_provider http needs sms_http_url, with http:// or https://")
        if 0 < len(self.sms_http_secret) < 16:
            raise ValueError("sms_http_secret must have 16 characters or more")
        known = [f"{{{name}}}" for name in SMS_PLACEHOLDERS]
        for name in ("sms_http_url", "sms_http_headers", "sms_http_body"):
            for found in re.findall(r"\{\s*[A-Za-z_]\w*\s*\}", str(getattr(self, name))):
                if found not in known:
                    raise ValueError(f"{name}: {found} stands for nothing; use {', '.join(known)}")
        for header in self.sms_http_headers:
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+ *:[\x20-\x7e]*", header):
                raise ValueError("sms_http_headers: each must be Name: value, in ASCII")
        for name in ("sms_http_success", "sms_http_message_id"):
            try:
                re.compile(getattr(self, name))
            except re.error as error:
                raise ValueError(f"{name} is no regular expression: {error}") from None

    @property
    def public_host(self) -> str:
        """The host of ``public_address``; empty: there is none."""
        given = self.public_address.strip()
        try:
            parts = urlsplit(given if "://" in given else f"//{given}")
            host = parts.hostname if parts.port != 0 else None
        except ValueError:
            return ""
        return host if host and _HOST.fullmatch(host) else ""

    def _check_mail(self) -> None:
        if not self.mail_provider:
            return
        if not _MAIL_SENDER.fullmatch(self.mail_sender):
            raise ValueError(
                f"mail_provider {self.mail_provider} needs mail_sender: an address, or a name and "
                "<an address>"
            )
        if self.mail_provider == "smtp" and not self.mail_smtp_host:
            raise ValueError("mail_provider smtp needs mail_smtp_host")

    @property
    def sqlite(self) -> bool:
        return not self.database

    @property
    def single_process(self) -> bool:
        """Nobody else writes to the database: caches need no outside word."""
        return not self.nats


def environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that ``environ`` holds, as raw values. Lists are comma separated, ports are
    ``name=port`` pairs."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        raw = environ.get("WAYPOST_" + field.encode_name.upper())
        if raw is None:
            continue
        name = field.name
        if name == "device_port":
            found[name] = parse_ports([part for part in raw.split(",") if part])
        elif name in ("tls_certificate", "tls_key"):
            found[name] = raw or None
        elif isinstance(getattr(Settings(), name), list):
            found[name] = [part.strip() for part in raw.split(",") if part.strip()]
        else:
            found[name] = raw
    return found


def parse_ports(pairs: list[str]) -> dict[str, int]:
    """``["teltonika=5027", "all=0"]`` as a mapping. Raises :class:`SettingsError`."""
    ports: dict[str, int] = {}
    for pair in pairs:
        name, sep, number = pair.partition("=")
        if not sep or not number.strip().isdigit() or int(number) > 65535:
            raise SettingsError(
                f"device port {pair!r} is not PROTOCOL=PORT with a port from 0 to 65535"
            )
        ports[name.strip().lower()] = int(number)
    return ports


def _path(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str | Path):
        return Path(value)
    raise ValueError(f"expected a path, got {value!r}")


def load(
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """Settings from ``waypost.toml`` (``file``, or ``WAYPOST_CONFIG``, or the one in the working
    directory), then the environment, then ``overrides``. Raises :class:`SettingsError`."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    path = file or Path(environ.get("WAYPOST_CONFIG", "waypost.toml"))
    if path.exists():
        try:
            values.update(tomllib.loads(path.read_text()))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path}: {error}") from None
    elif file is not None or "WAYPOST_CONFIG" in environ:
        raise SettingsError(f"{path}: no such file")
    values.update(environment(environ))
    values.update({name: value for name, value in (overrides or {}).items() if value is not None})
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise SettingsError(f"settings: {error}") from None

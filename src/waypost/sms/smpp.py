"""The provider ``smpp``: a session with a short message centre, taken up again whenever it ends."""

from __future__ import annotations

import asyncio
import itertools
import math
import random
import time
from typing import Literal

import structlog

from waypost.settings import Settings
from waypost.sms import smpp_pdu as pdu
from waypost.sms.assembly import Assembly
from waypost.sms.provider import (
    Accepted,
    Incoming,
    NotNow,
    NotSent,
    Outgoing,
    Owner,
    Pace,
    Rejected,
    Report,
    SendError,
    Unavailable,
    Uncertain,
)
from waypost.sms.smpp_session import BindRefused, Login, Session
from waypost.sms.text import Alphabet, Part, TextError, choose, divide, encode

log = structlog.get_logger()

#: Seconds between two tries to connect: the first, and the longest.
FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
#: ``data_coding`` of an alphabet (5.2.19).
_CODING = {Alphabet.GSM: 0x00, Alphabet.LATIN1: 0x03, Alphabet.UCS2: 0x08}
#: Type of number and numbering plan of a sender (5.2.5, 5.2.6).
_SENDER_TYPES = {
    "unknown": (0, 0),
    "international": (1, 1),
    "national": (2, 1),
    "short": (3, 0),
    "name": (5, 0),
}


class SmppProvider:
    """The provider."""

    name = "smpp"

    def __init__(self, settings: Settings) -> None:
        self._login = Login(
            settings.sms_smpp_host,
            settings.sms_smpp_port,
            settings.sms_smpp_tls,
            settings.sms_smpp_system_id,
            settings.sms_smpp_password,
            settings.sms_smpp_system_type,
        )
        self._timeout = float(settings.sms_timeout)
        self._silence = float(settings.sms_smpp_enquire)
        self._alphabet = Alphabet(settings.sms_smpp_alphabet)
        self._long: Literal["udh", "sar", "payload"] = settings.sms_smpp_long
        self._service_type = settings.sms_smpp_service_type
        self._reports = settings.sms_smpp_reports
        self._sent_id: pdu.MessageId = settings.sms_smpp_sent_id
        self._report_id: pdu.MessageId = settings.sms_smpp_report_id
        kind = settings.sms_smpp_sender_type
        self._sender = settings.sms_sender.removeprefix("+")
        self._sender_type = _SENDER_TYPES[_guess(self._sender) if kind == "auto" else kind]
        self._pace = Pace(settings.sms_rate)
        # Begins anywhere, so that parts of messages from before a restart do not mix with new ones.
        self._references = itertools.cycle(
            (*range(first := random.randrange(256), 256), *range(first))
        )
        self._session: Session | None = None
        self._owner: Owner | None = None
        self._assembly = Assembly(self._complete)
        self._task: asyncio.Task[None] | None = None
        self._trouble: str | None = "not connected yet"

    @property
    def trouble(self) -> str | None:
        if self._session is not None and self._session.ended is not None:
            return f"no connection to the SMSC: {self._session.ended}"
        return self._trouble or self._pace.trouble

    def start(self, owner: Owner) -> None:
        self._owner = owner
        self._task = asyncio.create_task(self._keep_connected(), name="smpp")

    def stop(self) -> None:
        self._pace.close()

    async def close(self) -> None:
        self.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._session is not None:
            await self._session.close()
            self._session = None
        self._trouble = "closed"
        await self._assembly.close()

    # The connection.

    async def _keep_connected(self) -> None:
        delay = FIRST_DELAY
        while True:
            try:
                session = await Session.open(
                    self._login, self._delivered, timeout=self._timeout, longest=self._silence
                )
            except (OSError, BindRefused) as error:
                self._lost(str(error) or "no answer in time")
            else:
                delay = FIRST_DELAY
                self._session, self._trouble = session, None
                log.info("smsc_connected", host=self._login.host, port=self._login.port)
                self._changed()
                await session.wait_end()
                self._session = None
                self._lost(session.ended or "ended")
            await asyncio.sleep(delay * random.uniform(0.8, 1.2))
            delay = min(delay * 2, LONGEST_DELAY)

    def _lost(self, reason: str) -> None:
        was, self._trouble = self._trouble, f"no connection to the SMSC: {reason}"
        if self._trouble != was:
            log.warning("smsc_away", host=self._login.host, port=self._login.port, reason=reason)
        self._changed()

    def _changed(self) -> None:
        if self._owner is not None:
            self._owner.changed()

    # Sending.

    async def send(self, message: Outgoing) -> Accepted:
        alphabet = choose(message.text, self._alphabet)
        try:
            parts = divide(message.text, alphabet)
            payload = self._long == "payload" and len(parts) > 1
            if payload:
                parts = [Part(encode(message.text, alphabet), 1, 1)]
        except TextError as error:
            raise Rejected(str(error)) from None
        reference = next(self._references)
        ids: list[str | None] = []
        for part in parts:
            try:
                ids.append(
                    await self._send_part(
                        message, part, alphabet, reference, payload=payload, begun=bool(ids)
                    )
                )
            except (NotSent, NotNow) as error:
                if not ids:
                    raise
                raise Uncertain(f"after {len(ids)} of {len(parts)} parts: {error}") from None
            except SendError as error:
                if not ids:
                    raise
                raise type(error)(f"after {len(ids)} of {len(parts)} parts: {error}") from None
        named = tuple(message_id for message_id in ids if message_id is not None)
        # Without an id for every part no report can say that the whole has arrived.
        reported = self._reports and len(named) == len(parts)
        return Accepted(named, len(parts), reported=reported)

    async def _send_part(
        self,
        message: Outgoing,
        part: Part,
        alphabet: Alphabet,
        reference: int,
        *,
        payload: bool,
        begun: bool,
    ) -> str | None:
        """The centre's id of the part, if it gives one. Raises :class:`SendError`."""
        whole = part.of == 1
        numbered = (reference, part.number, part.of)
        user_header = bytes((5, 0, 3, reference, part.of, part.number))

        def make(sequence: int) -> bytes:
            left = math.ceil((message.expires_at - time.time() * 1000) / 1000)
            return pdu.submit_packet(
                sequence,
                pdu.Addressing(self._sender, *self._sender_type, message.to),
                part.data,
                coding=_CODING[alphabet],
                validity=left,
                user_header=b"" if whole or self._long == "sar" else user_header,
                sar=numbered if not whole and self._long == "sar" else None,
                payload=payload,
                service_type=self._service_type,
                report=self._reports,
            )

        while True:
            await self._pace.turn(message, begun=begun)
            session = self._session
            if session is None:
                raise NotSent(self.trouble or "no connection to the SMSC")
            try:
                header, body = await session.submit(make)
            except pdu.PduError as error:
                raise Rejected(str(error)) from None
            if header.status in pdu.SLOWER:
                self._pace.slower()
            if header.status == pdu.THROTTLED:
                continue
            if header.status == pdu.OK and header.command != pdu.GENERIC_NACK:
                self._pace.well()
                return pdu.read_message_id(body, self._sent_id)
            reason = f"the SMSC answers: {pdu.describe(header.status)}"
            raise (NotNow if header.status in pdu.LATER else Rejected)(reason)

    # Receiving.

    async def _delivered(self, data: bytes) -> None:
        found = pdu.read_delivery(data, self._alphabet, self._report_id)
        if self._owner is None or found is None:
            return
        if isinstance(found, Report):
            await self._owner.report(self.name, found)
        elif isinstance(found, Incoming):
            await self._owner.incoming(self.name, found)
        else:
            await self._assembly.add(found)

    async def _complete(self, message: Incoming) -> None:
        if self._owner is None:
            raise Unavailable
        await self._owner.incoming(self.name, message)


def _guess(sender: str) -> str:
    """The type of a sender: a name, a short code, or an international number."""
    if not sender:
        return "unknown"
    if not sender.isdigit():
        return "name"
    return "short" if len(sender) <= 6 else "international"

"""One bound SMPP session: requests with their answers, requests of the other side, its end.

It is answered to a delivery only once that is stored: what the centre believes delivered it never
sends again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from waypost.sms import smpp_pdu as pdu
from waypost.sms.provider import NotSent, Unavailable, Uncertain

log = structlog.get_logger()

#: Deliveries that wait to be stored; more than this are refused for the moment.
MOST_DELIVERIES = 1000
#: Seconds that the end of a connection may take.
CLOSING = 3.0
_LAST_SEQUENCE = 0x7FFFFFFF

OnDelivery = Callable[[bytes], Awaitable[None]]
"""Gets a whole ``deliver_sm``; raises :class:`~waypost.sms.smpp_pdu.PduError` or
:class:`~waypost.sms.provider.Unavailable`."""


class BindRefused(Exception):
    """The centre does not let us in; the text says why."""


class Login(msgspec.Struct, frozen=True):
    """Where a centre is, and who we are there."""

    host: str
    port: int
    tls: bool
    system_id: str
    password: str
    system_type: str


class Session:
    """Make it with :meth:`open`."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        on_delivery: OnDelivery,
        timeout: float,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._on_delivery = on_delivery
        self._timeout = timeout
        self._sequence = 0
        self._waiting: dict[int, tuple[int, asyncio.Future[tuple[pdu.Header, bytes]]]] = {}
        self._deliveries: set[asyncio.Task[None]] = set()
        self._heard = 0.0
        #: Why it ended; None: it has not.
        self.ended: str | None = None
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls, login: Login, on_delivery: OnDelivery, *, timeout: float, longest: float
    ) -> Session:
        """Connects and binds as transceiver. ``timeout`` is the longest wait for an answer,
        ``longest`` the longest silence before the other side is asked whether it is there, both in
        seconds. Raises OSError (TimeoutError too) or :class:`BindRefused`."""
        context = ssl.create_default_context() if login.tls else None
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(login.host, login.port, ssl=context)
        session = cls(reader, writer, on_delivery, timeout)
        session._reading = asyncio.create_task(session._read(longest), name="smpp session")
        try:
            await session._bind(login)
        except asyncio.CancelledError:
            session._end("not bound")
            raise
        except BindRefused:
            await session._give_up("not bound")
            raise
        return session

    async def _bind(self, login: Login) -> None:
        sequence = self._next_sequence()
        packet = pdu.bind_packet(sequence, login.system_id, login.password, login.system_type)
        try:
            header, _ = await self._request(sequence, pdu.BIND_TRANSCEIVER, packet)
        except (NotSent, Uncertain) as error:
            raise BindRefused(f"no answer to the log-in: {error}") from None
        if header.status != pdu.OK:
            raise BindRefused(f"the log-in is refused: {pdu.describe(header.status)}")

    async def submit(self, make: Callable[[int], bytes]) -> tuple[pdu.Header, bytes]:
        """Sends the packet that ``make`` puts together for a sequence number; the response's header
        and body. Raises :class:`NotSent`, :class:`Uncertain`, and what ``make`` raises."""
        sequence = self._next_sequence()
        return await self._request(sequence, pdu.SUBMIT_SM, make(sequence))

    async def wait_end(self) -> None:
        """Returns when the session has ended."""
        if self._reading is not None:
            await asyncio.wait({self._reading})

    async def close(self) -> None:
        """Says good-bye, and ends."""
        if self.ended is None:
            with contextlib.suppress(NotSent, Uncertain, TimeoutError):
                async with asyncio.timeout(min(self._timeout, CLOSING)):
                    sequence = self._next_sequence()
                    await self._request(sequence, pdu.UNBIND, pdu.packet(pdu.UNBIND, sequence))
        await self._give_up("closed by us")

    async def _give_up(self, reason: str) -> None:
        self._end(reason)
        await self.wait_end()

    # Requests of ours.

    def _next_sequence(self) -> int:
        self._sequence = self._sequence % _LAST_SEQUENCE + 1
        return self._sequence

    async def _request(self, sequence: int, command: int, data: bytes) -> tuple[pdu.Header, bytes]:
        if self.ended is not None:
            raise NotSent(self.ended)
        answer: asyncio.Future[tuple[pdu.Header, bytes]]
        answer = asyncio.get_running_loop().create_future()
        self._waiting[sequence] = (command, answer)
        self._writer.write(data)
        try:
            async with asyncio.timeout(self._timeout):
                await self._writer.drain()
                return await answer
        except TimeoutError:
            raise Uncertain(f"no answer within {self._timeout:g} s") from None
        except OSError as error:
            raise Uncertain(f"the connection ended before an answer: {error}") from None
        finally:
            self._waiting.pop(sequence, None)

    # The other side.

    async def _read(self, longest: float) -> None:
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        alive = asyncio.create_task(self._keep_alive(longest), name="smpp keep-alive")
        try:
            while self.ended is None:
                head = await self._reader.readexactly(pdu.HEADER)
                header = pdu.read_header(head)
                body = await self._reader.readexactly(header.length - pdu.HEADER)
                self._heard = loop.time()
                self._handle(header, head, body)
                # Who does not read our answers is not read either.
                await self._writer.drain()
        except asyncio.IncompleteReadError:
            self._end("the SMSC ended the connection")
        except OSError as error:
            self._end(f"the connection broke: {error}")
        except pdu.PduError as error:
            self._end(str(error))
        finally:
            alive.cancel()
            for task in self._deliveries:
                task.cancel()
            await self._close_socket()

    async def _close_socket(self) -> None:
        try:
            async with asyncio.timeout(CLOSING):
                await self._writer.wait_closed()
        except (OSError, ssl.SSLError):  # nobody reads what is still to be written, or it broke
            self._writer.transport.abort()

    def _handle(self, header: pdu.Header, head: bytes, body: bytes) -> None:
        if header.is_response:
            self._answered(header, body)
        elif header.command == pdu.DELIVER_SM:
            if len(self._deliveries) >= MOST_DELIVERIES:
                self._writer.write(pdu.response_packet(header, pdu.QUEUE_FULL))
                return
            task = asyncio.create_task(self._deliver(header, head + body))
            self._deliveries.add(task)
            task.add_done_callback(self._deliveries.discard)
        elif header.command == pdu.ENQUIRE_LINK:
            self._writer.write(pdu.response_packet(header))
        elif header.command == pdu.UNBIND:
            self._writer.write(pdu.response_packet(header))
            self._end("the SMSC said good-bye")
        elif header.command != pdu.ALERT_NOTIFICATION:  # which has no response
            nack = pdu.packet(pdu.GENERIC_NACK, header.sequence, status=pdu.INVALID_COMMAND)
            self._writer.write(nack)

    def _answered(self, header: pdu.Header, body: bytes) -> None:
        command, answer = self._waiting.get(header.sequence, (0, None))
        if answer is None or answer.done():
            log.warning("sms_answer_to_nothing", sequence=header.sequence)
        elif header.command in (command | pdu.RESPONSE, pdu.GENERIC_NACK):
            answer.set_result((header, body))
        else:
            answer.set_exception(Uncertain("the SMSC answered something else than was asked"))

    async def _deliver(self, header: pdu.Header, data: bytes) -> None:
        status = pdu.OK
        try:
            await self._on_delivery(data)
        except pdu.PduError as error:
            log.warning("sms_delivery_unreadable", error=str(error))
            status = pdu.INVALID_PARAMETER_LENGTH
        except Unavailable:
            status = pdu.TEMPORARY_ERROR
        except Exception:
            log.exception("sms_delivery_failed")
            status = pdu.SYSTEM_ERROR
        if self.ended is None:
            self._writer.write(pdu.response_packet(header, status))

    async def _keep_alive(self, longest: float) -> None:
        loop = asyncio.get_running_loop()
        while True:
            silence = loop.time() - self._heard
            if silence < longest:
                await asyncio.sleep(longest - silence)
                continue
            sequence = self._next_sequence()
            question = pdu.packet(pdu.ENQUIRE_LINK, sequence)
            try:
                await self._request(sequence, pdu.ENQUIRE_LINK, question)
            except (NotSent, Uncertain) as error:
                self._end(f"the SMSC is silent: {error}")
                return

    def _end(self, reason: str) -> None:
        if self.ended is not None:
            return
        self.ended = reason
        for _, answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(Uncertain(reason))
        self._writer.close()

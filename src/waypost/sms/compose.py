"""What a command says by SMS. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from waypost.commands.shown import hide
from waypost.fleet.registration import Invitation
from waypost.fleet.telling import protocol_of
from waypost.protocols.base import Command, CommandError, Device, Text


def compose(command: Command, device: Device) -> list[Text]:
    """The texts that carry a command, to be sent in this order. Raises
    :class:`~waypost.protocols.base.CommandError` where there is no way to say it."""
    if command.kind == "text":
        return [Text(command.text)]
    if command.kind == "invitation":
        try:
            told = msgspec.json.decode(command.payload, type=Invitation)
        except msgspec.MsgspecError as error:
            raise CommandError(f"not an invitation: {error}") from None
        return [Text(f"{told.label}: log in to the tracking app with the id {told.device_id}")]
    protocol = protocol_of(device.model or "")
    if protocol is None:
        raise CommandError(f"nothing is known of SMS to a device of model {device.model}")
    speaker = protocol()
    return [speaker.by_sms(text, device) for text in speaker.instructions(command, device)]


def compose_row(row: Any) -> list[Text]:
    """The same for a command's row, which has the columns of its source that a device has."""
    device = Device(row.device_id, row.model, dict(row.setup), row.password)
    return compose(Command(row.id, row.payload, row.kind), device)


def shown(texts: list[Text]) -> str:
    """The texts as people may see them: without their secrets."""
    return "\n".join(hide(text.text, text.secrets) for text in texts)

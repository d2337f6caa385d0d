"""SMS as the settings want it."""

from __future__ import annotations

from collections.abc import Callable

from waypost.settings import Settings
from waypost.sms.provider import Provider


def provider_maker(settings: Settings) -> Callable[[], Provider] | None:
    """What makes the provider; None: there is none. Providers are imported only where they are
    used."""

    def smpp() -> Provider:
        from waypost.sms.smpp import SmppProvider

        return SmppProvider(settings)

    def http() -> Provider:
        from waypost.sms.http import HttpProvider

        return HttpProvider(settings)

    def log() -> Provider:
        from waypost.sms.log import LogProvider

        return LogProvider()

    return {"smpp": smpp, "http": http, "log": log}.get(settings.sms_provider)

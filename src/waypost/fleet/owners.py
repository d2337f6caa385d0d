"""Whose devices they are: what registering asks of an account and its dealer."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, not_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from waypost.billing.codes import find_code, has_codes
from waypost.billing.start import Terms, default_terms, terms_of_code
from waypost.refusal import Refused
from waypost.store.tables import dealers, sources, trackers, users


class Owner(msgspec.Struct, frozen=True):
    """An account that registers devices."""

    user_id: int
    dealer_id: int
    legal_type: str
    #: Devices that the dealer may still register; None: no limit.
    dealer_places: int | None
    #: Trackers that the account has.
    trackers: int
    #: Plugin 37 asks for an activation code.
    needs_code: bool
    #: On which terms its devices start.
    terms: Terms

    @property
    def free_places(self) -> int | None:
        """Devices that may still be registered, by the dealer's limit and the tariff's; None: any
        number."""
        tariff = self.terms.tariff
        limits = [] if tariff is None else [tariff.device_limit - self.trackers]
        if self.dealer_places is not None:
            limits.append(self.dealer_places)
        return min(limits, default=None)

    @property
    def retention_days(self) -> int | None:
        """Days that points are kept; None: as the server's settings say."""
        return None if self.terms.tariff is None else self.terms.tariff.retention_days

    def check_tariff(self) -> None:
        """Raises :class:`Refused` 225 where the tariff is not for this legal type."""
        if self.terms.tariff is not None and not self.terms.tariff.is_for(self.legal_type):
            raise Refused(225)

    async def with_code(
        self, connection: AsyncConnection, code: str | None, *, needed: bool
    ) -> Owner:
        """The same, on the terms of an activation code where one is given. Clients send some code
        wherever a plugin has the field: where none is needed and the dealer has made none, it
        means nothing. Raises :class:`Refused` 227 for a wrong one, or none where it is needed."""
        if not code:
            if needed:
                raise Refused(227)
            return self
        if not needed and not await has_codes(connection, self.dealer_id):
            return self
        terms = terms_of_code(await find_code(connection, self.dealer_id, code))
        return msgspec.structs.replace(self, terms=terms)


async def load_owner(connection: AsyncConnection, user_id: int) -> Owner:
    """The account as it is in this transaction. Registrations of one dealer take turns, so that its
    limit holds. Raises :class:`Refused` 201 for an account that is not there."""
    user = (
        await connection.execute(
            select(
                users.c.id, users.c.dealer_id, users.c.legal_type, users.c.default_tariff_id
            ).where(users.c.id == user_id, not_(users.c.deleted), users.c.master_id.is_(None))
        )
    ).one_or_none()
    if user is None:
        raise Refused(201)
    dealer = (
        await connection.execute(
            select(dealers.c.device_limit, dealers.c.settings)
            .where(dealers.c.id == user.dealer_id)
            .with_for_update(key_share=True)
        )
    ).one()
    free: int | None = None
    if dealer.device_limit is not None:
        had = await connection.scalar(
            select(func.count())
            .select_from(sources)
            .where(sources.c.dealer_id == user.dealer_id, not_(sources.c.corrupted))
        )
        free = dealer.device_limit - (had or 0)
    count = await connection.scalar(
        select(func.count())
        .select_from(trackers)
        .where(trackers.c.user_id == user_id, not_(trackers.c.deleted))
    )
    return Owner(
        user_id=user_id,
        dealer_id=user.dealer_id,
        legal_type=user.legal_type,
        dealer_places=free,
        trackers=count or 0,
        needs_code=bool(dealer.settings.get("activation_code_required")),
        terms=await default_terms(connection, user, dealer.settings),
    )


async def sends_commands(connection: AsyncConnection, dealer_id: int, wanted: bool | None) -> bool:
    """Is a device to be set up by commands, where a call wants them, does not, or (None) leaves it
    to the dealer's settings?"""
    if wanted is not None:
        return wanted
    settings = await connection.scalar(select(dealers.c.settings).where(dealers.c.id == dealer_id))
    return bool((settings or {}).get("send_register_commands", True))

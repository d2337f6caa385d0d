"""A method for each action. Written by scripts/make_client.py."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar

from waypost.client._core import Listed, Nothing, Page, Upload, Value
from waypost.client._generated import types

T = TypeVar("T")


class Session(Protocol):
    """What makes the calls."""

    def call(self, api: str, path: str, parameters: Mapping[str, Any], type_: type[T]) -> T: ...


class UserApiKey:
    """``api/key/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, *, title: str) -> types.ApiKey:
        """Makes an API key: a hash that does not end by itself. An account has at most 20. For
        master users. Not for API keys or sessions made by others. Refused with 13, 268."""
        return self._session.call(
            "user", "api/key/create", {"title": title}, Value[types.ApiKey]
        ).value

    def delete(self, *, key: str | None = None, api_key: str | None = None) -> None:
        """Deletes an API key, named by `key` (or `api_key`); it is refused from then on. For
        master users. Not for API keys or sessions made by others. Refused with 13, 201."""
        self._session.call("user", "api/key/delete", {"key": key, "api_key": api_key}, Nothing)

    def list(self) -> builtins.list[types.ApiKey]:
        """The account's API keys, oldest first. For master users. Not for API keys or sessions
        made by others. Refused with 13."""
        return self._session.call("user", "api/key/list", {}, Listed[types.ApiKey]).items


class UserApi:
    """``api/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.key = UserApiKey(session)


class UserApnSettings:
    """``apn_settings/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, phone: str) -> types.ApnSettings:
        """The access point that a device of the account with this phone number uses. Refused
        with 201."""
        return self._session.call(
            "user", "apn_settings/read", {"phone": phone}, Value[types.ApnSettings]
        ).value


class UserDealer:
    """``dealer/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_ui_config(self, *, domain: str | None = None) -> types.UiConfig:
        """The dealer whose interface is served at `domain`, else the caller's. While the first
        dealer of the server has no domain of its own, every domain that is nobody's is its.
        Needs no session. Refused with 12."""
        return self._session.call(
            "user", "dealer/get_ui_config", {"domain": domain}, types.UiConfig
        )


class UserPaymentSystem:
    """``payment_system/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> builtins.list[types.PaymentSystem]:
        """How the account can be filled: by the page that the dealer names in its settings, if
        any. Sub-users need the right payment_create. Refused with 13."""
        return self._session.call(
            "user", "payment_system/list", {}, Listed[types.PaymentSystem]
        ).items


class UserPlugin:
    """``plugin/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> builtins.list[types.PluginObject]:
        """The ways to register trackers, and for which models each is."""
        return self._session.call("user", "plugin/list", {}, Listed[types.PluginObject]).items


class UserStatusListingTracker:
    """``status/listing/tracker/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def assign(self, *, tracker_id: int, listing_id: int | None = None) -> None:
        """Gives a tracker a list of working statuses; without `listing_id`: takes it off.
        Sub-users need the right tracker_update. Refused with 13, 201, 204, 208, 219, 236."""
        self._session.call(
            "user",
            "status/listing/tracker/assign",
            {"tracker_id": tracker_id, "listing_id": listing_id},
            Nothing,
        )


class UserStatusListing:
    """``status/listing/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.tracker = UserStatusListingTracker(session)

    def create(self, *, listing: types.NewListing) -> int:
        """Makes an empty list. Sub-users need the right tracker_update. Refused with 13, 236,
        268."""
        return self._session.call(
            "user", "status/listing/create", {"listing": listing}, types.Identified
        ).id

    def delete(self, *, listing_id: int) -> None:
        """Deletes a list with its statuses; trackers that had it have none. Sub-users need the
        right tracker_update. Refused with 13, 201, 236."""
        self._session.call("user", "status/listing/delete", {"listing_id": listing_id}, Nothing)

    def list(self) -> builtins.list[types.Listing]:
        """The account's lists of working statuses. Refused with 236."""
        return self._session.call("user", "status/listing/list", {}, Listed[types.Listing]).items

    def update(self, *, listing: types.NewListing) -> None:
        """Changes the list `listing.id`; `entries` are all of its statuses in their new order.
        Sub-users need the right tracker_update. Refused with 13, 201, 236, 262."""
        self._session.call("user", "status/listing/update", {"listing": listing}, Nothing)


class UserStatusTracker:
    """``status/tracker/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def assign(self, *, tracker_id: int, new_status_id: int) -> types.StatusTrackerChanged:
        """Gives a tracker a status of its list. Refused with 13, 201, 204, 208, 219, 236, 263."""
        return self._session.call(
            "user",
            "status/tracker/assign",
            {"tracker_id": tracker_id, "new_status_id": new_status_id},
            types.StatusTrackerChanged,
        )

    def list(self, *, trackers: Sequence[int]) -> dict[str, types.Current]:
        """The working statuses of several trackers, by their ids. Refused with 217, 221, 236."""
        return self._session.call(
            "user", "status/tracker/list", {"trackers": trackers}, Value[dict[str, types.Current]]
        ).value

    def read(self, *, tracker_id: int) -> types.Current:
        """The working status of a tracker. Refused with 201, 208, 219, 236."""
        return self._session.call(
            "user", "status/tracker/read", {"tracker_id": tracker_id}, types.Current
        )


class UserStatus:
    """``status/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.listing = UserStatusListing(session)
        self.tracker = UserStatusTracker(session)

    def create(self, *, listing_id: int, status: types.NewStatus) -> int:
        """Adds a status to the end of a list. Sub-users need the right tracker_update. Refused
        with 13, 201, 236, 268."""
        return self._session.call(
            "user", "status/create", {"listing_id": listing_id, "status": status}, types.Identified
        ).id

    def delete(self, *, status_id: int) -> None:
        """Deletes a status; trackers that have it have none. Sub-users need the right
        tracker_update. Refused with 13, 201, 236."""
        self._session.call("user", "status/delete", {"status_id": status_id}, Nothing)

    def list(self, *, listing_id: int) -> builtins.list[types.Status]:
        """The statuses of a list in their order; none where there is no such list. Refused
        with 236."""
        return self._session.call(
            "user", "status/list", {"listing_id": listing_id}, Listed[types.Status]
        ).items

    def update(self, *, status: types.NewStatus) -> None:
        """Changes the status `status.id`. Sub-users need the right tracker_update. Refused
        with 13, 201, 236."""
        self._session.call("user", "status/update", {"status": status}, Nothing)


class UserSubuserSecurityGroup:
    """``subuser/security_group/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def assign(self, *, group_id: int | None, subuser_ids: Sequence[int]) -> None:
        """Puts sub-users into a security group, or (null) into none. For master users. Refused
        with 13, 201, 236."""
        self._session.call(
            "user",
            "subuser/security_group/assign",
            {"group_id": group_id, "subuser_ids": subuser_ids},
            Nothing,
        )

    def create(self, *, group: types.SecurityGroup) -> int:
        """Makes a security group. For master users. Refused with 13, 236."""
        return self._session.call(
            "user", "subuser/security_group/create", {"group": group}, types.Identified
        ).id

    def delete(self, *, security_group_id: int) -> None:
        """Deletes a security group; those in it have no rights from then on. For master users.
        Refused with 13, 201, 236."""
        self._session.call(
            "user",
            "subuser/security_group/delete",
            {"security_group_id": security_group_id},
            Nothing,
        )

    def list(self) -> builtins.list[types.ShownGroup]:
        """All security groups of the account. For master users. Refused with 13, 236."""
        return self._session.call(
            "user", "subuser/security_group/list", {}, Listed[types.ShownGroup]
        ).items

    def update(self, *, group: types.SecurityGroup) -> None:
        """Changes the security group `group.id`; those in it have its new rights at once. For
        master users. Refused with 13, 201, 236."""
        self._session.call("user", "subuser/security_group/update", {"group": group}, Nothing)


class UserSubuserSession:
    """``subuser/session/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, *, subuser_id: int) -> str:
        """Makes a session of a sub-user. For master users. Refused with 13, 103, 201, 236."""
        return self._session.call(
            "user", "subuser/session/create", {"subuser_id": subuser_id}, types.Hashed
        ).hash


class UserSubuserTracker:
    """``subuser/tracker/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def bind(self, *, subuser_id: int, trackers: Sequence[int]) -> None:
        """Lets a sub-user see these trackers too. For master users. Refused with 13, 201, 236,
        262."""
        self._session.call(
            "user",
            "subuser/tracker/bind",
            {"subuser_id": subuser_id, "trackers": trackers},
            Nothing,
        )

    def list(self, *, subuser_id: int) -> builtins.list[int]:
        """Ids of the trackers that a sub-user sees. For master users. Refused with 13, 201,
        236."""
        return self._session.call(
            "user", "subuser/tracker/list", {"subuser_id": subuser_id}, Listed[int]
        ).items

    def unbind(self, *, subuser_id: int, trackers: Sequence[int]) -> None:
        """Takes these trackers from a sub-user's sight. For master users. Refused with 13,
        201, 236, 262."""
        self._session.call(
            "user",
            "subuser/tracker/unbind",
            {"subuser_id": subuser_id, "trackers": trackers},
            Nothing,
        )


class UserSubuser:
    """``subuser/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.security_group = UserSubuserSecurityGroup(session)
        self.session = UserSubuserSession(session)
        self.tracker = UserSubuserTracker(session)

    def delete(self, *, subuser_id: int) -> None:
        """Deletes a sub-user for good; its sessions end. For master users. Refused with 13,
        201, 236."""
        self._session.call("user", "subuser/delete", {"subuser_id": subuser_id}, Nothing)

    def list(self) -> builtins.list[types.ShownSubuser]:
        """All sub-users of the account. For master users. Refused with 13, 236."""
        return self._session.call("user", "subuser/list", {}, Listed[types.ShownSubuser]).items

    def register(self, *, user: types.Subuser, password: str) -> int:
        """Makes a sub-user of the account. It sees no tracker until some are bound to it. For
        master users. Refused with 13, 201, 206, 236."""
        return self._session.call(
            "user", "subuser/register", {"user": user, "password": password}, types.Identified
        ).id

    def update(self, *, user: types.Subuser) -> None:
        """Changes the sub-user `user.id`. For master users. Refused with 13, 201, 206, 236."""
        self._session.call("user", "subuser/update", {"user": user}, Nothing)


class UserTag:
    """``tag/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, *, tag: types.NewTag) -> int:
        """Makes a tag. Sub-users need the right tag_update. Refused with 13."""
        return self._session.call("user", "tag/create", {"tag": tag}, types.Identified).id

    def delete(self, *, tag_id: int | None = None, tag_ids: Sequence[int] | None = None) -> None:
        """Deletes one tag, or several, of which unknown ones are passed over; they come off
        all trackers. Sub-users need the right tag_update. Refused with 13, 201."""
        self._session.call("user", "tag/delete", {"tag_id": tag_id, "tag_ids": tag_ids}, Nothing)

    def list(self, *, filter: str | None = None) -> builtins.list[types.Tag]:
        """The account's tags, or those with `filter` in their name."""
        return self._session.call("user", "tag/list", {"filter": filter}, Listed[types.Tag]).items

    def search(
        self,
        *,
        tag_ids: Sequence[int],
        entity_types: Sequence[
            Literal["place", "task", "task_schedule", "employee", "vehicle", "zone", "tracker"]
        ]
        | None = None,
    ) -> types.Found:
        """What has all of these tags: trackers and vehicles; there are no tagged entities of
        other types."""
        return self._session.call(
            "user", "tag/search", {"tag_ids": tag_ids, "entity_types": entity_types}, types.Found
        )

    def update(self, *, tag: types.NewTag) -> None:
        """Changes the tag `tag.id`. Sub-users need the right tag_update. Refused with 13, 201."""
        self._session.call("user", "tag/update", {"tag": tag}, Nothing)


class UserTariffTracker:
    """``tariff/tracker/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def change(self, *, tracker_id: int, tariff_id: int) -> None:
        """Another tariff for a tracker: active, of the same group, and for the account's legal
        type. Within 30 days of the last change it costs the present tariff's
        `early_change_price`. For master users. Refused with 13, 201, 219, 221, 237, 238, 239,
        240, 251."""
        self._session.call(
            "user",
            "tariff/tracker/change",
            {"tracker_id": tracker_id, "tariff_id": tariff_id},
            Nothing,
        )

    def list(self, *, tracker_id: int) -> types.Choices:
        """The tariffs that a tracker can be changed to, even where it is too early for that.
        Refused with 201, 219, 237."""
        return self._session.call(
            "user", "tariff/tracker/list", {"tracker_id": tracker_id}, types.Choices
        )


class UserTariff:
    """``tariff/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.tracker = UserTariffTracker(session)

    def list(
        self, *, device_type: Literal["tracker", "camera", "socket"] | None = None
    ) -> builtins.list[types.UserTariff]:
        """The dealer's tariffs for the account's legal type."""
        return self._session.call(
            "user", "tariff/list", {"device_type": device_type}, Listed[types.UserTariff]
        ).items


class UserTimezone:
    """``timezone/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, *, locale: str) -> builtins.list[types.TimeZone]:
        """All time zones, west to east. Needs no session."""
        return self._session.call(
            "user", "timezone/list", {"locale": locale}, Listed[types.TimeZone]
        ).items


class UserTrack:
    """``track/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(
        self,
        *,
        tracker_id: int,
        from_: datetime | str,
        to: datetime | str,
        filter: bool | None = None,
        split: bool | None = None,
        include_gsm_lbs: bool | None = None,
        cluster_single_reports: bool | None = None,
        count_events: bool | None = None,
        omit_addresses: bool | None = None,
        with_points: bool | None = None,
        point_limit: int | None = None,
    ) -> types.Tracks:
        """Trips of a tracker in a period. `filter`: without those that are too short to be
        trips. `split` false: all as one. Addresses are empty without a geocoder. Refused with
        201, 208, 211."""
        return self._session.call(
            "user",
            "track/list",
            {
                "tracker_id": tracker_id,
                "from": from_,
                "to": to,
                "filter": filter,
                "split": split,
                "include_gsm_lbs": include_gsm_lbs,
                "cluster_single_reports": cluster_single_reports,
                "count_events": count_events,
                "omit_addresses": omit_addresses,
                "with_points": with_points,
                "point_limit": point_limit,
            },
            types.Tracks,
        )

    def read(
        self,
        *,
        tracker_id: int,
        from_: datetime | str,
        to: datetime | str,
        track_id: int | None = None,
        include_gsm_lbs: bool | None = None,
        simplify: bool | None = None,
        point_limit: int | None = None,
        filter: bool | None = None,
    ) -> types.TrackPoints:
        """Positions of a tracker in a period, or of one track in it. `filter` true: only those
        that belong to trips. `simplify`: no more than `point_limit` (3000), the line being the
        same. Refused with 201, 208, 211."""
        return self._session.call(
            "user",
            "track/read",
            {
                "tracker_id": tracker_id,
                "from": from_,
                "to": to,
                "track_id": track_id,
                "include_gsm_lbs": include_gsm_lbs,
                "simplify": simplify,
                "point_limit": point_limit,
                "filter": filter,
            },
            types.TrackPoints,
        )


class UserTrackerApnSettings:
    """``tracker/apn_settings/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, tracker_id: int) -> types.ApnSettings:
        """The access point that was given for the device's SIM card. Refused with 201, 208,
        214."""
        return self._session.call(
            "user",
            "tracker/apn_settings/read",
            {"tracker_id": tracker_id},
            Value[types.ApnSettings],
        ).value


class UserTrackerAvatar:
    """``tracker/avatar/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def upload(self, *, tracker_id: int, file: Upload | None = None) -> str:
        """Sets the tracker's picture (PNG, JPEG, GIF or WebP of up to 4 MB, in a multipart
        form); the name of the file, which is served under `/static/tracker/avatars/`.
        Sub-users need the right tracker_update. Refused with 13, 201, 208, 233, 234, 254, 271."""
        return self._session.call(
            "user", "tracker/avatar/upload", {"tracker_id": tracker_id, "file": file}, Value[str]
        ).value


class UserTrackerCommandHistory:
    """``tracker/command/history/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(
        self, *, tracker_id: int, limit: int | None = None, offset: int | None = None
    ) -> Page[types.CommandView]:
        """Commands for the device, the newest first: their states, every attempt, and the
        answers. Sub-users need the right tracker_update. Refused with 13, 201, 208, 219."""
        return self._session.call(
            "user",
            "tracker/command/history/list",
            {"tracker_id": tracker_id, "limit": limit, "offset": offset},
            Page[types.CommandView],
        )


class UserTrackerCommandUnconfirmed:
    """``tracker/command/unconfirmed/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def count(self, *, tracker_id: int) -> types.Count:
        """How many commands wait for the device, or for its answer. Refused with 201, 204,
        208."""
        return self._session.call(
            "user", "tracker/command/unconfirmed/count", {"tracker_id": tracker_id}, types.Count
        )

    def reset(self, *, tracker_id: int) -> None:
        """Takes them all back. One that is under way cannot be stopped, but is not repeated.
        Sub-users need the right tracker_update. Refused with 13, 201, 204, 208."""
        self._session.call(
            "user", "tracker/command/unconfirmed/reset", {"tracker_id": tracker_id}, Nothing
        )


class UserTrackerCommand:
    """``tracker/command/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.history = UserTrackerCommandHistory(session)
        self.unconfirmed = UserTrackerCommandUnconfirmed(session)

    def create(self, *, tracker_id: int, command: types.CommandFields) -> types.Made:
        """Keeps a command with the tracker: `hardware` for the device, `http` for another
        server. Sub-users need the right tracker_update. Refused with 13, 201, 208, 268."""
        return self._session.call(
            "user",
            "tracker/command/create",
            {"tracker_id": tracker_id, "command": command},
            types.Made,
        )

    def delete(self, *, tracker_id: int, command_id: int) -> None:
        """Deletes a command. Sub-users need the right tracker_update. Refused with 13, 201,
        208."""
        self._session.call(
            "user",
            "tracker/command/delete",
            {"tracker_id": tracker_id, "command_id": command_id},
            Nothing,
        )

    def execute(self, *, tracker_id: int, command_id: int) -> None:
        """Sends a command: to the device at once where it is connected, else when it connects.
        Sub-users need the right tracker_update. Refused with 13, 201, 208, 268."""
        self._session.call(
            "user",
            "tracker/command/execute",
            {"tracker_id": tracker_id, "command_id": command_id},
            Nothing,
        )

    def update(self, *, tracker_id: int, command: types.CommandFields) -> types.Made:
        """Changes the command `command.id`. Sub-users need the right tracker_update. Refused
        with 13, 201, 208."""
        return self._session.call(
            "user",
            "tracker/command/update",
            {"tracker_id": tracker_id, "command": command},
            types.Made,
        )


class UserTrackerCounterData:
    """``tracker/counter/data/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(
        self,
        *,
        tracker_id: int,
        type: Literal["odometer", "engine_hours", "fuel_consumed"],
        from_: datetime | str,
        to: datetime | str,
    ) -> builtins.list[types.CounterDatum]:
        """What a counter showed in a period of 31 days at most, a value a minute at most.
        Refused with 201, 204, 208, 211."""
        return self._session.call(
            "user",
            "tracker/counter/data/read",
            {"tracker_id": tracker_id, "type": type, "from": from_, "to": to},
            Listed[types.CounterDatum],
        ).items


class UserTrackerCounterValue:
    """``tracker/counter/value/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(
        self, *, tracker_id: int, type: Literal["odometer", "engine_hours", "fuel_consumed"]
    ) -> float:
        """What a counter shows; 204 where there is none, or nobody set it and it has not
        counted. Refused with 201, 204, 208."""
        return self._session.call(
            "user",
            "tracker/counter/value/get",
            {"tracker_id": tracker_id, "type": type},
            Value[float],
        ).value

    def list(
        self, *, trackers: Sequence[int], type: Literal["odometer", "engine_hours", "fuel_consumed"]
    ) -> dict[str, float]:
        """What the counters of several trackers show; 204 where one shows nothing. Refused
        with 204, 217."""
        return self._session.call(
            "user",
            "tracker/counter/value/list",
            {"trackers": trackers, "type": type},
            Value[dict[str, float]],
        ).value

    def set(
        self,
        *,
        tracker_id: int,
        type: Literal["odometer", "engine_hours", "fuel_consumed"],
        value: float,
    ) -> None:
        """A counter shows `value` and counts on from there. Makes it where there was none.
        Refused with 201, 204, 208, 219."""
        self._session.call(
            "user",
            "tracker/counter/value/set",
            {"tracker_id": tracker_id, "type": type, "value": value},
            Nothing,
        )


class UserTrackerCounter:
    """``tracker/counter/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.data = UserTrackerCounterData(session)
        self.value = UserTrackerCounterValue(session)

    def read(
        self, *, tracker_id: int, type: Literal["odometer", "engine_hours", "fuel_consumed"]
    ) -> types.CounterObject:
        """How a counter counts. Refused with 201, 204, 208, 219."""
        return self._session.call(
            "user",
            "tracker/counter/read",
            {"tracker_id": tracker_id, "type": type},
            Value[types.CounterObject],
        ).value

    def update(
        self,
        *,
        tracker_id: int,
        type: Literal["odometer", "engine_hours", "fuel_consumed"],
        multiplier: float,
        sensor_id: int | None = None,
    ) -> None:
        """What a counter counts from now on is worth `multiplier` times as much; an odometer
        may count by a metering sensor. Sub-users need the right tracker_update. Refused with
        13, 201, 204, 208, 219."""
        self._session.call(
            "user",
            "tracker/counter/update",
            {
                "tracker_id": tracker_id,
                "type": type,
                "multiplier": multiplier,
                "sensor_id": sensor_id,
            },
            Nothing,
        )


class UserTrackerEngineImmobilizer:
    """``tracker/engine_immobilizer/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, tracker_id: int) -> types.Immobilizer:
        """Whether the engine is blocked: as the device reports its first output, or as it
        acknowledged a command since. Refused with 201, 204, 208, 214."""
        return self._session.call(
            "user", "tracker/engine_immobilizer/read", {"tracker_id": tracker_id}, types.Immobilizer
        )

    def set(self, *, tracker_id: int, enabled: bool) -> None:
        """Blocks the engine, or lets it go, by the device's first output. Sub-users need the
        right tracker_set_output. Refused with 13, 201, 204, 208, 213, 214, 219."""
        self._session.call(
            "user",
            "tracker/engine_immobilizer/set",
            {"tracker_id": tracker_id, "enabled": enabled},
            Nothing,
        )


class UserTrackerGroup:
    """``tracker/group/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def assign(self, *, id: int, trackers: Sequence[int]) -> None:
        """Puts trackers into a group, or with id 0 into none. For master users. Refused with
        13, 201, 217."""
        self._session.call(
            "user", "tracker/group/assign", {"id": id, "trackers": trackers}, Nothing
        )

    def create(self, *, title: str, color: str) -> int:
        """Makes an empty group. For master users. Refused with 13."""
        return self._session.call(
            "user", "tracker/group/create", {"title": title, "color": color}, types.Identified
        ).id

    def delete(self, *, id: int) -> None:
        """Deletes a group; its trackers are in none from then on. For master users. Refused
        with 13, 201."""
        self._session.call("user", "tracker/group/delete", {"id": id}, Nothing)

    def list(self) -> builtins.list[types.Group]:
        """All groups of the account. The unnamed group 0, of those in no group, is not among
        them."""
        return self._session.call("user", "tracker/group/list", {}, Listed[types.Group]).items

    def update(self, *, id: int, title: str, color: str) -> None:
        """Changes a group. For master users. Refused with 13, 201."""
        self._session.call(
            "user", "tracker/group/update", {"id": id, "title": title, "color": color}, Nothing
        )


class UserTrackerLed:
    """``tracker/led/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, tracker_id: int) -> bool:
        """Whether the device's lights are on, as it was set last; they are on at first.
        Refused with 201, 208, 214."""
        return self._session.call(
            "user", "tracker/led/read", {"tracker_id": tracker_id}, Value[bool]
        ).value

    def update(self, *, tracker_id: int, value: bool) -> None:
        """Switches the device's lights; it is told when it connects. Sub-users need the right
        tracker_update. Refused with 13, 201, 208, 214."""
        self._session.call(
            "user", "tracker/led/update", {"tracker_id": tracker_id, "value": value}, Nothing
        )


class UserTrackerOutput:
    """``tracker/output/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def set(self, *, tracker_id: int, output: int, enable: bool) -> None:
        """Switches one output of the device, counted from 1. Sub-users need the right
        tracker_set_output. Refused with 13, 201, 204, 208, 213, 214, 219."""
        self._session.call(
            "user",
            "tracker/output/set",
            {"tracker_id": tracker_id, "output": output, "enable": enable},
            Nothing,
        )

    def set_all(self, *, tracker_id: int, outputs: Sequence[bool]) -> None:
        """Switches all outputs of the device; there must be as many as its model has.
        Sub-users need the right tracker_set_output. Refused with 13, 201, 204, 208, 213, 214,
        219."""
        self._session.call(
            "user",
            "tracker/output/set_all",
            {"tracker_id": tracker_id, "outputs": outputs},
            Nothing,
        )

    def update(self, *, tracker_id: int, tracker_output: types.OutputInfo) -> None:
        """Gives a digital output a title. Sub-users need the right tracker_update. Refused
        with 13, 201, 208."""
        self._session.call(
            "user",
            "tracker/output/update",
            {"tracker_id": tracker_id, "tracker_output": tracker_output},
            Nothing,
        )


class UserTrackerRawCommand:
    """``tracker/raw_command/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def send(
        self,
        *,
        tracker_id: int,
        command: str,
        type: Literal["text", "hex"] | None = None,
        reliable: bool | None = None,
    ) -> None:
        """Queues a command for the device: at once where it is connected, else when it
        connects. `reliable`: repeated until the device answers; otherwise sent once at most.
        Refused with 268 while as many wait as the setting `commands_waiting` allows. Sub-users
        need the right tracker_configure and tracker_set_output. Refused with 13, 201, 208,
        268."""
        self._session.call(
            "user",
            "tracker/raw_command/send",
            {"tracker_id": tracker_id, "command": command, "type": type, "reliable": reliable},
            Nothing,
        )


class UserTrackerReadings:
    """``tracker/readings/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def batch_list(
        self,
        *,
        trackers: Sequence[int],
        sensor_type: str | None = None,
        include_components: bool | None = None,
    ) -> types.ManyReadings:
        """The same of several trackers. Refused with 217."""
        return self._session.call(
            "user",
            "tracker/readings/batch_list",
            {
                "trackers": trackers,
                "sensor_type": sensor_type,
                "include_components": include_components,
            },
            types.ManyReadings,
        )

    def list(
        self,
        *,
        tracker_id: int,
        sensor_type: str | None = None,
        include_components: bool | None = None,
    ) -> types.TrackerReadings:
        """Everything that a tracker reads: sensors, states, virtual sensors, counters. With
        `sensor_type` only sensors of this type. `include_components` false: without sensors
        that are parts of composite ones. Refused with 201, 204, 208."""
        return self._session.call(
            "user",
            "tracker/readings/list",
            {
                "tracker_id": tracker_id,
                "sensor_type": sensor_type,
                "include_components": include_components,
            },
            types.TrackerReadings,
        )


class UserTrackerRule:
    """``tracker/rule/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def bind(self, *, rule_id: int, trackers: Sequence[int]) -> None:
        """Lets a rule hold for further trackers; those that the user does not have are passed
        over. Sub-users need the right tracker_rule_update. Refused with 13, 201."""
        self._session.call(
            "user", "tracker/rule/bind", {"rule_id": rule_id, "trackers": trackers}, Nothing
        )

    def create(
        self,
        *,
        rule: dict[str, Any] | None = None,
        name: str | None = None,
        description: str | None = None,
        trackers: Sequence[int] | None = None,
        zone_ids: Sequence[int] | None = None,
        type: str | None = None,
        param: int | None = None,
        alerts: dict[str, Any] | None = None,
        suspended: bool | None = None,
        schedule: Sequence[dict[str, Any]] | dict[str, Any] | None = None,
        extended_params: dict[str, Any] | None = None,
        primary_text: str | None = None,
        secondary_text: str | None = None,
        group_id: int | None = None,
    ) -> int:
        """Makes a rule. Sub-users need the right tracker_rule_update. Refused with 13, 204."""
        return self._session.call(
            "user",
            "tracker/rule/create",
            {
                "rule": rule,
                "name": name,
                "description": description,
                "trackers": trackers,
                "zone_ids": zone_ids,
                "type": type,
                "param": param,
                "alerts": alerts,
                "suspended": suspended,
                "schedule": schedule,
                "extended_params": extended_params,
                "primary_text": primary_text,
                "secondary_text": secondary_text,
                "group_id": group_id,
            },
            types.Identified,
        ).id

    def delete(self, *, rule_id: int) -> None:
        """Deletes a rule. Sub-users need the right tracker_rule_update. Refused with 13, 201."""
        self._session.call("user", "tracker/rule/delete", {"rule_id": rule_id}, Nothing)

    def list(self, *, tracker_id: int | None = None) -> builtins.list[types.Rule]:
        """All rules of the account, or those of one tracker."""
        return self._session.call(
            "user", "tracker/rule/list", {"tracker_id": tracker_id}, Listed[types.Rule]
        ).items

    def unbind(self, *, rule_id: int, trackers: Sequence[int]) -> None:
        """Lets a rule no longer hold for these trackers. Sub-users need the right
        tracker_rule_update. Refused with 13, 201."""
        self._session.call(
            "user", "tracker/rule/unbind", {"rule_id": rule_id, "trackers": trackers}, Nothing
        )

    def update(
        self,
        *,
        rule: dict[str, Any] | None = None,
        id: int | None = None,
        name: str | None = None,
        description: str | None = None,
        trackers: Sequence[int] | None = None,
        zone_ids: Sequence[int] | None = None,
        type: str | None = None,
        param: int | None = None,
        alerts: dict[str, Any] | None = None,
        suspended: bool | None = None,
        schedule: Sequence[dict[str, Any]] | dict[str, Any] | None = None,
        extended_params: dict[str, Any] | None = None,
        primary_text: str | None = None,
        secondary_text: str | None = None,
        group_id: int | None = None,
    ) -> None:
        """Changes a rule. Sub-users need the right tracker_rule_update. Refused with 13, 201,
        204."""
        self._session.call(
            "user",
            "tracker/rule/update",
            {
                "rule": rule,
                "id": id,
                "name": name,
                "description": description,
                "trackers": trackers,
                "zone_ids": zone_ids,
                "type": type,
                "param": param,
                "alerts": alerts,
                "suspended": suspended,
                "schedule": schedule,
                "extended_params": extended_params,
                "primary_text": primary_text,
                "secondary_text": secondary_text,
                "group_id": group_id,
            },
            Nothing,
        )


class UserTrackerSensorCalibrationData:
    """``tracker/sensor/calibration_data/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, tracker_id: int, sensor_id: int) -> builtins.list[types.CalibrationPoint]:
        """The calibration table of a sensor, in rising order; empty: it is not calibrated.
        Refused with 201, 208, 228."""
        return self._session.call(
            "user",
            "tracker/sensor/calibration_data/read",
            {"tracker_id": tracker_id, "sensor_id": sensor_id},
            Value[builtins.list[types.CalibrationPoint]],
        ).value

    def update(
        self, *, tracker_id: int, sensor_id: int, data: Sequence[types.CalibrationPoint]
    ) -> None:
        """Replaces the calibration table of a sensor; an empty one takes it away. Sub-users
        need the right tracker_update. Refused with 13, 201, 208, 219, 228."""
        self._session.call(
            "user",
            "tracker/sensor/calibration_data/update",
            {"tracker_id": tracker_id, "sensor_id": sensor_id, "data": data},
            Nothing,
        )

    def upload_omnicomm(
        self,
        *,
        tracker_id: int,
        sensor_id: int,
        file: Upload | None = None,
        sensor_number: int | None = None,
    ) -> None:
        """Replaces the calibration table of a sensor by that of an XML file of Omnicomm LLS
        Monitor. Of a file with several, the one that `sensor_number` says (without it, the
        number in the name of the sensor's input) counts. Sub-users need the right
        tracker_update. Refused with 13, 201, 208, 219, 228, 233, 234, 235."""
        self._session.call(
            "user",
            "tracker/sensor/calibration_data/upload_omnicomm",
            {
                "tracker_id": tracker_id,
                "sensor_id": sensor_id,
                "file": file,
                "sensor_number": sensor_number,
            },
            Nothing,
        )


class UserTrackerSensorData:
    """``tracker/sensor/data/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(
        self,
        *,
        tracker_id: int,
        sensor_id: int,
        from_: datetime | str,
        to: datetime | str,
        raw_data: bool | None = None,
    ) -> builtins.list[types.SensorDatum]:
        """What a metering or virtual sensor said in a period. `raw_data`: what the device said
        to a metering sensor, before calibration and division. Refused with 201, 208, 211, 228."""
        return self._session.call(
            "user",
            "tracker/sensor/data/read",
            {
                "tracker_id": tracker_id,
                "sensor_id": sensor_id,
                "from": from_,
                "to": to,
                "raw_data": raw_data,
            },
            Listed[types.SensorDatum],
        ).items


class UserTrackerSensorInputName:
    """``tracker/sensor/input_name/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> builtins.list[types.InputName]:
        """Every input that sensors can read and every state, with what it is."""
        return self._session.call(
            "user", "tracker/sensor/input_name/list", {}, Listed[types.InputName]
        ).items


class UserTrackerSensor:
    """``tracker/sensor/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.calibration_data = UserTrackerSensorCalibrationData(session)
        self.data = UserTrackerSensorData(session)
        self.input_name = UserTrackerSensorInputName(session)

    def batch_copy(self, *, base_tracker_id: int, trackers: Sequence[int]) -> None:
        """Gives other trackers of the same model the sensors of one, in place of their own.
        Sub-users need the right tracker_update. Refused with 13, 201, 208, 219, 272."""
        self._session.call(
            "user",
            "tracker/sensor/batch_copy",
            {"base_tracker_id": base_tracker_id, "trackers": trackers},
            Nothing,
        )

    def batch_list(self, *, trackers: Sequence[int]) -> types.ManySensors:
        """The sensors of several trackers. Refused with 217, 221."""
        return self._session.call(
            "user", "tracker/sensor/batch_list", {"trackers": trackers}, types.ManySensors
        )

    def create(self, *, tracker_id: int, sensor: dict[str, Any]) -> int:
        """Makes a sensor: `metering`, `discrete` or `virtual` by its `type`. Sub-users need
        the right tracker_update. Refused with 13, 201, 208, 219, 232, 267, 270."""
        return self._session.call(
            "user",
            "tracker/sensor/create",
            {"tracker_id": tracker_id, "sensor": sensor},
            types.Identified,
        ).id

    def delete(self, *, tracker_id: int, sensor_id: int) -> None:
        """Deletes a sensor. Composite sensors and counters go on without it. Sub-users need
        the right tracker_update. Refused with 13, 201, 208, 219."""
        self._session.call(
            "user",
            "tracker/sensor/delete",
            {"tracker_id": tracker_id, "sensor_id": sensor_id},
            Nothing,
        )

    def list(
        self, *, tracker_id: int
    ) -> builtins.list[types.Metering | types.Discrete | types.Virtual]:
        """The sensors of a tracker. Refused with 201, 208."""
        return self._session.call(
            "user",
            "tracker/sensor/list",
            {"tracker_id": tracker_id},
            Listed[types.Metering | types.Discrete | types.Virtual],
        ).items

    def update(self, *, tracker_id: int, sensor: dict[str, Any]) -> None:
        """Replaces a sensor by what is given; its calibration table stays. Sub-users need the
        right tracker_update. Refused with 13, 201, 208, 219, 232, 270."""
        self._session.call(
            "user", "tracker/sensor/update", {"tracker_id": tracker_id, "sensor": sensor}, Nothing
        )


class UserTrackerSettingsConfirmation:
    """``tracker/settings/confirmation/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, *, tracker_id: int) -> builtins.list[types.Confirmation]:
        """What is wanted of the device beside what it has confirmed, for all settings that its
        model has. Refused with 201, 208."""
        return self._session.call(
            "user",
            "tracker/settings/confirmation/list",
            {"tracker_id": tracker_id},
            Listed[types.Confirmation],
        ).items


class UserTrackerSettingsLbs:
    """``tracker/settings/lbs/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, tracker_id: int) -> types.LbsSettings:
        """How uncertain positions by the mobile network may be. Refused with 201, 204, 208."""
        return self._session.call(
            "user", "tracker/settings/lbs/read", {"tracker_id": tracker_id}, types.LbsSettings
        )

    def update(self, *, tracker_id: int, max_radius: int) -> None:
        """Positions by the mobile network that are less certain than `max_radius` metres are
        passed over. Sub-users need the right tracker_update. Refused with 13, 201, 204, 208."""
        self._session.call(
            "user",
            "tracker/settings/lbs/update",
            {"tracker_id": tracker_id, "max_radius": max_radius},
            Nothing,
        )


class UserTrackerSettingsSpecial:
    """``tracker/settings/special/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, tracker_id: int, type: str | None = None) -> types.SpecialReply:
        """Special settings of the device, of one `type` or of all that its model has
        (`special_control`). Refused with 201, 208, 214."""
        return self._session.call(
            "user",
            "tracker/settings/special/read",
            {"tracker_id": tracker_id, "type": type},
            types.SpecialReply,
        )

    def update(self, *, tracker_id: int, value: dict[str, Any]) -> types.Kept:
        """Sets one type of special settings, named by `value.type`; the device is told when it
        connects. Sub-users need the right tracker_configure. Refused with 13, 201, 208, 214,
        219."""
        return self._session.call(
            "user",
            "tracker/settings/special/update",
            {"tracker_id": tracker_id, "value": value},
            types.Kept,
        )


class UserTrackerSettingsTracking:
    """``tracker/settings/tracking/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, tracker_id: int) -> types.TrackingSettings:
        """How the device tracks, as it was set last. Which fields there are depends on the
        model's tracking profile (`track_control`). Refused with 201, 208, 214."""
        return self._session.call(
            "user",
            "tracker/settings/tracking/read",
            {"tracker_id": tracker_id},
            types.TrackingSettings,
        )

    def update(self, *, tracker_id: int, tracking_settings: dict[str, Any]) -> types.Kept:
        """Sets how the device tracks; it is told when it connects. Sub-users need the right
        tracker_configure. Refused with 13, 201, 208, 214, 219."""
        return self._session.call(
            "user",
            "tracker/settings/tracking/update",
            {"tracker_id": tracker_id, "tracking_settings": tracking_settings},
            types.Kept,
        )


class UserTrackerSettingsTripDetection:
    """``tracker/settings/trip_detection/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, tracker_id: int) -> types.TripDetection:
        """What ends a trip. Refused with 201, 204, 208."""
        return self._session.call(
            "user",
            "tracker/settings/trip_detection/read",
            {"tracker_id": tracker_id},
            types.TripDetection,
        )

    def update(
        self,
        *,
        tracker_id: int,
        min_idle_duration_minutes: int,
        idle_speed_threshold: int,
        ignition_aware: bool,
        motion_sensor_aware: bool,
    ) -> None:
        """A trip ends after so many minutes without a speed of `idle_speed_threshold` km/h (0:
        it never stands). Where the ignition or the motion sensor is heeded, it stands for sure
        while they are off, and does not park while one is on. Sub-users need the right
        tracker_update. Refused with 13, 201, 204, 208."""
        self._session.call(
            "user",
            "tracker/settings/trip_detection/update",
            {
                "tracker_id": tracker_id,
                "min_idle_duration_minutes": min_idle_duration_minutes,
                "idle_speed_threshold": idle_speed_threshold,
                "ignition_aware": ignition_aware,
                "motion_sensor_aware": motion_sensor_aware,
            },
            Nothing,
        )


class UserTrackerSettings:
    """``tracker/settings/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.confirmation = UserTrackerSettingsConfirmation(session)
        self.lbs = UserTrackerSettingsLbs(session)
        self.special = UserTrackerSettingsSpecial(session)
        self.tracking = UserTrackerSettingsTracking(session)
        self.trip_detection = UserTrackerSettingsTripDetection(session)

    def read(self, *, tracker_id: int) -> types.SettingsReply:
        """Label and group of a tracker. Refused with 201, 208."""
        return self._session.call(
            "user", "tracker/settings/read", {"tracker_id": tracker_id}, types.SettingsReply
        )

    def update(self, *, tracker_id: int, group_id: int, label: str) -> None:
        """Changes label and group of a tracker. Sub-users need the right tracker_update.
        Refused with 13, 201, 204, 208."""
        self._session.call(
            "user",
            "tracker/settings/update",
            {"tracker_id": tracker_id, "group_id": group_id, "label": label},
            Nothing,
        )


class UserTrackerStatsEngineHours:
    """``tracker/stats/engine_hours/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, tracker_id: int, from_: datetime | str, to: datetime | str) -> float:
        """Hours for which the ignition was on. 214 where neither a sensor nor the device says
        whether it is. Refused with 201, 204, 208, 211, 214, 219."""
        return self._session.call(
            "user",
            "tracker/stats/engine_hours/read",
            {"tracker_id": tracker_id, "from": from_, "to": to},
            Value[float],
        ).value


class UserTrackerStatsMileage:
    """``tracker/stats/mileage/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(
        self, *, trackers: Sequence[int], from_: datetime | str, to: datetime | str
    ) -> types.Mileage:
        """Kilometres that trackers travelled, day by day in the user's time zone. Refused with
        211, 217, 221."""
        return self._session.call(
            "user",
            "tracker/stats/mileage/read",
            {"trackers": trackers, "from": from_, "to": to},
            types.Mileage,
        )


class UserTrackerStats:
    """``tracker/stats/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.engine_hours = UserTrackerStatsEngineHours(session)
        self.mileage = UserTrackerStatsMileage(session)


class UserTrackerTags:
    """``tracker/tags/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def set(self, *, tracker_id: int, tag_bindings: Sequence[types.Binding]) -> None:
        """Gives a tracker exactly these tags. Sub-users need the right tracker_update. Refused
        with 13, 201, 208, 217."""
        self._session.call(
            "user",
            "tracker/tags/set",
            {"tracker_id": tracker_id, "tag_bindings": tag_bindings},
            Nothing,
        )


class UserTracker:
    """``tracker/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.apn_settings = UserTrackerApnSettings(session)
        self.avatar = UserTrackerAvatar(session)
        self.command = UserTrackerCommand(session)
        self.counter = UserTrackerCounter(session)
        self.engine_immobilizer = UserTrackerEngineImmobilizer(session)
        self.group = UserTrackerGroup(session)
        self.led = UserTrackerLed(session)
        self.output = UserTrackerOutput(session)
        self.raw_command = UserTrackerRawCommand(session)
        self.readings = UserTrackerReadings(session)
        self.rule = UserTrackerRule(session)
        self.sensor = UserTrackerSensor(session)
        self.settings = UserTrackerSettings(session)
        self.stats = UserTrackerStats(session)
        self.tags = UserTrackerTags(session)

    def batch_get_commands(self, *, trackers: Sequence[int] | None = None) -> types.Commands:
        """The commands of several trackers, or of all that the user sees. Sub-users need the
        right tracker_update. Refused with 13, 217."""
        return self._session.call(
            "user", "tracker/batch_get_commands", {"trackers": trackers}, types.Commands
        )

    def batch_get_inputs(self, *, trackers: Sequence[int]) -> types.ManyInputs:
        """The digital inputs of several trackers. Refused with 217, 221."""
        return self._session.call(
            "user", "tracker/batch_get_inputs", {"trackers": trackers}, types.ManyInputs
        )

    def batch_get_outputs(self, *, trackers: Sequence[int]) -> types.ManyOutputs:
        """The digital outputs of several trackers. Refused with 217, 221."""
        return self._session.call(
            "user", "tracker/batch_get_outputs", {"trackers": trackers}, types.ManyOutputs
        )

    def change_phone(
        self,
        *,
        tracker_id: int,
        phone: str,
        apn_name: str | None = None,
        apn_user: str | None = None,
        apn_password: str | None = None,
    ) -> None:
        """Another SIM card is in the device. What is left out of its access point stays as it
        is. Sub-users need the right tracker_configure. Refused with 13, 201, 208, 214, 219,
        223, 241."""
        self._session.call(
            "user",
            "tracker/change_phone",
            {
                "tracker_id": tracker_id,
                "phone": phone,
                "apn_name": apn_name,
                "apn_user": apn_user,
                "apn_password": apn_password,
            },
            Nothing,
        )

    def corrupt(self, *, tracker_id: int) -> None:
        """Gives a device up that has never connected: its id and phone are free again, the
        tracker is gone. Sub-users need the right tracker_register. Refused with 13, 201, 208,
        219, 243, 252."""
        self._session.call("user", "tracker/corrupt", {"tracker_id": tracker_id}, Nothing)

    def delete(self, *, tracker_id: int) -> None:
        """Takes a clone out of the account. For master users. Refused with 13, 201, 203, 249."""
        self._session.call("user", "tracker/delete", {"tracker_id": tracker_id}, Nothing)

    def get_counters(self, *, tracker_id: int) -> types.Counters:
        """What the counters of a tracker show. Refused with 201, 204, 208."""
        return self._session.call(
            "user", "tracker/get_counters", {"tracker_id": tracker_id}, types.Counters
        )

    def get_diagnostics(self, *, tracker_id: int) -> types.Diagnostics:
        """The newest values from the vehicle's CAN and OBD buses. Refused with 201, 208."""
        return self._session.call(
            "user", "tracker/get_diagnostics", {"tracker_id": tracker_id}, types.Diagnostics
        )

    def get_fuel(self, *, tracker_id: int) -> types.Readings:
        """What the tracker measures of fuel. Refused with 201, 208."""
        return self._session.call(
            "user", "tracker/get_fuel", {"tracker_id": tracker_id}, types.Readings
        )

    def get_inputs(self, *, tracker_id: int) -> types.Inputs:
        """The digital inputs of a tracker. Refused with 201, 208."""
        return self._session.call(
            "user", "tracker/get_inputs", {"tracker_id": tracker_id}, types.Inputs
        )

    def get_last_gps_point(self, *, tracker_id: int) -> types.LastGpsPoint | None:
        """The newest position found by satellites; null where there is none yet. Refused with
        201, 208."""
        return self._session.call(
            "user",
            "tracker/get_last_gps_point",
            {"tracker_id": tracker_id},
            Value[types.LastGpsPoint | None],
        ).value

    def get_outputs(self, *, tracker_id: int) -> types.Outputs:
        """The digital outputs of a tracker. Refused with 201, 208."""
        return self._session.call(
            "user", "tracker/get_outputs", {"tracker_id": tracker_id}, types.Outputs
        )

    def get_readings(self, *, tracker_id: int) -> types.Readings:
        """What the tracker measures that is neither fuel nor from the vehicle's buses. Refused
        with 201, 208."""
        return self._session.call(
            "user", "tracker/get_readings", {"tracker_id": tracker_id}, types.Readings
        )

    def get_state(self, *, tracker_id: int) -> types.OneState:
        """The newest that is known of a tracker. Refused with 201, 208."""
        return self._session.call(
            "user", "tracker/get_state", {"tracker_id": tracker_id}, types.OneState
        )

    def get_states(
        self,
        *,
        trackers: Sequence[int],
        list_blocked: bool | None = None,
        allow_not_exist: bool | None = None,
    ) -> types.ManyStates:
        """The newest that is known of several trackers. Blocked and missing ones are refused
        (208; 217, or 201 where one was corrupted) unless the call wants them listed. Refused
        with 201, 208, 217."""
        return self._session.call(
            "user",
            "tracker/get_states",
            {
                "trackers": trackers,
                "list_blocked": list_blocked,
                "allow_not_exist": allow_not_exist,
            },
            types.ManyStates,
        )

    def list(self, *, labels: Sequence[str] | None = None) -> builtins.list[types.TrackerObject]:
        """All trackers that the user sees; with `labels`, those whose label contains one of
        them, in whatever case."""
        return self._session.call(
            "user", "tracker/list", {"labels": labels}, Listed[types.TrackerObject]
        ).items

    def list_models(
        self,
        *,
        compact_view: bool | None = None,
        compact_index: bool | None = None,
        codes: Sequence[str] | None = None,
    ) -> builtins.list[types.FullModel]:
        """All device models, or those of `codes`. `compact_view`: only what choosing and
        registering takes. `compact_index`: of inputs with an index only the highest."""
        return self._session.call(
            "user",
            "tracker/list_models",
            {"compact_view": compact_view, "compact_index": compact_index, "codes": codes},
            Listed[types.FullModel],
        ).items

    def location_request(
        self, *, tracker_id: int, type: Literal["sms", "gsm", "gprs"] | None = None
    ) -> None:
        """Asks the device where it is: by SMS, or over its connection for a position by the
        mobile network (`gsm`) or by satellites (`gprs`). For `gsm` the platform also looks up
        the cells that the device reported last, and stores the position that they tell.
        Refused with 201, 208, 213, 214, 256."""
        self._session.call(
            "user", "tracker/location_request", {"tracker_id": tracker_id, "type": type}, Nothing
        )

    def read(self, *, tracker_id: int) -> types.TrackerObject:
        """One tracker. Refused with 201."""
        return self._session.call(
            "user", "tracker/read", {"tracker_id": tracker_id}, Value[types.TrackerObject]
        ).value

    def register(
        self,
        *,
        label: str,
        group_id: int,
        model: str,
        plugin_id: int,
        device_id: str | None = None,
        phone: str | None = None,
        apn_name: str | None = None,
        apn_user: str | None = None,
        apn_password: str | None = None,
        activation_code: str | None = None,
        iccid: str | None = None,
        notification_email: str | None = None,
        notification_phone: str | None = None,
        send_register_commands: bool | None = None,
    ) -> types.TrackerObject:
        """Registers a device. One that is connected already, and was waiting in the inbox, is
        taken up at once. Commands that set a device up travel by SMS; without a provider they
        have failed, and the device is registered all the same. Sub-users need the right
        tracker_register. Refused with 13, 204, 220, 221, 222, 223, 224, 225, 226, 227, 258."""
        return self._session.call(
            "user",
            "tracker/register",
            {
                "label": label,
                "group_id": group_id,
                "model": model,
                "plugin_id": plugin_id,
                "device_id": device_id,
                "phone": phone,
                "apn_name": apn_name,
                "apn_user": apn_user,
                "apn_password": apn_password,
                "activation_code": activation_code,
                "iccid": iccid,
                "notification_email": notification_email,
                "notification_phone": notification_phone,
                "send_register_commands": send_register_commands,
            },
            Value[types.TrackerObject],
        ).value

    def register_quick(
        self,
        *,
        label: str,
        group_id: int,
        imei: str,
        iccid: str | None = None,
        activation_code: str | None = None,
    ) -> types.TrackerObject:
        """Registers a device that the dealer sells ready for use, by its IMEI alone. It gets
        no commands by SMS. Sub-users need the right tracker_register. Refused with 13, 201,
        204, 220, 221, 222, 223, 224, 225, 226, 227."""
        return self._session.call(
            "user",
            "tracker/register_quick",
            {
                "label": label,
                "group_id": group_id,
                "imei": imei,
                "iccid": iccid,
                "activation_code": activation_code,
            },
            Value[types.TrackerObject],
        ).value

    def register_retry(
        self,
        *,
        tracker_id: int | None = None,
        device_id: str | None = None,
        apn_name: str,
        apn_user: str,
        apn_password: str,
        send_register_commands: bool | None = None,
    ) -> types.TrackerObject:
        """Sends the commands that set a device up once more, until it has connected. Sub-users
        need the right tracker_register. Refused with 13, 201, 208, 214, 219, 242."""
        return self._session.call(
            "user",
            "tracker/register_retry",
            {
                "tracker_id": tracker_id,
                "device_id": device_id,
                "apn_name": apn_name,
                "apn_user": apn_user,
                "apn_password": apn_password,
                "send_register_commands": send_register_commands,
            },
            Value[types.TrackerObject],
        ).value

    def replace(
        self,
        *,
        tracker_id: int,
        model: str,
        plugin_id: int,
        device_id: str | None = None,
        group_id: int | None = None,
        phone: str | None = None,
        apn_name: str | None = None,
        apn_user: str | None = None,
        apn_password: str | None = None,
        iccid: str | None = None,
        send_register_commands: bool | None = None,
    ) -> types.TrackerObject:
        """Puts another device in the place of one that has been in use. The tracker keeps its
        id, its history, sensors, rules and settings; the old device can be registered anew.
        Sub-users need the right tracker_configure. Refused with 13, 201, 204, 208, 219, 220,
        221, 222, 223, 224, 225, 226, 258, 266."""
        return self._session.call(
            "user",
            "tracker/replace",
            {
                "tracker_id": tracker_id,
                "model": model,
                "plugin_id": plugin_id,
                "device_id": device_id,
                "group_id": group_id,
                "phone": phone,
                "apn_name": apn_name,
                "apn_user": apn_user,
                "apn_password": apn_password,
                "iccid": iccid,
                "send_register_commands": send_register_commands,
            },
            Value[types.TrackerObject],
        ).value

    def replace_quick(
        self, *, tracker_id: int, imei: str, group_id: int | None = None, iccid: str | None = None
    ) -> types.TrackerObject:
        """The same with a device that the dealer sells ready for use, named by its IMEI alone.
        It gets no commands by SMS. Sub-users need the right tracker_configure. Refused with
        13, 201, 204, 208, 219, 220, 221, 222, 223, 224, 225, 226, 266."""
        return self._session.call(
            "user",
            "tracker/replace_quick",
            {"tracker_id": tracker_id, "imei": imei, "group_id": group_id, "iccid": iccid},
            Value[types.TrackerObject],
        ).value

    def replace_retry(
        self, *, tracker_id: int, apn_name: str, apn_user: str, apn_password: str
    ) -> types.TrackerObject:
        """Sends the commands that set the new device up once more, until it has connected.
        Sub-users need the right tracker_configure. Refused with 13, 201, 204, 208, 214, 219,
        242, 266."""
        return self._session.call(
            "user",
            "tracker/replace_retry",
            {
                "tracker_id": tracker_id,
                "apn_name": apn_name,
                "apn_user": apn_user,
                "apn_password": apn_password,
            },
            Value[types.TrackerObject],
        ).value

    def send_command(
        self, *, tracker_id: int, command: dict[str, Any]
    ) -> builtins.list[types.TrackerObject]:
        """Special control of the device: `set_special_settings_command`, and for locks
        `electronic_lock_command` with `command_code` seal or unseal. Sub-users need the right
        tracker_configure and tracker_set_output. Refused with 13, 201, 208, 214, 219."""
        return self._session.call(
            "user",
            "tracker/send_command",
            {"tracker_id": tracker_id, "command": command},
            Listed[types.TrackerObject],
        ).items


class UserTransaction:
    """``transaction/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(
        self, *, from_: datetime | str, to: datetime | str, limit: int | None = None
    ) -> builtins.list[types.Transaction]:
        """What happened to the account's money in a period of up to 90 days, the newest first.
        Sub-users need the right payment_create. Refused with 13, 211."""
        return self._session.call(
            "user",
            "transaction/list",
            {"from": from_, "to": to, "limit": limit},
            Listed[types.Transaction],
        ).items


class UserUserApiKey:
    """``user/api_key/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, *, title: str) -> types.ApiKey:
        """Makes an API key: a hash that does not end by itself. An account has at most 20. For
        master users. Not for API keys or sessions made by others. Refused with 13, 268."""
        return self._session.call(
            "user", "user/api_key/create", {"title": title}, Value[types.ApiKey]
        ).value

    def delete(self, *, key: str | None = None, api_key: str | None = None) -> None:
        """Deletes an API key, named by `key` (or `api_key`); it is refused from then on. For
        master users. Not for API keys or sessions made by others. Refused with 13, 201."""
        self._session.call("user", "user/api_key/delete", {"key": key, "api_key": api_key}, Nothing)

    def list(self) -> builtins.list[types.ApiKey]:
        """The account's API keys, oldest first. For master users. Not for API keys or sessions
        made by others. Refused with 13."""
        return self._session.call("user", "user/api_key/list", {}, Listed[types.ApiKey]).items


class UserUserAuthCode:
    """``user/auth/code/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def resend(self) -> None:
        """Sends another code by e-mail, in place of the one before; once in five minutes (15).
        Only for the hash of a log-in that asks for a code."""
        self._session.call("user", "user/auth/code/resend", {}, Nothing)

    def verify(self, *, code: str) -> str:
        """Takes the code from the e-mail: the hash of an ordinary session, while that of
        `user/auth` is over. So it is after five wrong codes (4): the log-in begins again. Only
        for the hash of a log-in that asks for a code. Refused with 104, 282."""
        return self._session.call(
            "user", "user/auth/code/verify", {"code": code}, types.Hashed
        ).hash


class UserUserAuth:
    """``user/auth/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.code = UserUserAuthCode(session)

    def __call__(
        self, *, login: str, password: str, dealer_id: int | None = None
    ) -> types.SessionAuthenticated:
        """Logs a user in: the hash of a session that lives 30 days, or of half of one where
        the user has to bring a code from an e-mail. With `dealer_id` the user must belong to
        that dealer. Needs no session. Refused with 11, 102, 103, 104, 105, 275."""
        return self._session.call(
            "user",
            "user/auth",
            {"login": login, "password": password, "dealer_id": dealer_id},
            types.SessionAuthenticated,
        )


class UserUserMenu:
    """``user/menu/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, application: Literal["navixy_web"] | None = None) -> types.Menu:
        """The menu of the account's interface."""
        return self._session.call(
            "user", "user/menu/read", {"application": application}, Value[types.Menu]
        ).value


class UserUserSession:
    """``user/session/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def renew(self) -> None:
        """Lets the session live another 30 days. Not for API keys."""
        self._session.call("user", "user/session/renew", {}, Nothing)


class UserUserSettings:
    """``user/settings/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self) -> types.AllSettings:
        """The caller's settings."""
        return self._session.call("user", "user/settings/read", {}, types.AllSettings)

    def update(
        self,
        *,
        time_zone: str,
        locale: str,
        measurement_system: Literal["metric", "imperial", "us", "metric_gal_us", "nautical"],
        geocoder: Literal["google", "yandex", "progorod", "osm", "locationiq"],
        route_provider: Literal["google", "progorod", "osrm"],
        translit: bool,
        date_format: Literal[
            "ddMMyyyy_dots",
            "ddMMyyyy_slashes",
            "MMddyyyy_hyphens",
            "yyyyMMdd_hyphens",
            "dMMMy",
            "dMMMMy",
        ]
        | None = None,
        hour_mode: Literal["TWENTY_FOUR_HOURS", "TWELVE_HOURS"] | None = None,
        balance_alert_settings: types.BalanceAlertSettings | None = None,
        file_storage_settings: types.FileStorageSettings | None = None,
    ) -> None:
        """Changes the caller's settings. `balance_alert_settings` and `file_storage_settings`
        are for master users, who must send them. Refused with 13."""
        self._session.call(
            "user",
            "user/settings/update",
            {
                "time_zone": time_zone,
                "locale": locale,
                "measurement_system": measurement_system,
                "geocoder": geocoder,
                "route_provider": route_provider,
                "translit": translit,
                "date_format": date_format,
                "hour_mode": hour_mode,
                "balance_alert_settings": balance_alert_settings,
                "file_storage_settings": file_storage_settings,
            },
            Nothing,
        )


class UserUser:
    """``user/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.api_key = UserUserApiKey(session)
        self.auth = UserUserAuth(session)
        self.menu = UserUserMenu(session)
        self.session = UserUserSession(session)
        self.settings = UserUserSettings(session)

    def get_info(self, *, application: str | None = None) -> types.Info:
        """Who the caller is, with the settings of its dealer."""
        return self._session.call("user", "user/get_info", {"application": application}, types.Info)

    def get_tariff_restrictions(self) -> types.TariffRestrictions:
        """Which of the dealer's maps the tariffs of the account's trackers allow."""
        return self._session.call(
            "user", "user/get_tariff_restrictions", {}, Value[types.TariffRestrictions]
        ).value

    def logout(self) -> None:
        """Ends the session. Not for API keys."""
        self._session.call("user", "user/logout", {}, Nothing)


class UserVehicle:
    """``vehicle/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def batch_convert(
        self,
        *,
        batch: str | None = None,
        file: Upload | None = None,
        fields: Sequence[str] | None = None,
    ) -> types.Converted:
        """Checks vehicles in tab-delimited lines, given as `batch` or as a `file` of a
        multipart form, whose columns are `fields`. Nothing is stored. Sub-users need the right
        vehicle_update. Refused with 13, 234."""
        return self._session.call(
            "user",
            "vehicle/batch_convert",
            {"batch": batch, "file": file, "fields": fields},
            types.Converted,
        )

    def create(self, *, vehicle: types.VehicleFields, force_reassign: bool | None = None) -> int:
        """Makes a vehicle. A tracker that is in another one is taken from there, unless
        `force_reassign` is false. Sub-users need the right vehicle_update. Refused with 13,
        201, 204, 217, 247."""
        return self._session.call(
            "user",
            "vehicle/create",
            {"vehicle": vehicle, "force_reassign": force_reassign},
            types.Identified,
        ).id

    def delete(
        self, *, vehicle_id: int | None = None, vehicle_ids: Sequence[int] | None = None
    ) -> None:
        """Deletes one vehicle, or several, of which unknown ones are passed over. Sub-users
        need the right vehicle_update. Refused with 13, 201."""
        self._session.call(
            "user",
            "vehicle/delete",
            {"vehicle_id": vehicle_id, "vehicle_ids": vehicle_ids},
            Nothing,
        )

    def list(
        self,
        *,
        limit: int | None = None,
        offset: int | None = None,
        sort: Sequence[str] | None = None,
        filter: str | None = None,
    ) -> builtins.list[dict[str, Any]]:
        """The account's vehicles, or those with `filter` in VIN, registration number or label;
        `sort` like `["type=desc", "label=asc"]`."""
        return self._session.call(
            "user",
            "vehicle/list",
            {"limit": limit, "offset": offset, "sort": sort, "filter": filter},
            Listed[dict[str, Any]],
        ).items

    def read(self, *, vehicle_id: int) -> dict[str, Any]:
        """One vehicle. Refused with 201."""
        return self._session.call(
            "user", "vehicle/read", {"vehicle_id": vehicle_id}, Value[dict[str, Any]]
        ).value

    def update(self, *, vehicle: types.VehicleFields, force_reassign: bool | None = None) -> None:
        """Changes the vehicle `vehicle.id`. Sub-users need the right vehicle_update. Refused
        with 13, 201, 204, 217, 247."""
        self._session.call(
            "user",
            "vehicle/update",
            {"vehicle": vehicle, "force_reassign": force_reassign},
            Nothing,
        )


class User:
    """The user API."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.api = UserApi(session)
        self.apn_settings = UserApnSettings(session)
        self.dealer = UserDealer(session)
        self.payment_system = UserPaymentSystem(session)
        self.plugin = UserPlugin(session)
        self.status = UserStatus(session)
        self.subuser = UserSubuser(session)
        self.tag = UserTag(session)
        self.tariff = UserTariff(session)
        self.timezone = UserTimezone(session)
        self.track = UserTrack(session)
        self.tracker = UserTracker(session)
        self.transaction = UserTransaction(session)
        self.user = UserUser(session)
        self.vehicle = UserVehicle(session)


class PanelAccount:
    """``account/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def auth(self, *, login: str, password: str) -> types.AccountSessionAuthenticated:
        """Logs in to the panel by the dealer's number: the hash of a session that lives 24
        hours. Needs no session. Refused with 11, 102, 105."""
        return self._session.call(
            "panel",
            "account/auth",
            {"login": login, "password": password},
            types.AccountSessionAuthenticated,
        )

    def get_permissions(self) -> types.Permissions:
        """What the session may do."""
        return self._session.call("panel", "account/get_permissions", {}, types.Permissions)

    def logout(self) -> None:
        """Ends the session."""
        self._session.call("panel", "account/logout", {}, Nothing)


class PanelDealerActivationCode:
    """``dealer/activation_code/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(
        self,
        *,
        count: int,
        tariff_id: int,
        bonus_amount: int,
        free_days: int,
        money_amount: int | None = None,
    ) -> types.DealerActivationCodeChanged:
        """Makes activation codes for devices of a tariff. Needs the permissions
        activation_code:read, activation_code:create. Refused with 13, 201."""
        return self._session.call(
            "panel",
            "dealer/activation_code/create",
            {
                "count": count,
                "tariff_id": tariff_id,
                "bonus_amount": bonus_amount,
                "free_days": free_days,
                "money_amount": money_amount,
            },
            types.DealerActivationCodeChanged,
        )

    def list(
        self,
        *,
        filter: str | None = None,
        order_by: Literal[
            "code",
            "activated",
            "tariff_id",
            "tariff_name",
            "device_type",
            "money_amount",
            "bonus_amount",
            "free_days",
        ]
        | None = None,
        ascending: bool | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> Page[types.CodeObject]:
        """The dealer's codes; `filter` is looked for in code, tariff id, device id and device
        type. Needs the permissions activation_code:read. Refused with 13."""
        return self._session.call(
            "panel",
            "dealer/activation_code/list",
            {
                "filter": filter,
                "order_by": order_by,
                "ascending": ascending,
                "offset": offset,
                "limit": limit,
            },
            Page[types.CodeObject],
        )

    def update(
        self,
        *,
        codes: Sequence[str],
        tariff_id: int,
        bonus_amount: int,
        free_days: int,
        money_amount: int | None = None,
    ) -> types.DealerActivationCodeChanged:
        """Changes those of the codes that are the dealer's, unused, and for the tariff's type
        of device. Needs the permissions activation_code:update. Refused with 13, 201."""
        return self._session.call(
            "panel",
            "dealer/activation_code/update",
            {
                "codes": codes,
                "tariff_id": tariff_id,
                "bonus_amount": bonus_amount,
                "free_days": free_days,
                "money_amount": money_amount,
            },
            types.DealerActivationCodeChanged,
        )


class PanelDealerPassword:
    """``dealer/password/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def update(self, *, old_password: str, new_password: str) -> None:
        """Changes the caller's password: 12 to 20 characters with an upper and a lower case
        letter, a digit and one of !@#$%^&*, none of the last ten. Its other sessions end.
        Needs the permissions password:update. Refused with 13, 105, 245, 248."""
        self._session.call(
            "panel",
            "dealer/password/update",
            {"old_password": old_password, "new_password": new_password},
            Nothing,
        )


class PanelDealerSettingsImage:
    """``dealer/settings/image/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def delete(
        self,
        *,
        type: Literal["logo", "favicon", "login_wallpaper", "desktop_wallpaper", "document_logo"],
    ) -> None:
        """Takes an image away; it does not matter whether there was one. Needs the permissions
        service_settings:update. Refused with 13."""
        self._session.call("panel", "dealer/settings/image/delete", {"type": type}, Nothing)

    def upload(
        self,
        *,
        type: Literal["logo", "favicon", "login_wallpaper", "desktop_wallpaper", "document_logo"],
        file: Upload | None = None,
    ) -> None:
        """Sets an image: PNG, JPEG or GIF of up to 4 MB, or ICO for the favicon. The form is
        multipart. With `redirect_target` the browser is sent there, the reply in its parameter
        response. Needs the permissions service_settings:update. Refused with 13, 233, 234,
        236, 271."""
        self._session.call(
            "panel", "dealer/settings/image/upload", {"type": type, "file": file}, Nothing
        )


class PanelDealerSettingsNotification:
    """``dealer/settings/notification/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self) -> types.Notification:
        """The senders of notifications. Needs the permissions notification_settings:read.
        Refused with 13."""
        return self._session.call(
            "panel", "dealer/settings/notification/read", {}, Value[types.Notification]
        ).value

    def update(
        self,
        *,
        email_from: str,
        email_footer: str,
        sms_originator: str,
        caller_id: str,
        email_special: str | None = None,
    ) -> None:
        """Changes them. Needs the permissions notification_settings:update. Refused with 13."""
        self._session.call(
            "panel",
            "dealer/settings/notification/update",
            {
                "email_from": email_from,
                "email_footer": email_footer,
                "sms_originator": sms_originator,
                "caller_id": caller_id,
                "email_special": email_special,
            },
            Nothing,
        )


class PanelDealerSettingsService:
    """``dealer/settings/service/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self) -> types.ServiceSettings:
        """The settings of the users' interface. Needs the permissions service_settings:read.
        Refused with 13."""
        return self._session.call(
            "panel", "dealer/settings/service/read", {}, Value[types.ServiceSettings]
        ).value

    def update(
        self,
        *,
        service_title: str | None = None,
        locale: str | None = None,
        demo_login: str | None = None,
        demo_password: str | None = None,
        maps: Sequence[str] | None = None,
        default_map: types.DefaultMap | None = None,
        currency: str | None = None,
        payment_link: str | None = None,
        promo_url: str | None = None,
        google_client_id: str | None = None,
        domain: str | None = None,
        login_footer: str | None = None,
        allow_registration: bool | None = None,
        show_mobile_apps: bool | None = None,
        default_user_settings: types.DefaultUserSettings | None = None,
        display_model_features_link: bool | None = None,
        limited_domain: bool | None = None,
        allowed_maps: Sequence[str] | None = None,
        color_theme: str | None = None,
        app_color_theme: str | None = None,
        privacy_policy_link: str | None = None,
        tos: str | None = None,
        no_register_commands: bool | None = None,
        default_user_time_zone: str | None = None,
        activation_code_required: bool | None = None,
    ) -> None:
        """Changes settings of the users' interface; what is left out or null stays, an empty
        text empties. Images are changed by dealer/settings/image. Needs the permissions
        service_settings:update. Refused with 13, 247."""
        self._session.call(
            "panel",
            "dealer/settings/service/update",
            {
                "service_title": service_title,
                "locale": locale,
                "demo_login": demo_login,
                "demo_password": demo_password,
                "maps": maps,
                "default_map": default_map,
                "currency": currency,
                "payment_link": payment_link,
                "promo_url": promo_url,
                "google_client_id": google_client_id,
                "domain": domain,
                "login_footer": login_footer,
                "allow_registration": allow_registration,
                "show_mobile_apps": show_mobile_apps,
                "default_user_settings": default_user_settings,
                "display_model_features_link": display_model_features_link,
                "limited_domain": limited_domain,
                "allowed_maps": allowed_maps,
                "color_theme": color_theme,
                "app_color_theme": app_color_theme,
                "privacy_policy_link": privacy_policy_link,
                "tos": tos,
                "no_register_commands": no_register_commands,
                "default_user_time_zone": default_user_time_zone,
                "activation_code_required": activation_code_required,
            },
            Nothing,
        )


class PanelDealerSettings:
    """``dealer/settings/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.image = PanelDealerSettingsImage(session)
        self.notification = PanelDealerSettingsNotification(session)
        self.service = PanelDealerSettingsService(session)


class PanelDealer:
    """``dealer/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.activation_code = PanelDealerActivationCode(session)
        self.password = PanelDealerPassword(session)
        self.settings = PanelDealerSettings(session)

    def get_info(self) -> types.DealerInfo:
        """The dealer, with what it may use and how many of its devices are active. Needs the
        permissions base:get_dealer_info. Refused with 13."""
        return self._session.call("panel", "dealer/get_info", {}, types.DealerInfo)


class PanelEquipment:
    """``equipment/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> builtins.list[types.Equipment]:
        """What bundles can be made of. Needs the permissions tracker_bundles:read. Refused
        with 13."""
        return self._session.call("panel", "equipment/list", {}, Listed[types.Equipment]).items


class PanelGatewaysEmail:
    """``gateways/email/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> types.EmailGateways:
        """Gateways for e-mail. This server has none. Needs the permissions
        email_gateways:read. Refused with 13."""
        return self._session.call("panel", "gateways/email/list", {}, types.EmailGateways)


class PanelGateways:
    """``gateways/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.email = PanelGatewaysEmail(session)


class PanelOrder:
    """``order/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, order_id: int) -> types.OrderObject:
        """An order and the bundles that were put into it. Needs the permissions
        tracker_bundles:read. Refused with 13, 201."""
        return self._session.call(
            "panel", "order/read", {"order_id": order_id}, Value[types.OrderObject]
        ).value


class PanelPaasPlugins:
    """``paas/plugins/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> builtins.list[types.PluginObject]:
        """The plugins that the dealer's users have. Needs the permissions
        base:get_dealer_info. Refused with 13."""
        return self._session.call(
            "panel", "paas/plugins/list", {}, Listed[types.PluginObject]
        ).items


class PanelPaas:
    """``paas/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.plugins = PanelPaasPlugins(session)


class PanelPaymentSystem:
    """``payment_system/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self) -> builtins.list[dict[str, Any]]:
        """How the dealer can pay for the platform: it is the dealer's own, so in no way. Needs
        the permissions base:get_dealer_info. Refused with 13."""
        return self._session.call("panel", "payment_system/list", {}, Listed[dict[str, Any]]).items


class PanelSubpaasPassword:
    """``subpaas/password/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def change(self, *, subpaas_id: int, new_password: str) -> None:
        """Another password for a sub-dealer's panel; its sessions end. Needs the permissions
        subpaas:update. Refused with 13, 201."""
        self._session.call(
            "panel",
            "subpaas/password/change",
            {"subpaas_id": subpaas_id, "new_password": new_password},
            Nothing,
        )


class PanelSubpaasSession:
    """``subpaas/session/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, *, subpaas_id: int) -> str:
        """A session in a sub-dealer's panel; 13 where that panel is shut. Needs the
        permissions subpaas:update. Refused with 13, 201."""
        return self._session.call(
            "panel", "subpaas/session/create", {"subpaas_id": subpaas_id}, types.Hashed
        ).hash


class PanelSubpaas:
    """``subpaas/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.password = PanelSubpaasPassword(session)
        self.session = PanelSubpaasSession(session)

    def create(
        self,
        *,
        password: str,
        title: str,
        email: str,
        jur_name: str,
        jur_country: str,
        link_monitoring: str,
    ) -> int:
        """Makes a sub-dealer, whose log-in is its number. It can be used once the platform's
        operator lets it in. Needs the permissions subpaas:create. Refused with 13, 247."""
        return self._session.call(
            "panel",
            "subpaas/create",
            {
                "password": password,
                "title": title,
                "email": email,
                "jur_name": jur_name,
                "jur_country": jur_country,
                "link_monitoring": link_monitoring,
            },
            types.Identified,
        ).id

    def list(
        self,
        *,
        order_by: Literal["subpaas_id", "title", "jur_name", "login", "block_type", "creation_date"]
        | None = None,
        ascending: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> builtins.list[types.SubdealerRow]:
        """The dealer's sub-dealers, with numbers of users and devices. Needs the permissions
        subpaas:read. Refused with 13."""
        return self._session.call(
            "panel",
            "subpaas/list",
            {"order_by": order_by, "ascending": ascending, "limit": limit, "offset": offset},
            Listed[types.SubdealerRow],
        ).items

    def read(self, *, subpaas_id: int) -> types.Subdealer:
        """One sub-dealer. Needs the permissions subpaas:read. Refused with 13, 201."""
        return self._session.call(
            "panel", "subpaas/read", {"subpaas_id": subpaas_id}, Value[types.Subdealer]
        ).value

    def update(
        self,
        *,
        subpaas_id: int,
        title: str,
        email: str,
        jur_name: str,
        jur_country: str,
        link_monitoring: str,
        contact_fio: str,
        contact_post: str,
        contact_phone: str,
        block_type: Literal["NOT_BLOCKED", "INITIAL_BLOCK", "BLOCK_LOGIN", "CLIENTS_BLOCKED"],
        password: str | None = None,
    ) -> None:
        """Changes a sub-dealer, and its password where one is given. Whoever is shut out by
        `block_type` is so at once. Needs the permissions subpaas:update. Refused with 13, 201,
        247."""
        self._session.call(
            "panel",
            "subpaas/update",
            {
                "subpaas_id": subpaas_id,
                "title": title,
                "email": email,
                "jur_name": jur_name,
                "jur_country": jur_country,
                "link_monitoring": link_monitoring,
                "contact_fio": contact_fio,
                "contact_post": contact_post,
                "contact_phone": contact_phone,
                "block_type": block_type,
                "password": password,
            },
            Nothing,
        )


class PanelTariffDefaults:
    """``tariff/defaults/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self) -> types.DefaultsByType:
        """Tariff, bonus and free days of new trackers and cameras. Needs the permissions
        tariffs:read. Refused with 13."""
        return self._session.call("panel", "tariff/defaults/read", {}, types.DefaultsByType)

    def update(
        self, *, tracker: types.Defaults | None = None, camera: types.Defaults | None = None
    ) -> None:
        """Changes them; what is left out stays. Needs the permissions tariffs:update. Refused
        with 13, 237, 239."""
        self._session.call(
            "panel", "tariff/defaults/update", {"tracker": tracker, "camera": camera}, Nothing
        )


class PanelTariff:
    """``tariff/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.defaults = PanelTariffDefaults(session)

    def create(self, *, tariff: types.TariffFields) -> int:
        """Makes a tariff; name and price are needed. Needs the permissions tariffs:create.
        Refused with 13, 214, 244."""
        return self._session.call("panel", "tariff/create", {"tariff": tariff}, types.Identified).id

    def list(
        self,
        *,
        device_type: Literal["tracker", "camera", "socket"] | None = None,
        filter: str | None = None,
        order_by: Literal["id", "name", "device_type", "group_id", "price"] | None = None,
        ascending: bool | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> types.TariffList:
        """The dealer's tariffs; `filter` is looked for in id, name, price and device type.
        Needs the permissions tariffs:read. Refused with 13."""
        return self._session.call(
            "panel",
            "tariff/list",
            {
                "device_type": device_type,
                "filter": filter,
                "order_by": order_by,
                "ascending": ascending,
                "offset": offset,
                "limit": limit,
            },
            types.TariffList,
        )

    def read(self, *, tariff_id: int) -> types.PanelTariff:
        """One tariff. Needs the permissions tariffs:read. Refused with 13, 201."""
        return self._session.call(
            "panel", "tariff/read", {"tariff_id": tariff_id}, Value[types.PanelTariff]
        ).value

    def update(self, *, tariff: types.TariffFields) -> None:
        """Changes the tariff `tariff.id`, but for its type of device. Points of its trackers
        are kept for the new period from now on. Needs the permissions tariffs:update. Refused
        with 13, 201, 214, 244."""
        self._session.call("panel", "tariff/update", {"tariff": tariff}, Nothing)


class PanelTimezone:
    """``timezone/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, *, locale: str) -> builtins.list[types.TimeZone]:
        """All time zones, west to east. Needs no session."""
        return self._session.call(
            "panel", "timezone/list", {"locale": locale}, Listed[types.TimeZone]
        ).items


class PanelTrackerActiveHistory:
    """``tracker/active/history/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, *, from_: str, to: str) -> builtins.list[types.ActiveMonth]:
        """The trackers that connected in each month, at most 24 of them. Needs the permissions
        trackers:read|trackers:report. Refused with 13, 211."""
        return self._session.call(
            "panel",
            "tracker/active/history/list",
            {"from": from_, "to": to},
            Listed[types.ActiveMonth],
        ).items


class PanelTrackerActive:
    """``tracker/active/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.history = PanelTrackerActiveHistory(session)


class PanelTrackerBundleOrder:
    """``tracker/bundle/order/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def assign(self, *, bundle_id: int, order_id: int | None = None) -> None:
        """Puts a bundle into an order; without `order_id` out of the one it is in. Needs the
        permissions tracker_bundles:update. Refused with 13, 201."""
        self._session.call(
            "panel",
            "tracker/bundle/order/assign",
            {"bundle_id": bundle_id, "order_id": order_id},
            Nothing,
        )


class PanelTrackerBundle:
    """``tracker/bundle/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.order = PanelTrackerBundleOrder(session)

    def assign(self, *, bundle_id: int, iccid: str | None = None) -> None:
        """Puts a SIM card into a bundle; without `iccid` the bundle's SIM card is taken off.
        Needs the permissions tracker_bundles:update. Refused with 13, 201, 208, 223, 226, 247,
        250."""
        self._session.call(
            "panel", "tracker/bundle/assign", {"bundle_id": bundle_id, "iccid": iccid}, Nothing
        )

    def import_(self, *, imeis: Sequence[str], equip_id: int, factory_preset: bool) -> None:
        """Adds bundles of one equipment, all or none; 247 names those that there are already.
        Needs the permissions tracker_bundles:create. Refused with 13, 204, 247."""
        self._session.call(
            "panel",
            "tracker/bundle/import",
            {"imeis": imeis, "equip_id": equip_id, "factory_preset": factory_preset},
            Nothing,
        )

    def list(
        self,
        *,
        user_id: int | None = None,
        tariff_id: int | None = None,
        clones_filter: Literal["not_set", "exclude_clones", "only_include_clones"] | None = None,
        filter: str | None = None,
        order_by: Literal[
            "id",
            "label",
            "status",
            "model",
            "device_id",
            "phone",
            "creation_date",
            "user_id",
            "comment",
            "model_code",
            "imei",
            "iccid",
            "assign_time",
            "order_id",
            "equip_id",
        ]
        | None = None,
        ascending: bool | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> Page[types.BundleObject]:
        """The dealer's bundles. `filter` is looked for in id, IMEI, model code, ICCID and time
        of assignment; label, status, user, tariff and comment are those of the registered
        device. Needs the permissions tracker_bundles:read. Refused with 13, 201."""
        return self._session.call(
            "panel",
            "tracker/bundle/list",
            {
                "user_id": user_id,
                "tariff_id": tariff_id,
                "clones_filter": clones_filter,
                "filter": filter,
                "order_by": order_by,
                "ascending": ascending,
                "offset": offset,
                "limit": limit,
            },
            Page[types.BundleObject],
        )

    def read(self, *, imei: str) -> types.BundleObject:
        """The bundle with this IMEI. Needs the permissions tracker_bundles:read. Refused with
        13, 201."""
        return self._session.call(
            "panel", "tracker/bundle/read", {"imei": imei}, Value[types.BundleObject]
        ).value

    def update(self, *, bundle_id: int, equip_id: int) -> None:
        """Another equipment, and so another model, for a bundle. Needs the permissions
        tracker_bundles:update. Refused with 13, 201, 204."""
        self._session.call(
            "panel",
            "tracker/bundle/update",
            {"bundle_id": bundle_id, "equip_id": equip_id},
            Nothing,
        )


class PanelTrackerConsole:
    """``tracker/console/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def connect(self, *, tracker_id: int) -> types.ConsoleKey:
        """A key to the device's console: a WebSocket opened within five minutes at `/console`
        with the parameters device, key, timestamp and dealer_id. Needs the permissions
        trackers:update. Refused with 13, 201, 230, 252."""
        return self._session.call(
            "panel", "tracker/console/connect", {"tracker_id": tracker_id}, types.ConsoleKey
        )


class PanelTrackerRawCommand:
    """``tracker/raw_command/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def send(
        self,
        *,
        device_id: str,
        command: str,
        type: Literal["text", "hex"] | None = None,
        reliable: bool | None = None,
    ) -> None:
        """Queues a command for the device: at once where it is connected, else when it
        connects. `reliable`: repeated until the device answers; otherwise sent once at most.
        Refused with 268 while as many wait as the setting `commands_waiting` allows. Needs the
        permissions trackers:update. Refused with 13, 201, 252, 268."""
        self._session.call(
            "panel",
            "tracker/raw_command/send",
            {"device_id": device_id, "command": command, "type": type, "reliable": reliable},
            Nothing,
        )


class PanelTrackerSettings:
    """``tracker/settings/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def update(
        self, *, tracker_id: int, label: str, deleted: bool, comment: str | None = None
    ) -> None:
        """Changes label and comment; `deleted` takes the tracker out of its user's sight, or
        brings it back. Needs the permissions trackers:update. Refused with 13, 201, 247, 252."""
        self._session.call(
            "panel",
            "tracker/settings/update",
            {"tracker_id": tracker_id, "label": label, "deleted": deleted, "comment": comment},
            Nothing,
        )


class PanelTrackerSource:
    """``tracker/source/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def update(self, *, tracker_id: int, blocked: bool) -> None:
        """Blocks a device, or lets it go on. A blocked one's data is kept and not shown to
        users. Needs the permissions trackers:update. Refused with 13, 201, 252."""
        self._session.call(
            "panel",
            "tracker/source/update",
            {"tracker_id": tracker_id, "blocked": blocked},
            Nothing,
        )


class PanelTrackerTariff:
    """``tracker/tariff/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def change(self, *, tracker_id: int, tariff_id: int, repay: bool, charge: bool) -> None:
        """Another tariff for a tracker. `repay`: what is left of a paid monthly one comes back
        to its owner's balance. `charge`: the new one is to be paid from now on, else from the
        next period on. Needs the permissions trackers:update, transactions:create,
        tariffs:read. Refused with 13, 201, 219, 221, 237, 238, 239, 250, 252."""
        self._session.call(
            "panel",
            "tracker/tariff/change",
            {"tracker_id": tracker_id, "tariff_id": tariff_id, "repay": repay, "charge": charge},
            Nothing,
        )


class PanelTracker:
    """``tracker/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.active = PanelTrackerActive(session)
        self.bundle = PanelTrackerBundle(session)
        self.console = PanelTrackerConsole(session)
        self.raw_command = PanelTrackerRawCommand(session)
        self.settings = PanelTrackerSettings(session)
        self.source = PanelTrackerSource(session)
        self.tariff = PanelTrackerTariff(session)

    def batch_clone(
        self, *, tracker_ids: Sequence[int], user_id: int, ignore_existing: bool | None = None
    ) -> types.Cloned:
        """Lets another user of the dealer have several devices too, under the same labels:
        all, or none. `ignore_existing` passes over those that the user has already. Needs the
        permissions trackers:create. Refused with 13, 217, 219, 246, 247."""
        return self._session.call(
            "panel",
            "tracker/batch_clone",
            {"tracker_ids": tracker_ids, "user_id": user_id, "ignore_existing": ignore_existing},
            types.Cloned,
        )

    def batch_delete_clones(self, *, trackers: Sequence[int]) -> types.Deleted:
        """Takes several clones out of their accounts; what cannot be deleted is passed over
        and named. Needs the permissions trackers:delete. Refused with 13."""
        return self._session.call(
            "panel", "tracker/batch_delete_clones", {"trackers": trackers}, types.Deleted
        )

    def clone(self, *, tracker_id: int, label: str, user_id: int) -> int:
        """Lets another user of the dealer have the device too. Needs the permissions
        trackers:create. Refused with 13, 201, 219, 246, 247, 252."""
        return self._session.call(
            "panel",
            "tracker/clone",
            {"tracker_id": tracker_id, "label": label, "user_id": user_id},
            types.Identified,
        ).id

    def corrupt(self, *, tracker_id: int, corrupt_clones: bool | None = None) -> None:
        """Gives a device up: its id and phone are free again, the tracker is gone; its clones
        too where `corrupt_clones` says so. Needs the permissions trackers:corrupt. Refused
        with 13, 201, 219, 252, 253."""
        self._session.call(
            "panel",
            "tracker/corrupt",
            {"tracker_id": tracker_id, "corrupt_clones": corrupt_clones},
            Nothing,
        )

    def delete_clone(self, *, tracker_id: int) -> None:
        """Takes a clone out of its account. Needs the permissions trackers:delete. Refused
        with 13, 201, 203, 249, 252."""
        self._session.call("panel", "tracker/delete_clone", {"tracker_id": tracker_id}, Nothing)

    def list(
        self,
        *,
        user_id: int | None = None,
        tariff_id: int | None = None,
        filter: str | None = None,
        clones_filter: Literal["not_set", "exclude_clones", "only_include_clones"] | None = None,
        order_by: Literal[
            "id",
            "label",
            "status",
            "model",
            "device_id",
            "phone",
            "creation_date",
            "user_id",
            "comment",
            "last_connection",
            "tariff_id",
            "business_status",
            "tariff_end_date",
            "group_id",
            "dealer_id",
            "source_id",
            "clone",
            "deleted",
            "blocked",
            "owner_name",
            "legal_name",
        ]
        | None = None,
        ascending: bool | None = None,
        offset: int | None = None,
        limit: int | None = None,
    ) -> Page[types.PanelTracker]:
        """Trackers of all users of the dealer, deleted and corrupted ones too. `filter` is
        looked for in id, label, source id, device id, model, phone and user id. Needs the
        permissions trackers:read. Refused with 13, 201."""
        return self._session.call(
            "panel",
            "tracker/list",
            {
                "user_id": user_id,
                "tariff_id": tariff_id,
                "filter": filter,
                "clones_filter": clones_filter,
                "order_by": order_by,
                "ascending": ascending,
                "offset": offset,
                "limit": limit,
            },
            Page[types.PanelTracker],
        )

    def move(self, *, tracker_id: int, user_id: int) -> int:
        """Gives a tracker to another user of the dealer. It keeps its id and its history;
        group, tags, rules and whatever else the former user gave it stay behind. Needs the
        permissions trackers:create, trackers:delete. Refused with 13, 201, 219, 246, 247, 252."""
        return self._session.call(
            "panel",
            "tracker/move",
            {"tracker_id": tracker_id, "user_id": user_id},
            types.Identified,
        ).id

    def read(self, *, tracker_id: int) -> types.PanelTracker:
        """One tracker. Needs the permissions trackers:read. Refused with 13, 201, 252."""
        return self._session.call(
            "panel", "tracker/read", {"tracker_id": tracker_id}, Value[types.PanelTracker]
        ).value

    def register_entry(
        self, *, tracker_id: int, send_register_commands: bool | None = None
    ) -> None:
        """Sends the commands that set a device up once more and resets its tracking settings;
        once in two minutes. Needs the permissions trackers:update. Refused with 13, 201, 208,
        214, 219, 252, 264."""
        self._session.call(
            "panel",
            "tracker/register_entry",
            {"tracker_id": tracker_id, "send_register_commands": send_register_commands},
            Nothing,
        )

    def register_retry(
        self, *, tracker_id: int, send_register_commands: bool | None = None
    ) -> None:
        """Sends the commands that set a device up once more and resets its tracking settings;
        once in two minutes. Needs the permissions trackers:update. Refused with 13, 201, 208,
        214, 219, 252, 264."""
        self._session.call(
            "panel",
            "tracker/register_retry",
            {"tracker_id": tracker_id, "send_register_commands": send_register_commands},
            Nothing,
        )


class PanelUserMenuDefault:
    """``user/menu/default/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *, application: Literal["navixy_web"] | None = None) -> types.Menu:
        """The menu of all users that have none of their own. Needs the permissions
        service_settings:read. Refused with 13."""
        return self._session.call(
            "panel", "user/menu/default/read", {"application": application}, Value[types.Menu]
        ).value

    def update(self, *, value: types.Menu) -> None:
        """Changes it. Needs the permissions service_settings:update. Refused with 13."""
        self._session.call("panel", "user/menu/default/update", {"value": value}, Nothing)


class PanelUserMenu:
    """``user/menu/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.default = PanelUserMenuDefault(session)

    def read(self, *, user_id: int, application: Literal["navixy_web"] | None = None) -> types.Menu:
        """The menu of a user (no sub-user): its own, or the default one. Needs the permissions
        users:read. Refused with 13, 201."""
        return self._session.call(
            "panel",
            "user/menu/read",
            {"user_id": user_id, "application": application},
            Value[types.Menu],
        ).value

    def update(self, *, user_id: int, value: types.Menu) -> None:
        """Gives a user a menu of its own. Needs the permissions users:update. Refused with 13,
        201."""
        self._session.call(
            "panel", "user/menu/update", {"user_id": user_id, "value": value}, Nothing
        )


class PanelUserMfaSettingsDefault:
    """``user/mfa/settings/default/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self) -> types.MfaSettings:
        """What new users get. Needs the permissions users:read. Refused with 13."""
        return self._session.call(
            "panel", "user/mfa/settings/default/read", {}, Value[types.MfaSettings]
        ).value

    def update(self, *, settings: types.MfaSettings) -> None:
        """Changes what new users get. Needs the permissions users:update. Refused with 13."""
        self._session.call(
            "panel", "user/mfa/settings/default/update", {"settings": settings}, Nothing
        )


class PanelUserMfaSettings:
    """``user/mfa/settings/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.default = PanelUserMfaSettingsDefault(session)

    def read(self, *, user_id: int) -> types.MfaSettings:
        """The settings of one user. Needs the permissions users:read. Refused with 13, 201."""
        return self._session.call(
            "panel", "user/mfa/settings/read", {"user_id": user_id}, Value[types.MfaSettings]
        ).value

    def update(self, *, target: types.Target, settings: types.MfaSettings) -> None:
        """Changes the settings of all users, or of some; 201 where one of them is not the
        dealer's. Needs the permissions users:update. Refused with 13, 201."""
        self._session.call(
            "panel", "user/mfa/settings/update", {"target": target, "settings": settings}, Nothing
        )


class PanelUserMfa:
    """``user/mfa/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.settings = PanelUserMfaSettings(session)


class PanelUserSession:
    """``user/session/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def create(self, *, user_id: int) -> str:
        """Makes a session of a user: the panel's way into its interface. Users of sub-dealers
        need user_sessions:global too. Needs the permissions users:update,
        user_sessions:create. Refused with 13, 201."""
        return self._session.call(
            "panel", "user/session/create", {"user_id": user_id}, types.Hashed
        ).hash


class PanelUserTransaction:
    """``user/transaction/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def change_balance(
        self, *, user_id: int, amount: float, type: Literal["balance", "bonus"], text: str
    ) -> None:
        """Adds money to a user's balance or bonus, or (negative) takes it away; neither can
        become negative. Fees that waited for the money are taken, and their devices let go on.
        Needs the permissions users:update, transactions:create. Refused with 13, 201, 251."""
        self._session.call(
            "panel",
            "user/transaction/change_balance",
            {"user_id": user_id, "amount": amount, "type": type, "text": text},
            Nothing,
        )

    def list(
        self, *, user_id: int, from_: datetime | str, to: datetime | str, limit: int | None = None
    ) -> builtins.list[types.Transaction]:
        """What happened to a user's money in a period, the newest first. Needs the permissions
        users:read, transactions:read. Refused with 13, 201."""
        return self._session.call(
            "panel",
            "user/transaction/list",
            {"user_id": user_id, "from": from_, "to": to, "limit": limit},
            Listed[types.Transaction],
        ).items


class PanelUser:
    """``user/*``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.menu = PanelUserMenu(session)
        self.mfa = PanelUserMfa(session)
        self.session = PanelUserSession(session)
        self.transaction = PanelUserTransaction(session)

    def create(
        self,
        *,
        user: types.PanelPerson,
        time_zone: str,
        locale: str,
        password: str,
        discount: types.Discount,
        default_tariff_id: int | None = None,
        comment: str | None = None,
    ) -> int:
        """Makes a user. A user of a sub-dealer (`user.dealer_id`) needs users:global too.
        Needs the permissions users:create. Refused with 12, 13, 201, 206."""
        return self._session.call(
            "panel",
            "user/create",
            {
                "user": user,
                "time_zone": time_zone,
                "locale": locale,
                "password": password,
                "discount": discount,
                "default_tariff_id": default_tariff_id,
                "comment": comment,
            },
            types.Identified,
        ).id

    def list(
        self,
        *,
        filter: str | None = None,
        order_by: Literal["id", "login", "last_name", "balance", "bonus", "phone", "post_city"]
        | None = None,
        ascending: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
        hide_inactive: bool | None = None,
    ) -> Page[types.PanelUser]:
        """The dealer's users; `count` is how many there are without `offset` and `limit`.
        Needs the permissions users:read. Refused with 13."""
        return self._session.call(
            "panel",
            "user/list",
            {
                "filter": filter,
                "order_by": order_by,
                "ascending": ascending,
                "limit": limit,
                "offset": offset,
                "hide_inactive": hide_inactive,
            },
            Page[types.PanelUser],
        )

    def read(self, *, user_id: int) -> types.ReadUser:
        """A user, with discount and default tariff. Needs the permissions users:read. Refused
        with 13, 201."""
        return self._session.call("panel", "user/read", {"user_id": user_id}, types.ReadUser)

    def update(
        self,
        *,
        user: types.PanelPerson,
        discount: types.Discount,
        default_tariff_id: int | None = None,
        comment: str | None = None,
    ) -> None:
        """Changes the user `user.id`. The legal type stays as it is. Needs the permissions
        users:update. Refused with 13, 201, 206."""
        self._session.call(
            "panel",
            "user/update",
            {
                "user": user,
                "discount": discount,
                "default_tariff_id": default_tariff_id,
                "comment": comment,
            },
            Nothing,
        )


class Panel:
    """The panel API."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.account = PanelAccount(session)
        self.dealer = PanelDealer(session)
        self.equipment = PanelEquipment(session)
        self.gateways = PanelGateways(session)
        self.order = PanelOrder(session)
        self.paas = PanelPaas(session)
        self.payment_system = PanelPaymentSystem(session)
        self.subpaas = PanelSubpaas(session)
        self.tariff = PanelTariff(session)
        self.timezone = PanelTimezone(session)
        self.tracker = PanelTracker(session)
        self.user = PanelUser(session)

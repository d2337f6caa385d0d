"""What actions take and give. Written by scripts/make_client.py."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType


class AccountSessionAuthenticated(msgspec.Struct, kw_only=True):
    """A new session and what it may do: category -> operations."""

    hash: str
    permissions: dict[str, list[str]]


class ActiveMonth(msgspec.Struct, kw_only=True):
    """A month (`yyyy-MM`) and the trackers that connected in it (UTC)."""

    month: str
    amount: int
    trackers: list[ActiveTracker]


class ActiveTracker(msgspec.Struct, kw_only=True):
    tracker_id: int
    user_id: int
    label: str
    device_id: str


class Additional(msgspec.Struct, kw_only=True):
    """Any other state, as text."""

    value: str
    updated: str


class Alerts(msgspec.Struct, kw_only=True):
    """Who is told, and how."""

    sms_phones: list[str] | None = None
    phones: list[str] | None = None
    emails: list[str] | None = None
    push_enabled: bool | None = None
    emergency: bool | None = None


class AllSettings(msgspec.Struct, kw_only=True):
    settings: UserSettings
    file_storage_settings: FileStorageSettings | None = None
    balance_alert_settings: BalanceAlertSettings | None = None
    first_user_balance_warning_period: str | None = None
    second_user_balance_warning_period: str | None = None


class ApiKey(msgspec.Struct, kw_only=True):
    hash: str
    create_date: str
    title: str


class ApnSettings(msgspec.Struct, kw_only=True):
    """Name, user and password of an access point; empty where it has none."""

    name: str
    user: str
    password: str


class AttemptView(msgspec.Struct, kw_only=True):
    """One attempt to deliver a command. `outcome` is null while its answer is awaited, else
    answered, unanswered (the protocol has no answers), timeout, disconnected, gateway_lost,
    refused; by SMS also accepted, delivered, undelivered."""

    number: int
    sent: str
    finished: str | None = None
    outcome: str | None = None


class BalanceAlertSettings(msgspec.Struct, kw_only=True):
    emails: list[str] | UnsetType = UNSET


class Battery(msgspec.Struct, kw_only=True):
    """The device's own battery: volts (or shares of 1) when empty, low and full."""

    min_charge: float
    low_charge: float
    max_charge: float


class Binding(msgspec.Struct, kw_only=True):
    """A tag and its place on the tracker."""

    tag_id: int
    ordinal: int


class Bounds(msgspec.Struct, kw_only=True):
    """The box that holds all positions."""

    nw: FleetStateViewLocation
    se: FleetStateViewLocation


class BundleObject(msgspec.Struct, kw_only=True):
    """A bundle. `assign_time` (UTC) is when it got its SIM card."""

    id: int
    equip_id: int
    equip_vendor: str
    equip_name: str
    equip_model: str
    model_code: str
    imei: str
    factory_preset: bool
    iccid: str | None = None
    assign_time: str | None = None
    order_id: int | None = None
    sim_card: SimObject


class CalibrationPoint(msgspec.Struct, kw_only=True):
    """A raw value (`in`) and what it means (`out`)."""

    in_: float = msgspec.field(name="in")
    out: float


class ChangeView(msgspec.Struct, kw_only=True):
    """When, where and by whom a status was set (`supervisor` or `employee`)."""

    id: int
    old_status_id: int | None = None
    new_status_id: int | None = None
    location: Place | None = None
    changed: str
    origin: str


class Choices(msgspec.Struct, kw_only=True):
    """What a tracker can be changed to, and in how many days that is free; 0: now."""

    items: list[UserTariff] = msgspec.field(name="list")
    days_to_next_change: int


class Cloned(msgspec.Struct, kw_only=True):
    """The clones that were made, and the trackers that the user had already."""

    items: list[int] = msgspec.field(name="list")
    ignored_trackers: list[int] | None = None


class Cluster(msgspec.Struct, kw_only=True, tag="cluster", tag_field="type"):
    """Single reports near each other."""

    start_date: str
    start_address: str | None = None
    end_date: str
    precision: int | None = None
    points: list[FleetStateViewLocation]
    bounds: Bounds
    gsm_lbs: bool | None = None


class CodeObject(msgspec.Struct, kw_only=True):
    """An activation code; `device_id` is the tracker registered with it, 0: none yet."""

    tariff_id: int
    bonus_amount: int
    free_days: int
    money_amount: int
    device_type: str
    code: str
    activated: bool
    activation_date: str | None = None
    device_id: int
    tariff_name: str


class CommandFields(msgspec.Struct, kw_only=True):
    """A command as a client sends it."""

    name: str
    type: Literal["hardware", "http"]
    config: dict[str, Any]
    id: int | UnsetType | None = UNSET


class CommandView(msgspec.Struct, kw_only=True):
    """A command and what became of it."""

    id: int
    channel: str
    kind: str
    command: str
    reliable: bool
    state: str
    user_id: int | None = None
    panel_account_id: int | None = None
    created: str
    sent: str | None = None
    finished: str | None = None
    expires: str
    next_attempt: str | None = None
    answer: str | None = None
    error: str | None = None
    attempts: list[AttemptView]


class Commands(msgspec.Struct, kw_only=True):
    """Commands by the ids of trackers."""

    result: dict[str, list[SavedCommand]]


class Confirmation(msgspec.Struct, kw_only=True):
    """One group of settings: `name` is tracking, led, or a type of special settings."""

    name: str
    wanted: dict[str, Any]
    changed: str | None = None
    confirmed: dict[str, Any] | None = None
    confirmed_time: str | None = None
    different: list[str]
    state: str
    error: str | None = None


class Connection(msgspec.Struct, kw_only=True):
    """A way to connect that the API shows; the address is the server's."""

    protocol: str
    transport: str


class ConsoleKey(msgspec.Struct, kw_only=True):
    """A key, and the moment (seconds since 1970) that has to be shown with it."""

    key: str
    timestamp: int


class Converted(msgspec.Struct, kw_only=True):
    """Vehicles of a table; those with `errors` cannot be made as they are."""

    items: list[dict[str, Any]] = msgspec.field(name="list")
    limit_exceeded: bool


class Count(msgspec.Struct, kw_only=True):
    count: int


class CounterDatum(msgspec.Struct, kw_only=True):
    """What a counter showed."""

    value: float
    update_time: str


class CounterObject(msgspec.Struct, kw_only=True):
    """A counter; `sensor_id` is the sensor that counts, where one is chosen."""

    id: int
    type: str
    multiplier: float
    sensor_id: int | None = None


class CounterReading(msgspec.Struct, kw_only=True):
    """What a counter shows."""

    type: str
    value: float
    update_time: str


class Counters(msgspec.Struct, kw_only=True):
    """`user_time`: the time now."""

    user_time: str
    items: list[TypedValue] = msgspec.field(name="list")


class Current(msgspec.Struct, kw_only=True):
    """What a tracker has now, and its last change; null where there is none."""

    current_status: Status | None = None
    last_change: ChangeView | None = None


class DayMileage(msgspec.Struct, kw_only=True):
    """Kilometres of a day."""

    mileage: float


class DealerActivationCodeChanged(msgspec.Struct, kw_only=True):
    """How many codes."""

    count: int


class DealerInfo(msgspec.Struct, kw_only=True):
    """A dealer. Active trackers are devices that connected this month (UTC)."""

    id: int
    seller_id: int
    parent_dealer_id: int | None = None
    contract_type: str
    tariff_id: int
    tariff: PlatformPlan
    demo_tariff: bool
    tracker_tariff_end_date: str | None = None
    store_period: str
    demo_ends: str | None = None
    title: str
    block_status: str
    legal_name: str
    active_amount: int
    active_amount_own: int
    active_amount_subpaas: int
    active_limit: int
    locale: str
    domain: str
    favicon: str | None = None
    logo: str | None = None
    enable_trackers: bool
    enable_cameras: bool
    paas_activation_date: str
    license_balance: float
    seller_currency: str
    features: list[str]
    default_user_time_zone: str
    information_center: dict[str, Any]


class DealerServiceLocation(msgspec.Struct, kw_only=True):
    lat: float
    lng: float


class DefaultMap(msgspec.Struct, kw_only=True):
    """What the map shows at first."""

    type: str
    location: DealerServiceLocation
    zoom: int


class DefaultUserSettings(msgspec.Struct, kw_only=True):
    """Settings of new users."""

    geocoder: Literal["google", "yandex", "progorod", "osm", "locationiq"] | UnsetType = UNSET
    route_provider: Literal["google", "progorod", "osrm"] | UnsetType = UNSET
    measurement_system: (
        Literal["metric", "imperial", "us", "metric_gal_us", "nautical"] | UnsetType
    ) = UNSET
    date_format: str | UnsetType = UNSET
    hour_mode: Literal["TWENTY_FOUR_HOURS", "TWELVE_HOURS"] | UnsetType = UNSET
    translit: bool | UnsetType = UNSET


class Defaults(msgspec.Struct, kw_only=True):
    """What a dealer gives new devices of one type. `activation_bonus` is money for the bonus
    balance; `free_days_device_limit`: most devices of one account with free days (null: all)."""

    tariff_id: int | UnsetType | None = UNSET
    activation_bonus: float | UnsetType = UNSET
    free_days: int | UnsetType = UNSET
    free_days_device_limit: int | UnsetType | None = UNSET


class DefaultsByType(msgspec.Struct, kw_only=True):
    tracker: Defaults
    camera: Defaults


class Deleted(msgspec.Struct, kw_only=True):
    """How many were deleted and not; the latter one by one."""

    deleted_count: int
    not_deleted_count: int
    not_deleted_trackers: list[NotDeleted] | None = None


class Diagnostics(msgspec.Struct, kw_only=True):
    """Values of the vehicle's buses; `states` is null where there are none."""

    user_time: str
    inputs: list[SensorValue]
    states: dict[str, str | int | float] | None = None
    update_time: str | None = None


class Discount(msgspec.Struct, kw_only=True):
    """A personal discount: percent, from how many active trackers on, until when (null: open)."""

    value: float | UnsetType | None = UNSET
    min_trackers: int | UnsetType | None = UNSET
    end_date: date | UnsetType | None = UNSET
    strategy: Literal["no_summing", "sum_with_progressive"] | UnsetType | None = UNSET


class Discrete(msgspec.Struct, kw_only=True, tag="discrete", tag_field="type"):
    """What a digital input (1 to 8) is connected to."""

    id: int
    sensor_type: str
    name: str
    input_number: int


class DiscreteState(msgspec.Struct, kw_only=True):
    """What a digital input means, and whether it is on."""

    type: str
    name: str | None = None
    status: bool
    input_number: int


class EmailGateways(msgspec.Struct, kw_only=True):
    """The dealer's own gateways, those that it may borrow, and the one in use."""

    bound_gateway: int | None = None
    own: list[dict[str, Any]]
    leasable: list[dict[str, Any]]


class Equipment(msgspec.Struct, kw_only=True):
    """One piece; `model_name` is the maker's own name, `name` that of the shop."""

    equip_id: int
    model_name: str
    model_code: str
    vendor: str
    name: str


class FileStorageSettings(msgspec.Struct, kw_only=True):
    auto_overwrite: bool | UnsetType = UNSET


class Filter(msgspec.Struct, kw_only=True):
    """Regular expressions of the models that a plugin is for, or (`exclusion`) not."""

    exclusion: bool
    values: list[str]


class FleetStateViewLocation(msgspec.Struct, kw_only=True):
    lat: float
    lng: float


class Found(msgspec.Struct, kw_only=True):
    """What has the tags, by type of entity."""

    result: dict[str, list[Any]]


class FullModel(msgspec.Struct, kw_only=True):
    """The documented object, and `instructions`: what the platform can tell such a device
    (registration, apn, tracking, special_settings, location_request, output, outputs, led
    ...). Settings of another kind are kept and not sent. `protocol`: by which its reports are
    read; null where none is (its settings can be kept, and it cannot connect), and for apps."""

    id: int
    vendor: str
    code: str
    parent_code: str | None = None
    type: str | None = None
    name: str
    id_type: str | None = None
    has_phone: bool | None = None
    has_apn_settings: bool | None = None
    register: bool | None = None
    has_auto_registration: bool | None = None
    port: int | None = None
    battery: Battery | None = None
    altitude: bool | None = None
    satellites: bool | None = None
    gsm_level: bool | None = None
    gsm_network: bool | None = None
    gsm_roaming: bool | None = None
    has_detach_button: bool | None = None
    has_fuel_input: bool | None = None
    analog_inputs: int | None = None
    digital_inputs: int | None = None
    digital_outputs: int | None = None
    rs232_inputs: int | None = None
    track_control: str | None = None
    output_control: str | None = None
    special_control: str | None = None
    rules: list[str] | None = None
    inputs: list[str] | None = None
    state_fields: list[str] | None = None
    special_settings: list[str] | None = None
    sms_control: list[str] | None = None
    connection: list[Connection] | None = None
    has_led_control: bool | None = None
    has_location_request: bool | None = None
    has_gprs_location_request: bool | None = None
    has_gsm_lbs_location_request: bool | None = None
    has_chat: bool | None = None
    check_bundle: bool | None = None
    has_custom_fields: bool | None = None
    has_odometer: bool | None = None
    has_lbs: bool | None = None
    has_motion_sensor: bool | None = None
    has_hardware_key: bool | None = None
    register_fields: list[str] | None = None
    instructions: list[str] | None = None
    protocol: str | None = None


class GpsView(msgspec.Struct, kw_only=True):
    """Where it is. Per cent, degrees, km/h, metres; zeros where there was no fix yet."""

    updated: str | None = None
    signal_level: int | None = None
    location: FleetStateViewLocation
    heading: int
    speed: int
    alt: int
    precision: int | None = None
    gsm_lbs: bool | None = None


class Group(msgspec.Struct, kw_only=True):
    """A group; `color` is RRGGBB."""

    id: int
    title: str
    color: str


class GsmView(msgspec.Struct, kw_only=True):
    """The mobile network; per cent."""

    updated: str | None = None
    signal_level: int | None = None
    network_name: str | None = None
    roaming: bool | None = None


class Hashed(msgspec.Struct, kw_only=True):
    """The hash of a new session."""

    hash: str


class Identified(msgspec.Struct, kw_only=True):
    """The id of what was made."""

    id: int


class Immobilizer(msgspec.Struct, kw_only=True):
    enabled: bool


class Info(msgspec.Struct, kw_only=True):
    paas_id: int
    paas_settings: dict[str, Any]
    user_info: UserInfo
    master: MasterInfo | None = None
    tariff_restrictions: TariffRestrictions
    premium_gis: bool
    features: list[str]
    privileges: InfoPrivileges | None = None
    user_menu: dict[str, Any]


class InfoPrivileges(msgspec.Struct, kw_only=True):
    rights: list[str]
    store_period: str | None = None


class InputInfo(msgspec.Struct, kw_only=True):
    """Digital inputs; `states` are those that a sensor gives a meaning."""

    inputs: list[bool]
    states: list[DiscreteState]
    update_time: str | None = None


class InputName(msgspec.Struct, kw_only=True):
    """An input that sensors can read, or (with a type of value) a state; `[N]`: there are
    several with a number."""

    input_name: str
    description: str
    value_type: str | None = None
    value_titles: dict[str, str] | None = None


class InputReading(msgspec.Struct, kw_only=True):
    """What a sensor measured. `sensor_id` is missing where the device reports something that
    no sensor reads; least and greatest value are known where the sensor is calibrated."""

    sensor_id: int | None = None
    label: str
    units: str
    name: str
    type: str
    min_value: float | None = None
    max_value: float | None = None
    value: float
    units_type: str
    converted_units_type: str | None = None
    converted_value: float | None = None
    update_time: str
    composite_sensor_ids: list[int] | None = None


class Inputs(msgspec.Struct, kw_only=True):
    """The same; `user_time` is the time now."""

    user_time: str
    inputs: list[bool]
    states: list[DiscreteState]
    update_time: str | None = None


class Kept(msgspec.Struct, kw_only=True):
    """Likewise."""

    not_sent: str | None = None


class LastGpsPoint(msgspec.Struct, kw_only=True):
    """A position found by satellites. Degrees, km/h, metres."""

    get_time: str
    heading: int
    lat: float
    lng: float
    satellites: int
    speed: int
    precision: int | None = None


class LbsSettings(msgspec.Struct, kw_only=True):
    """Metres of uncertainty up to which positions by the mobile network count."""

    max_radius: int


class Listing(msgspec.Struct, kw_only=True):
    """A list of statuses; `entries` are their ids in order. Who may change a tracker's: the
    employee who has it, whoever supervises."""

    id: int
    label: str
    employee_controlled: bool
    supervisor_controlled: bool
    entries: list[int]


class Made(msgspec.Struct, kw_only=True):
    """The command and its id."""

    id: int
    value: SavedCommand


class ManyInputs(msgspec.Struct, kw_only=True):
    """Inputs by tracker id."""

    user_time: str
    data: dict[str, InputInfo]


class ManyOutputs(msgspec.Struct, kw_only=True):
    """Outputs by tracker id."""

    result: dict[str, list[OutputInfo]]


class ManyReadings(msgspec.Struct, kw_only=True):
    """Readings by tracker id."""

    result: dict[str, TrackerReadings]


class ManySensors(msgspec.Struct, kw_only=True):
    """Sensors by tracker id."""

    result: dict[str, list[Metering | Discrete | Virtual]]


class ManyStates(msgspec.Struct, kw_only=True):
    """States by tracker id; `blocked` and `not_exist` where the call asks for them."""

    user_time: str
    states: dict[str, TrackerState]
    blocked: list[int] | None = None
    not_exist: list[int] | None = None


class MapFilter(msgspec.Struct, kw_only=True):
    """Maps of a tariff's users: all but `values` (`exclusion`), or only these."""

    exclusion: bool | UnsetType = UNSET
    values: list[str] | UnsetType = UNSET


class MasterInfo(msgspec.Struct, kw_only=True):
    """The account that a sub-user belongs to."""

    id: int
    demo: bool
    legal_type: str
    first_name: str
    middle_name: str
    last_name: str
    legal_name: str
    title: str
    balance: float
    bonus: float


class Menu(msgspec.Struct, kw_only=True):
    """Which sections there are, in which order."""

    application: Literal["navixy_web"] | UnsetType = UNSET
    account_menu: list[MenuItem] | UnsetType = UNSET
    main_menu: list[MenuGroup] | UnsetType = UNSET
    footer_menu: list[MenuItem] | UnsetType = UNSET


class MenuGroup(msgspec.Struct, kw_only=True):
    name: str
    items: list[MenuItem] | UnsetType = UNSET


class MenuItem(msgspec.Struct, kw_only=True):
    name: str


class MergedTrack(msgspec.Struct, kw_only=True, tag="merged", tag_field="type"):
    """All trips of the period as one. km, km/h."""

    start_date: str
    start_address: str | None = None
    max_speed: int
    end_date: str
    end_address: str | None = None
    length: float
    points: int
    avg_speed: int
    event_count: int | None = None
    gsm_lbs: bool | None = None
    points_list: list[TrackPoint] | None = None
    bounds: Bounds


class Metering(msgspec.Struct, kw_only=True, tag="metering", tag_field="type"):
    """A measurement. `accuracy` in per cent is for whoever looks for leaps of its values."""

    id: int
    sensor_type: str
    name: str
    input_name: str
    divider: float | None = None
    accuracy: float | None = None
    units: str | None = None
    units_type: str | None = None
    group_type: Any = None
    parameters: dict[str, Any] | None = None


class MfaSettings(msgspec.Struct, kw_only=True):
    """`factor_types` is needed where it is allowed."""

    type: Literal["allowed", "disallowed"]
    factor_types: list[Literal["email"]] | UnsetType = UNSET


class Mileage(msgspec.Struct, kw_only=True):
    """By tracker id and day. `limit_exceeded`: the period begins before what is kept of a
    tracker."""

    result: dict[str, dict[str, DayMileage]]
    limit_exceeded: bool


class NewListing(msgspec.Struct, kw_only=True):
    """A list as given; `id` and `entries` (all of its statuses in order) only to change it."""

    label: str
    employee_controlled: bool | UnsetType = UNSET
    supervisor_controlled: bool | UnsetType = UNSET
    id: int | UnsetType | None = UNSET
    entries: list[int] | UnsetType | None = UNSET


class NewStatus(msgspec.Struct, kw_only=True):
    """A status as given; `id` only to change it."""

    label: str
    color: str
    id: int | UnsetType | None = UNSET


class NewTag(msgspec.Struct, kw_only=True):
    """A tag as given; `id` says which one is to be changed."""

    name: str
    color: str
    avatar_file_name: str | UnsetType | None = UNSET
    id: int | UnsetType | None = UNSET


class NotDeleted(msgspec.Struct, kw_only=True):
    """A tracker that could not be deleted, and why."""

    id: int
    error: str


class Notification(msgspec.Struct, kw_only=True):
    """Senders of notifications."""

    email_from: str | None = None
    email_footer: str | None = None
    email_special: str | None = None
    sms_originator: str | None = None
    caller_id: str | None = None


class OneState(msgspec.Struct, kw_only=True):
    """`user_time`: the time now."""

    user_time: str
    state: TrackerState


class OrderObject(msgspec.Struct, kw_only=True):
    """An order of a user; `seller_id` is the dealer."""

    id: int
    user_id: int
    seller_id: int
    amount: int
    sum: float
    type: str
    payer: str
    recipient: str
    contacts: str
    place: str
    comment: str
    creation_time: str
    status: str
    bundles: list[BundleObject]


class OutputInfo(msgspec.Struct, kw_only=True):
    """A digital output and what it is called."""

    number: int
    title: str


class Outputs(msgspec.Struct, kw_only=True):
    result: list[OutputInfo]


class PanelPerson(msgspec.Struct, kw_only=True):
    """A user as the panel sends it. The panel's own pages put the discount in here too."""

    login: str | UnsetType = UNSET
    activated: bool | UnsetType | None = UNSET
    verified: bool | UnsetType | None = UNSET
    first_name: str | UnsetType | None = UNSET
    middle_name: str | UnsetType | None = UNSET
    last_name: str | UnsetType | None = UNSET
    legal_name: str | UnsetType | None = UNSET
    legal_type: Literal["legal_entity", "individual", "sole_trader"] | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    post_country: str | UnsetType | None = UNSET
    post_index: str | UnsetType | None = UNSET
    post_region: str | UnsetType | None = UNSET
    post_city: str | UnsetType | None = UNSET
    post_street_address: str | UnsetType | None = UNSET
    registered_country: str | UnsetType | None = UNSET
    registered_index: str | UnsetType | None = UNSET
    registered_region: str | UnsetType | None = UNSET
    registered_city: str | UnsetType | None = UNSET
    registered_street_address: str | UnsetType | None = UNSET
    state_reg_num: str | UnsetType | None = UNSET
    tin: str | UnsetType | None = UNSET
    okpo_code: str | UnsetType | None = UNSET
    iec: str | UnsetType | None = UNSET
    id: int | UnsetType | None = UNSET
    dealer_id: int | UnsetType | None = UNSET
    discount: float | UnsetType | None = UNSET
    discount_min_trackers: int | UnsetType | None = UNSET
    discount_end_date: date | UnsetType | None = UNSET
    discount_strategy: Literal["no_summing", "sum_with_progressive"] | UnsetType | None = UNSET


class PanelSource(msgspec.Struct, kw_only=True):
    """The device behind a tracker; `corrupted` is there only where it is true."""

    id: int
    device_id: str
    model: str
    blocked: bool
    tariff_id: int | None = None
    creation_date: str
    tariff_end_date: str | None = None
    connection_status: str
    phone: str | None = None
    corrupted: bool | None = None


class PanelTariff(msgspec.Struct, kw_only=True):
    """A tariff as its dealer sees it; `doc_type`: 0 everybody, 1 individuals, 2 legal entities
    and sole traders, 3 paas."""

    id: int
    name: str
    group_id: int
    active: bool
    type: str
    price: float
    early_change_price: float | None = None
    device_limit: int
    has_reports: bool
    store_period: str
    device_type: str
    proportional_charge: bool
    service_prices: ServicePrices
    doc_type: int
    features: list[str]
    map_filter: MapFilter


class PanelTracker(msgspec.Struct, kw_only=True):
    """A tracker of one of a dealer's users. `last_connection` is `yyyy-MM-dd HH:mm` UTC."""

    id: int
    avatar_file_name: str | None = None
    clone: bool
    comment: str
    creation_date: str
    group_id: int
    dealer_id: int
    deleted: bool
    label: str
    user_id: int
    owner_name: str
    model_name: str
    last_connection: str | None = None
    source: PanelSource


class PanelUser(msgspec.Struct, kw_only=True):
    """A user as its dealer sees it; times are UTC."""

    id: int
    dealer_id: int
    activated: bool
    verified: bool
    login: str
    first_name: str
    middle_name: str
    last_name: str
    legal_name: str
    legal_type: str
    phone: str
    post_country: str
    post_index: str
    post_region: str
    post_city: str
    post_street_address: str
    registered_country: str
    registered_index: str
    registered_region: str
    registered_city: str
    registered_street_address: str
    state_reg_num: str
    tin: str
    okpo_code: str
    iec: str
    balance: float
    bonus: float
    creation_date: str
    trackers_count: int
    comment: str
    discount: float
    discount_min_trackers: int
    discount_end_date: str | None = None
    discount_strategy: str


class PaymentSystem(msgspec.Struct, kw_only=True):
    """A way to pay: the dealer's own page."""

    type: str
    url: str
    currency: str


class Permissions(msgspec.Struct, kw_only=True):
    permissions: dict[str, list[str]]


class Place(msgspec.Struct, kw_only=True):
    """Where a status was set; `address` is empty, as there is no geocoder."""

    lat: float
    lng: float
    address: str | None = None


class PlatformPlan(msgspec.Struct, kw_only=True):
    """What the dealer itself pays for the platform: it is its own, so nothing."""

    id: int
    name: str
    type: str
    currency: str
    license_price: float | None = None
    min_license_pay: float | None = None
    vat: bool
    trial: bool
    premium_gis: bool
    service_prices: ServicePrices
    store_period: str


class PluginObject(msgspec.Struct, kw_only=True):
    """A plugin; `type` is always `tracker_register`."""

    id: int
    type: str
    ui_module: str
    module: str
    filter: Filter


class ReadUser(msgspec.Struct, kw_only=True):
    value: PanelUser
    discount: ShownDiscount
    dealer_mfa_settings: MfaSettings
    default_tariff_id: int | None = None


class Readings(msgspec.Struct, kw_only=True):
    """Readings; `update_time` is that of the newest."""

    user_time: str
    inputs: list[SensorValue]
    update_time: str | None = None


class RegularTrack(msgspec.Struct, kw_only=True, tag="regular", tag_field="type"):
    """A trip. km, km/h."""

    start_date: str
    start_address: str | None = None
    max_speed: int
    end_date: str
    end_address: str | None = None
    length: float
    points: int
    avg_speed: int
    event_count: int | None = None
    gsm_lbs: bool | None = None
    points_list: list[TrackPoint] | None = None
    bounds: Bounds
    id: int


class Rule(msgspec.Struct, kw_only=True):
    """A rule as the API shows it. `schedule`: when it holds; absent: always."""

    id: int
    name: str
    type: str
    description: str
    zone_ids: list[int]
    trackers: list[int]
    primary_text: str
    secondary_text: str
    param: int
    alerts: Alerts
    suspended: bool
    schedule: list[dict[str, Any]] | None = None
    extended_params: dict[str, Any] | None = None
    group_id: int | None = None


class SavedCommand(msgspec.Struct, kw_only=True):
    """A command as the API shows it."""

    id: int
    name: str
    type: str
    config: dict[str, Any]


class SecurityGroup(msgspec.Struct, kw_only=True):
    label: str
    privileges: SubuserSecurityGroupPrivileges
    id: int | UnsetType | None = UNSET


class SensorDatum(msgspec.Struct, kw_only=True):
    """A value of a sensor, and when it was told."""

    value: int | float | str
    get_time: str


class SensorValue(msgspec.Struct, kw_only=True):
    """A reading. `units` are for people, `units_type` for programs; both `converted` fields
    are null where no conversion is needed."""

    label: str
    name: str
    type: str
    value: float
    units_type: str
    units: str
    converted_units_type: str | None = None
    converted_value: float | None = None


class ServicePrices(msgspec.Struct, kw_only=True):
    """Prices of one SMS, call, megabyte."""

    incoming_sms: float | UnsetType = UNSET
    outgoing_sms: float | UnsetType = UNSET
    service_sms: float | UnsetType = UNSET
    phone_call: float | UnsetType = UNSET
    traffic: float | UnsetType = UNSET


class ServiceSettings(msgspec.Struct, kw_only=True):
    """Settings of the users' interface. Images are paths below `/static`."""

    service_title: str
    locale: str
    demo_login: str
    demo_password: str
    maps: list[str]
    default_map: DefaultMap
    currency: str
    payment_link: str | None = None
    promo_url: str | None = None
    google_client_id: str | None = None
    domain: str
    favicon: str | None = None
    app_logo: str | None = None
    logo: str | None = None
    document_logo: str | None = None
    login_wallpaper: str | None = None
    desktop_wallpaper: str | None = None
    login_footer: str | None = None
    allow_registration: bool
    show_mobile_apps: bool
    default_user_settings: DefaultUserSettings
    display_model_features_link: bool
    limited_domain: bool
    allowed_maps: list[str]
    color_theme: str
    app_color_theme: str
    privacy_policy_link: str | None = None
    tos: str | None = None
    no_register_commands: bool
    default_user_time_zone: str
    information_center: dict[str, Any]
    activation_code_required: bool


class SessionAuthenticated(msgspec.Struct, kw_only=True):
    """A new session. With `second_factor_required` it has yet to become one: its hash is good
    for `user/auth/code/*` alone, and `factor_type` says how the code comes."""

    type: str | None = None
    factor_type: str | None = None
    hash: str


class SettingsReply(msgspec.Struct, kw_only=True):
    settings: TrackerSettings


class ShownDiscount(msgspec.Struct, kw_only=True):
    value: float
    min_trackers: int
    end_date: date | None = None
    strategy: str


class ShownGroup(msgspec.Struct, kw_only=True):
    id: int
    label: str
    privileges: SubuserSecurityGroupPrivileges


class ShownSubuser(msgspec.Struct, kw_only=True):
    """A sub-user as its master sees it."""

    id: int
    activated: bool
    login: str
    first_name: str
    middle_name: str
    last_name: str
    legal_type: str
    phone: str
    post_country: str
    post_index: str
    post_region: str
    post_city: str
    post_street_address: str
    registered_country: str
    registered_index: str
    registered_region: str
    registered_city: str
    registered_street_address: str
    state_reg_num: str
    tin: str
    legal_name: str
    iec: str
    security_group_id: int | None = None
    creation_date: str


class SimObject(msgspec.Struct, kw_only=True):
    """A SIM card; all empty where the bundle has none."""

    iccid: str | None = None
    phone: str | None = None
    apn: str | None = None
    blocked: bool | None = None
    deleted: bool | None = None
    registered: bool | None = None


class SingleReport(msgspec.Struct, kw_only=True, tag="single_report", tag_field="type"):
    """One position of a source that reports now and then only."""

    id: int
    start_date: str
    start_address: str | None = None
    avg_speed: int
    gsm_lbs: bool | None = None
    precision: int | None = None
    points_list: list[TrackPoint] | None = None


class SourceObject(msgspec.Struct, kw_only=True):
    """The device behind a tracker. Dates are `yyyy-MM-dd`; `phone` digits without plus."""

    id: int
    device_id: str
    model: str
    blocked: bool
    tariff_id: int | None = None
    phone: str | None = None
    status_listing_id: int | None = None
    creation_date: str
    tariff_end_date: str | None = None


class SpecialReply(msgspec.Struct, kw_only=True):
    """`value` where a type was asked for, else `list`."""

    value: dict[str, Any] | None = None
    items: list[dict[str, Any]] | None = msgspec.field(default=None, name="list")
    not_sent: str | None = None


class StateReading(msgspec.Struct, kw_only=True):
    """A state that the device reports."""

    field: str
    value: str | int | float | bool
    update_time: str


class Status(msgspec.Struct, kw_only=True):
    """A working status; `color` is RRGGBB."""

    id: int
    label: str
    color: str


class StatusTrackerChanged(msgspec.Struct, kw_only=True):
    last_change: ChangeView | None = None


class Subdealer(msgspec.Struct, kw_only=True):
    """A sub-dealer with how to reach it."""

    subpaas_id: int
    block_type: str
    title: str
    jur_name: str
    email: str
    jur_country: str
    link_monitoring: str
    contact_fio: str
    contact_post: str
    contact_phone: str


class SubdealerRow(msgspec.Struct, kw_only=True):
    """A sub-dealer in the list. Active devices are those that connected this month (UTC)."""

    subpaas_id: int
    title: str
    jur_name: str
    login: str
    creation_date: str
    block_type: str
    users_count: int
    active_users_count: int
    trackers_count: int
    active_trackers_count: int
    contact_fio: str
    contact_post: str
    contact_phone: str


class Subuser(msgspec.Struct, kw_only=True):
    """A sub-user as its master sends it."""

    login: str | UnsetType = UNSET
    activated: bool | UnsetType | None = UNSET
    verified: bool | UnsetType | None = UNSET
    first_name: str | UnsetType | None = UNSET
    middle_name: str | UnsetType | None = UNSET
    last_name: str | UnsetType | None = UNSET
    legal_name: str | UnsetType | None = UNSET
    legal_type: Literal["legal_entity", "individual", "sole_trader"] | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    post_country: str | UnsetType | None = UNSET
    post_index: str | UnsetType | None = UNSET
    post_region: str | UnsetType | None = UNSET
    post_city: str | UnsetType | None = UNSET
    post_street_address: str | UnsetType | None = UNSET
    registered_country: str | UnsetType | None = UNSET
    registered_index: str | UnsetType | None = UNSET
    registered_region: str | UnsetType | None = UNSET
    registered_city: str | UnsetType | None = UNSET
    registered_street_address: str | UnsetType | None = UNSET
    state_reg_num: str | UnsetType | None = UNSET
    tin: str | UnsetType | None = UNSET
    okpo_code: str | UnsetType | None = UNSET
    iec: str | UnsetType | None = UNSET
    id: int | UnsetType | None = UNSET
    security_group_id: int | UnsetType | None = UNSET


class SubuserSecurityGroupPrivileges(msgspec.Struct, kw_only=True):
    """Rights, and how far back history may be viewed (`2h`, `3d`, `5m`, `1y`)."""

    rights: list[str]
    store_period: str | UnsetType | None = UNSET


class Tag(msgspec.Struct, kw_only=True):
    """A tag; `color` is RRGGBB."""

    id: int
    name: str
    color: str
    avatar_file_name: str | None = None


class TagBinding(msgspec.Struct, kw_only=True):
    """A tag on a tracker; `ordinal` 1 to 5 is its place."""

    tag_id: int
    ordinal: int


class Target(msgspec.Struct, kw_only=True):
    """All users of the dealer, or those with `ids`."""

    type: Literal["all", "selected"]
    ids: list[int] | UnsetType = UNSET


class TariffFields(msgspec.Struct, kw_only=True):
    """A tariff as the panel sends it. What is left out takes its default in a new tariff, and
    stays as it is in one that is changed."""

    id: int | UnsetType | None = UNSET
    name: str | UnsetType = UNSET
    group_id: int | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    type: Literal["monthly", "everyday", "activeday"] | UnsetType = UNSET
    price: float | UnsetType = UNSET
    early_change_price: float | UnsetType | None = UNSET
    device_limit: int | UnsetType = UNSET
    has_reports: bool | UnsetType = UNSET
    store_period: str | UnsetType = UNSET
    device_type: Literal["tracker", "camera", "socket"] | UnsetType = UNSET
    proportional_charge: bool | UnsetType = UNSET
    service_prices: ServicePrices | UnsetType | None = UNSET
    doc_type: int | UnsetType = UNSET
    features: list[str] | UnsetType | None = UNSET
    map_filter: MapFilter | UnsetType | None = UNSET


class TariffList(msgspec.Struct, kw_only=True):
    """A page of tariffs; `wholesale_service_prices` are what the dealer itself pays."""

    items: list[PanelTariff] = msgspec.field(name="list")
    wholesale_service_prices: ServicePrices
    count: int


class TariffRestrictions(msgspec.Struct, kw_only=True):
    allowed_maps: list[str]


class TimeZone(msgspec.Struct, kw_only=True):
    """`base_offset` and `dst_offset` are hours; the second is 0 where clocks do not change."""

    zone_id: str
    description: str
    base_offset: float
    dst_offset: int | float
    country_code: str
    alt_ids: list[str]


class TrackPoint(msgspec.Struct, kw_only=True):
    """A position. Metres, km/h, degrees; `mileage` is km since the first position of the
    reply. `parking`: it belongs to no trip."""

    lat: float
    lng: float
    alt: int
    satellites: int
    mileage: float
    get_time: str
    address: str | None = None
    heading: int
    speed: int
    precision: int | None = None
    gsm_lbs: bool | None = None
    parking: bool | None = None
    buffered: bool | None = None


class TrackPoints(msgspec.Struct, kw_only=True):
    """`limit_exceeded`: the period begins before what is kept of the tracker."""

    limit_exceeded: bool
    items: list[TrackPoint] = msgspec.field(name="list")


class TrackerObject(msgspec.Struct, kw_only=True):
    """A tracker of a user; `group_id` 0 is no group."""

    id: int
    label: str
    group_id: int
    avatar_file_name: str | None = None
    source: SourceObject
    tag_bindings: list[TagBinding]
    clone: bool


class TrackerReadings(msgspec.Struct, kw_only=True):
    """Everything that a tracker reads."""

    inputs: list[InputReading]
    states: list[StateReading]
    virtual_sensors: list[VirtualSensorReading]
    counters: list[CounterReading]


class TrackerSettings(msgspec.Struct, kw_only=True):
    """What a tracker is called, and its group; 0: none."""

    label: str
    group_id: int


class TrackerState(msgspec.Struct, kw_only=True):
    """The newest that is known of a tracker, each part with the time it is of."""

    source_id: int
    gps: GpsView
    connection_status: str
    movement_status: str
    movement_status_update: str | None = None
    gsm: GsmView | None = None
    last_update: str | None = None
    battery_level: int | None = None
    battery_update: str | None = None
    inputs: list[bool]
    inputs_update: str | None = None
    outputs: list[bool]
    outputs_update: str | None = None
    additional: dict[str, Additional]
    actual_track_update: str | None = None
    ignition: bool | None = None
    ignition_update: str | None = None


class TrackingSettings(msgspec.Struct, kw_only=True):
    """`not_sent` is there only where the settings are kept and the device cannot be told them,
    and says why."""

    value: dict[str, Any]
    not_sent: str | None = None


class Tracks(msgspec.Struct, kw_only=True):
    """`limit_exceeded`: the period begins before what is kept of the tracker."""

    limit_exceeded: bool
    items: list[RegularTrack | SingleReport | MergedTrack | Cluster] = msgspec.field(name="list")


class Transaction(msgspec.Struct, kw_only=True):
    """Negative amounts left the account; `tracker_id` 0: it concerns no tracker."""

    description: str
    type: str
    subtype: str
    timestamp: str
    user_id: int
    dealer_id: int
    tracker_id: int
    amount: float
    new_balance: float
    old_balance: float
    bonus_amount: float
    new_bonus: float
    old_bonus: float


class TripDetection(msgspec.Struct, kw_only=True):
    """What ends a trip: minutes without movement faster than km/h; and who else has a say."""

    min_idle_duration_minutes: int | None = None
    idle_speed_threshold: int | None = None
    ignition_aware: bool | None = None
    motion_sensor_aware: bool | None = None


class TypedValue(msgspec.Struct, kw_only=True):
    """What a counter shows: km, hours or litres, as somebody set it."""

    type: str
    value: float
    update_time: str


class UiConfig(msgspec.Struct, kw_only=True):
    """What an interface needs before anybody has logged in. `platform`: limits by name."""

    dealer: UiDealer
    settings: dict[str, Any]
    demo_ends: str | None = None
    premium_gis: bool
    features: list[str]
    platform: dict[str, Any]


class UiDealer(msgspec.Struct, kw_only=True):
    id: int
    ui_domain: str
    company_url: str


class UserInfo(msgspec.Struct, kw_only=True):
    """A user as it sees itself."""

    id: int
    login: str
    title: str
    phone: str
    creation_date: str
    balance: float
    bonus: float
    locale: str
    demo: bool
    verified: bool
    legal_type: str
    default_geocoder: str
    route_provider: str
    time_zone: str
    measurement_system: str
    date_format: str
    hour_mode: str
    tin: str
    iec: str
    post_country: str
    post_region: str
    post_index: str
    post_city: str
    post_street_address: str
    registered_country: str
    registered_region: str
    registered_index: str
    registered_city: str
    registered_street_address: str
    first_name: str
    middle_name: str
    last_name: str
    legal_name: str


class UserSettings(msgspec.Struct, kw_only=True):
    time_zone: str
    locale: str
    measurement_system: str
    date_format: str
    hour_mode: str
    geocoder: str
    route_provider: str
    translit: bool


class UserTariff(msgspec.Struct, kw_only=True):
    """A tariff as users see it. `price` is per month, or per active day of type `activeday`;
    `early_change_price` is what changing away from it costs within 30 days of the last change
    (null: that is not possible)."""

    id: int
    name: str
    group_id: int
    active: bool
    type: str
    price: float
    early_change_price: float | None = None
    device_limit: int
    has_reports: bool
    paas_free: bool
    store_period: str
    device_type: str
    features: list[str]
    map_filter: MapFilter


class VehicleFields(msgspec.Struct, kw_only=True):
    """A vehicle as a client sends it. Weights in kg, sizes in mm, volumes in litres,
    consumption in litres per 100 km."""

    id: int | UnsetType | None = UNSET
    tracker_id: int | UnsetType | None = UNSET
    label: str
    max_speed: int | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    type: Literal["truck", "car", "bus", "special"]
    subtype: str | UnsetType | None = UNSET
    garage_id: int | UnsetType | None = UNSET
    trailer: str | UnsetType | None = UNSET
    manufacture_year: int | UnsetType | None = UNSET
    color: str | UnsetType | None = UNSET
    additional_info: str | UnsetType | None = UNSET
    reg_number: str | UnsetType | None = UNSET
    vin: str | UnsetType | None = UNSET
    chassis_number: str | UnsetType | None = UNSET
    frame_number: str | UnsetType | None = UNSET
    payload_weight: int | UnsetType | None = UNSET
    payload_height: float | UnsetType | None = UNSET
    payload_length: float | UnsetType | None = UNSET
    payload_width: float | UnsetType | None = UNSET
    passengers: int | UnsetType | None = UNSET
    gross_weight: int | UnsetType | None = UNSET
    fuel_type: Literal["petrol", "diesel", "gas"] | UnsetType | None = UNSET
    fuel_grade: str | UnsetType | None = UNSET
    norm_avg_fuel_consumption: float | UnsetType | None = UNSET
    fuel_tank_volume: int | UnsetType | None = UNSET
    fuel_cost: float | UnsetType | None = UNSET
    wheel_arrangement: str | UnsetType | None = UNSET
    tyre_size: str | UnsetType | None = UNSET
    tyres_number: int | UnsetType | None = UNSET
    liability_insurance_policy_number: str | UnsetType | None = UNSET
    liability_insurance_valid_till: date | UnsetType | None = UNSET
    free_insurance_policy_number: str | UnsetType | None = UNSET
    free_insurance_valid_till: date | UnsetType | None = UNSET
    icon_color: str | UnsetType | None = UNSET
    tags: list[int] | UnsetType = UNSET


class Virtual(msgspec.Struct, kw_only=True, tag="virtual", tag_field="type"):
    """A state made of any value that the device reports."""

    id: int
    sensor_type: str
    name: str
    input_name: str
    custom_field_name: bool | None = None
    parameters: dict[str, Any] | None = None


class VirtualSensorReading(msgspec.Struct, kw_only=True):
    """What a virtual sensor says."""

    sensor_id: int
    label: str
    value: str | int | float
    type: str
    update_time: str

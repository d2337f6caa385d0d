"""Errors, rights and actions: every reference between the tables holds."""

from __future__ import annotations

import subprocess
import sys

import pytest

from waypost.catalog import actions, errors, plugins, rights
from waypost.catalog.actions import Action, Api

APIS: tuple[Api, ...] = ("user", "panel")
ACTIONS = [(api, row) for api in APIS for row in actions.all_actions(api).values()]
each_action = pytest.mark.parametrize(
    ("api", "row"), ACTIONS, ids=[f"{api}-{row.path}" for api, row in ACTIONS]
)


@pytest.mark.parametrize(
    ("code", "description", "http"),
    [
        (1, "Database error", 500),
        (3, "Wrong hash", 400),
        (4, "User or API key not found or session ended", 400),
        (7, "Invalid parameters", 400),
        (13, "Operation not permitted", 403),
        (15, "Too many requests (rate limit exceeded)", 429),
        (102, "Wrong login or password", 400),
        (201, "Not found in database", 400),
        (204, "Entity not found", 404),
        (208, "Device blocked", 403),
        (241, "Cannot change phone to bundled sim. Contact tech support.", 400),
        (243, "Device already connected.", 400),
        (271, "File over max size", 413),
    ],
)
def test_errors_on_the_wire(code: int, description: str, http: int) -> None:
    row = errors.error(code)
    assert (row.description, row.http) == (description, http)


def test_every_error_row() -> None:
    rows = errors.all_errors()
    assert len(rows) == 108
    assert list(rows) == sorted(rows)
    for code, row in rows.items():
        assert row.code == code
        assert row.description
        assert 400 <= row.http <= 503
    assert rows[7].extra_fields == ("errors",)
    assert rows[264].extra_fields == ("timeout", "remainder")


def test_an_unknown_error_is_a_fault_of_the_program() -> None:
    with pytest.raises(KeyError):
        errors.error(10)


def test_texts_that_pages_print() -> None:
    assert errors.parameter_text("raw_command/send", "command") == "Non-hex string"
    assert errors.parameter_text("raw_command/send", "type") is None
    assert "Not a clone" in errors.wire_texts()


def test_rights_of_subusers() -> None:
    assert len(rights.SUBUSER_RIGHTS) == 20
    assert set(rights.SUBUSER_RIGHTS) - rights.ASSIGNABLE_RIGHTS == {"admin"}


def test_permissions_of_the_panel() -> None:
    assert rights.PANEL_PERMISSIONS["tariffs"] == ("create", "read", "update")
    assert rights.PANEL_PERMISSIONS["tracker_bundles"] == ("create", "read", "update")
    assert len(rights.PANEL_PERMISSION_NAMES) == 44
    assert "users:global" in rights.PANEL_PERMISSION_NAMES


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("tracker/read", ()),
        ("tracker/register", ("tracker_register",)),
        ("tracker/raw_command/send", ("tracker_configure", "tracker_set_output")),
        ("tracker/tags/set", ("tracker_update",)),
        ("tracker/group/create", ("admin",)),
        ("zone/point/list", ("zone_update",)),
        ("subuser/zones/bind", ("admin",)),
        ("no/such/action", ()),
    ],
)
def test_rights_that_an_action_needs(path: str, needed: tuple[str, ...]) -> None:
    assert rights.rights_for(path) == needed


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("account/logout", ()),
        ("tracker/clone", (("trackers:create",),)),
        ("tracker/move", (("trackers:create",), ("trackers:delete",))),
        ("tracker/active/history/list", (("trackers:read", "trackers:report"),)),
        ("tracker/raw_command/send", (("trackers:update",),)),
    ],
)
def test_permissions_that_an_action_needs(path: str, needed: tuple[tuple[str, ...], ...]) -> None:
    assert rights.permissions_for(path) == needed


def test_the_number_of_actions() -> None:
    assert len(actions.all_actions("user")) == 175
    assert len(actions.all_actions("panel")) == 73


@each_action
def test_an_action_fits_the_other_tables(api: Api, row: Action) -> None:
    for problem in row.errors:
        errors.error(problem.code)
        assert problem.when
    codes = [(problem.code, tuple(problem.extra_fields)) for problem in row.errors]
    assert len(set(codes)) == len(codes)
    assert set(row.rights) <= set(rights.SUBUSER_RIGHTS)
    named = {*row.permissions, *row.any_permission, *row.optional_permissions}
    assert named <= rights.PANEL_PERMISSION_NAMES
    assert not (row.rights if api == "panel" else named)
    assert set(row.exactly_one_of) <= {param.name for param in row.params}
    assert row.object is None or row.object in {*actions.objects(), "sensor"}


@each_action
def test_parameters_are_consistent(api: Api, row: Action) -> None:
    names = [param.name for param in row.params]
    assert len(set(names)) == len(names)
    for param in row.params:
        low, high = param.min, param.max
        assert low is None or high is None or low <= high
        if param.enum and isinstance(param.default, str):
            assert param.default in param.enum
        assert not (param.required and param.default is None), param.name
        assert row.param(param.name) is param


def test_what_holds_where_the_documents_disagree() -> None:
    user, panel = actions.all_actions("user"), actions.all_actions("panel")
    assert not user["tracker/change_phone"].param("apn_name").required
    assert user["tracker/get_states"].param("trackers").max_items == 2000
    assert user["tracker/list_models"].returns == "list: model[]"
    assert panel["tracker/batch_delete_clones"].param("trackers").max_items == 500
    assert panel["tracker/corrupt"].param("corrupt_clones").default is False
    assert {"tracker/register_entry", "tracker/register_retry"} <= set(panel)
    with pytest.raises(KeyError):
        actions.action("user", "tracker/nothing")
    with pytest.raises(KeyError):
        user["tracker/read"].param("nothing")


def test_registration_plugins() -> None:
    assert sorted(plugins.all_plugins()) == [1, 35, 37, 44, 68]
    device, app = plugins.all_plugins()[37], plugins.all_plugins()[35]
    assert device.activation_code
    assert not app.activation_code
    assert "phone" in [param.name for param in plugins.parameters(device)]
    assert "notification_email" in [param.name for param in plugins.parameters(app)]


def test_importing_the_catalog_loads_nothing() -> None:
    code = "import sys, waypost.catalog; print([n for n in sys.modules if 'waypost.catalog.' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

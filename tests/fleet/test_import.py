"""Importing a file of devices: all of it, or nothing and every fault named."""

from __future__ import annotations

import asyncio

import pytest
from fleet_yard import NOON, Yard
from sqlalchemy import func, select, update

from waypost.fleet.import_file import ImportRefused, read_lines
from waypost.fleet.imports import Imported, import_trackers
from waypost.fleet.tracker_view import tracker_object
from waypost.refusal import Refused
from waypost.store.tables import dealers, groups, sources, tags, trackers

pytestmark = pytest.mark.anyio

ONE, TWO, THREE = "356938035643809", "490154203237518", "350077523237513"
HEADER = "label,model,device_id\n"


async def load(yard: Yard, text: str | bytes, who: str = "one") -> Imported:
    data = text if isinstance(text, bytes) else text.encode()
    return await import_trackers(yard.fleet, yard.users[who], data, NOON)


def faults(data: str | bytes) -> list[str]:
    try:
        _, found = read_lines(data if isinstance(data, bytes) else data.encode())
    except ImportRefused as refused:
        found = refused.faults
    return [str(fault) for fault in sorted(found)]


async def test_devices_groups_and_tags_come_in(yard: Yard) -> None:
    file = (
        "label,model,device_id,phone,group,tags\n"
        f'Truck 1,telfmb120,{ONE},+49 151 23456789,Berlin,"long haul, cold"\n'
        f'"Truck ""2"", new",telfmb120,{TWO},,Berlin,cold\n'
        f"Bus,qlgv55lite,{THREE},,,\n"
    )
    seen: list[tuple[int, int]] = []

    async def progress(done: int, of: int) -> None:
        seen.append((done, of))

    done = await import_trackers(yard.fleet, yard.users["one"], file.encode(), NOON, progress)
    assert done == Imported(3, ["Berlin"], ["long haul", "cold"], [])
    assert seen[-1] == (3, 3)
    garage = await yard.fleet.trackers.of_user(yard.user())
    first, second, third = (tracker_object(row) for row in garage.trackers)
    assert (first.label, first.source.phone) == ("Truck 1", "4915123456789")
    assert [binding.ordinal for binding in first.tag_bindings] == [1, 2]
    assert second.label == 'Truck "2", new'
    assert second.group_id == first.group_id != 0
    assert second.tag_bindings[0].tag_id == first.tag_bindings[1].tag_id
    assert (third.group_id, third.tag_bindings) == (0, ())
    again = await load(yard, "label,model,device_id,group,tags\nx,tt1_wp,,Berlin,cold\n")
    assert again == Imported(1, [], [], [])


@pytest.mark.parametrize(
    "file",
    [
        f"\ufeff{HEADER}Truck,telfmb120,{ONE}\n",
        f"LABEL;Model;device_id\r\nTruck;telfmb120;{ONE}\r\n",
        f'label\tmodel\tdevice_id\n"Truck"\ttelfmb120\t{ONE}',
        f"\n{HEADER}\n , ,\n Truck , telfmb120 ,{ONE},,\n\n",
        f"device_id,label,model\r{ONE},Truck,telfmb120\r",
    ],
    ids=["byte order mark", "semicolons and CRLF", "tabs", "blank lines and spaces", "CR"],
)
def test_as_spreadsheets_write_it(file: str) -> None:
    (line,), wrong = read_lines(file.encode())
    assert wrong == []
    assert (line.device.label, line.device.device_id) == ("Truck", ONE)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("", "line 1: the file is empty"),
        ("\n\n", "line 1: the file is empty"),
        (HEADER, "line 1: the file has a header and no device"),
        ("label,model\nx,y\n", "line 1: column device_id is missing"),
        ("label,label,model,device_id\n", "line 1: column label is there twice"),
        ("label,model,device_id,colour\n", "line 1: unknown column 'colour'; there are"),
        (HEADER + "Truck,telfmb120\n", "line 2: has 2 fields, the header has 3"),
        (HEADER + "a,b,c,d\n", "line 2: has 4 fields, the header has 3"),
        (HEADER + f"Truck,no_such,{ONE}\n", "line 2: unknown model 'no_such'"),
        (HEADER + "Truck,mobile_unknown_xgps,\n", "line 2: model 'mobile_unknown_xgps' is an app"),
        (HEADER + f",telfmb120,{ONE}\n", "line 2: label must be 1 to 60 printable characters"),
        (HEADER + "Truck,telfmb120,12\n", "line 2: device_id '12' must be an IMEI: 15 digits"),
        (HEADER + "Truck,telfmb120,\n", "line 2: device_id '' is required for this model"),
        (HEADER + "Truck,telfmb120,3.56938E+14\n", "line 2: device_id '3.56938E+14' must be"),
        (HEADER + 'Truck,telfmb120,"35\n', "line 2: cannot be read"),
        (HEADER.encode() + b"Tr\xfcck,telfmb120,1\n", "line 2: is not UTF-8 (byte 0xfc)"),
        ("label".encode("utf-16"), "line 1: the file is UTF-16"),
        (HEADER + "Truck\0,x,y\n", "line 2: holds a zero byte"),
        (
            HEADER + f"a,telfmb120,{ONE}\n\nb,telfmb120,{ONE}\n",
            f"line 4: device_id {ONE} is in line 2 already",
        ),
        (
            f"label,model,device_id,phone\na,telfmb120,{ONE},nobody\n",
            "line 2: phone 'nobody' must be a phone number",
        ),
        (
            f"label,model,device_id,tags\na,telfmb120,{ONE},a|b|c|d|e|f\n",
            "line 2: has 6 tags; a tracker has at most 5",
        ),
    ],
)
def test_what_is_wrong_is_said(file: str | bytes, said: str) -> None:
    (fault,) = faults(file)
    assert fault.startswith(said)


def test_every_wrong_line_is_named_by_its_place_in_the_file() -> None:
    file = (
        "label,model,device_id,phone\n"
        f"fine,telfmb120,{ONE},4915123456789\n"
        ",no_such,1,\n"
        '"two\nlines",telfmb120,2,\n'
        f"same phone,telfmb120,{TWO},+49 151 23456789\n"
    )
    assert faults(file) == [
        "line 3: label must be 1 to 60 printable characters",
        "line 3: unknown model 'no_such'",
        "line 4: device_id '2' must be an IMEI: 15 digits",
        "line 4: label must be 1 to 60 printable characters",
        "line 6: phone 4915123456789 is in line 2 already",
    ]


async def test_nothing_comes_in_where_one_line_is_wrong(yard: Yard) -> None:
    await yard.register(ONE, "other", phone="4915123456789")
    file = (
        "label,model,device_id,phone,group,tags\n"
        f"new,telfmb120,{TWO},,Made,made\n"
        f"known,telfmb120,{ONE},,,\n"
        f"phone,telfmb120,{THREE},4915123456789,,\n"
        f"again,no_such,{TWO},,,\n"
        "short,telfmb120\n"
    )
    with pytest.raises(ImportRefused) as caught:
        await load(yard, file)
    assert [str(fault) for fault in caught.value.faults] == [
        f"line 3: device_id {ONE} is registered already",
        "line 4: phone 4915123456789 is another device's already",
        f"line 5: device_id {TWO} is in line 2 already",
        "line 5: unknown model 'no_such'",
        "line 6: has 2 fields, the header has 6",
    ]
    async with yard.fleet.database.read() as connection:
        for table, count in ((sources, 1), (trackers, 1), (groups, 0), (tags, 0)):
            found = await connection.scalar(select(func.count()).select_from(table))
            assert found == count
    assert (await yard.fleet.trackers.of_user(yard.user())).trackers == []


async def test_a_check_digit_that_does_not_fit_is_a_warning(yard: Yard) -> None:
    done = await load(yard, HEADER + "Truck,telfmb120,123451234512345\n")
    (warning,) = done.warnings
    assert warning.startswith("line 2: 123451234512345")
    assert done.registered == 1


async def test_the_dealers_limit_counts_the_whole_file(yard: Yard) -> None:
    async with yard.fleet.database.begin() as connection:
        await connection.execute(update(dealers).values(device_limit=2))
    await yard.register(ONE)
    with pytest.raises(ImportRefused, match="leaves room for 1 devices; the file has 2"):
        await load(yard, HEADER + f"a,telfmb120,{TWO}\nb,telfmb120,{THREE}\n")
    assert (await load(yard, HEADER + f"a,telfmb120,{TWO}\n")).registered == 1


async def test_an_account_that_is_not_there(yard: Yard) -> None:
    data = (HEADER + f"a,telfmb120,{TWO}\n").encode()
    with pytest.raises(Refused) as caught:
        await import_trackers(yard.fleet, 98765, data, NOON)
    assert caught.value.code == 201


async def test_the_same_file_twice_at_once_comes_in_once(yard: Yard) -> None:
    file = HEADER + "".join(f"Truck {n},telfmb120,{int(ONE) + n}\n" for n in range(50))
    done = await asyncio.gather(load(yard, file), load(yard, file, "other"), return_exceptions=True)
    assert {type(one).__name__ for one in done} == {"Imported", "ImportRefused"}
    async with yard.fleet.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(sources)) == 50


async def test_some_thousand_devices(yard: Yard) -> None:
    lines = [f"Truck {n},telfmb120,{int(ONE) + n},Group {n % 7},tag {n % 5}" for n in range(3000)]
    file = "label,model,device_id,group,tags\n" + "\n".join(lines)
    done = await load(yard, file)
    assert done.registered == 3000
    assert (len(done.groups_made), len(done.tags_made)) == (7, 5)
    assert len((await yard.fleet.trackers.of_user(yard.user())).trackers) == 3000

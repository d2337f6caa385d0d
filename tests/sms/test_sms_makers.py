"""What the makers' devices get by SMS, and what people may see of it."""

from __future__ import annotations

import msgspec
import pytest

from waypost.protocols.base import Command, Device
from waypost.sms.compose import compose, shown

TOLD = msgspec.json.encode(
    {
        "server": {"host": "track.example.com", "port": 5020, "transport": "tcp"},
        "apn": {"name": "m2m", "user": "thing", "password": "s3cret"},
        "interval": 60,
    }
)


@pytest.mark.parametrize(
    ("model", "last"),
    [
        ("meitrack_t1", "***,A21,1,track.example.com,5020,m2m,thing,***"),
        ("concox_x3", "SERVER,1,track.example.com,5020,0#"),
        ("atrack_ax5", 'AT$GPRS=1,"m2m","thing","***","track.example.com",5020,1,3,30,0,0'),
        ("tt1_wp", "$WP+COMMTYPE=***,4,,,m2m,thing,***,track.example.com,5020,0,8.8.8.8"),
    ],
)
def test_registration_hides_passwords_and_names_the_server_last(model: str, last: str) -> None:
    texts = compose(Command(1, TOLD, "registration"), Device("350000000000006", model))
    said = shown(texts)
    assert said.splitlines()[-1] == last
    assert "s3cret" not in said
    assert "s3cret" in "".join(text.text for text in texts)
    assert all(len(text.text) <= 160 for text in texts)

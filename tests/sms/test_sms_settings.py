"""Settings of SMS that cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from waypost.settings import SettingsError, load

SMPP = {
    "sms_provider": "smpp",
    "sms_smpp_host": "smsc.example.net",
    "sms_smpp_system_id": "fleet",
}
HTTP = {"sms_provider": "http", "sms_http_url": "https://sms.example.net/"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"sms_provider": "pigeon"}, "sms_provider"),
        ({"sms_provider": "smpp"}, "sms_smpp_host"),
        ({**SMPP, "sms_smpp_system_id": ""}, "sms_smpp_system_id"),
        ({**SMPP, "sms_smpp_system_id": "x" * 16}, "sms_smpp_system_id"),
        ({**SMPP, "sms_smpp_password": "pass\0word"}, "sms_smpp_password"),
        ({**SMPP, "sms_smpp_service_type": "longer"}, "sms_smpp_service_type"),
        ({**SMPP, "sms_sender": "Überwacher"}, "sms_sender"),
        ({**SMPP, "sms_sender": "1" * 21}, "sms_sender"),
        ({**SMPP, "sms_smpp_long": "short"}, "sms_smpp_long"),
        ({**SMPP, "sms_smpp_port": 0}, "sms_smpp_port"),
        ({**SMPP, "sms_window": 0}, "sms_window"),
        ({"sms_provider": "http"}, "sms_http_url"),
        ({**HTTP, "sms_http_url": "ftp://x"}, "sms_http_url"),
        ({**HTTP, "sms_http_secret": "short"}, "sms_http_secret"),
        ({**HTTP, "sms_http_headers": ["no colon"]}, "sms_http_headers"),
        ({**HTTP, "sms_http_headers": ["X-Key: ü"]}, "sms_http_headers"),
        ({**HTTP, "sms_http_headers": ["X-Key: a\r\nX-Other: b"]}, "sms_http_headers"),
        ({**HTTP, "sms_http_url": "https://x/?to={phone}"}, "sms_http_url: {phone} .*{to}, {text}"),
        ({**HTTP, "sms_http_headers": ["X-Id: {Id}"]}, "sms_http_headers: {Id}"),
        ({**HTTP, "sms_http_body": '{"text": "{ text }"}'}, "sms_http_body: { text }"),
        ({**HTTP, "sms_http_success": "("}, "sms_http_success"),
        ({**HTTP, "sms_http_message_id": "["}, "sms_http_message_id"),
    ],
)
def test_a_setting_that_cannot_be_is_named(given: dict[str, Any], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load(given, {"WAYPOST_CONFIG": "/dev/null"})


TEMPLATES = {
    **HTTP,
    "sms_http_url": "https://x/{to}?life={life}",
    "sms_http_headers": ["X-Id: {id}", "X-Key: {0f8fad5b-d9cb-469f-a165-70867728950e}"],
    "sms_http_body": '{"sms": {"to": "{to}", "from": "{from}", "text": "{text}", "life": {life}}}',
}


@pytest.mark.parametrize(
    "given", [SMPP, HTTP, TEMPLATES, {"sms_provider": "log"}, {"sms_provider": ""}]
)
def test_what_is_enough(given: dict[str, Any]) -> None:
    assert load(given, {"WAYPOST_CONFIG": "/dev/null"}).sms_provider == given["sms_provider"]

#!/usr/bin/env python
"""Writes ``catalog/data/operators.json`` from the table of mobile-broadband-provider-info.

    scripts/import_operators.py serviceproviders.xml [list.js]

The table is in the public domain (it says so in its ``COPYING``). Kept are names, networks and,
where an operator has exactly one access point for the internet, that one: of several none is the
default.

``list.js`` of the npm package e118-iin-list (BSD 3-clause) has the issuers of SIM cards as the
ITU's Operational Bulletins list them. Those whose company's name holds the name of an operator with
an access point are kept. Without it the issuers stay as they are.
"""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from phonenumbers import region_codes_for_country_code

TARGET = Path(__file__).parents[1] / "src/waypost/catalog/data/operators.json"


def access_point(gsm: ET.Element) -> dict[str, str] | None:
    """The only access point for the internet; None: there are several, or none."""
    found = []
    for apn in gsm.findall("apn"):
        usages = [usage.get("type") for usage in apn.findall("usage")]
        name = (apn.get("value") or "").strip()
        if name and (not usages or "internet" in usages):
            fields = {
                "name": name,
                "user": (apn.findtext("username") or "").strip(),
                "password": (apn.findtext("password") or "").strip(),
            }
            fields = {key: text for key, text in fields.items() if text}
            if fields not in found:
                found.append(fields)
    return found[0] if len(found) == 1 else None


def operators(country: ET.Element) -> list[dict[str, Any]]:
    found = []
    for provider in country.findall("provider"):
        gsm = provider.find("gsm")
        if gsm is None:
            continue
        names = [name.text.strip() for name in provider.findall("name") if name.text]
        networks = sorted(
            {f"{one.get('mcc')}-{one.get('mnc')}" for one in gsm.findall("network-id")}
        )
        row: dict[str, Any] = {"names": names, "networks": networks}
        if provider.get("primary") == "true":
            row["primary"] = True
        apn = access_point(gsm)
        if apn is not None:
            row["apn"] = apn
        found.append(row)
    return found


#: An issuer in ``list.js``: number, issuer's part, country's code, country, company.
_ISSUER = re.compile(
    r"\[\s*(\d{5,7}),\s*'\d+',\s*(\d+),\s*(?:'[^']*'|\"[^\"]*\"),\s*(?:'([^']*)'|\"([^\"]*)\")"
)
#: Words that tell nobody apart.
_COMMON = frozenset(
    {"mobile", "mobil", "telecom", "telekom", "telecommunications", "communications", "cellular"}
    | {"gsm", "wireless", "internet", "postpaid", "prepaid", "network", "networks", "services"}
    | {"company", "the", "a", "public", "digital", "us", "uk", "bt", "china", "brasil", "jersey"}
    | {"lao", "nepal", "albania"}
)


def words(text: str) -> list[str]:
    plain = re.sub(r"\(.*?\)", "", text).casefold()
    return [word for word in re.split(r"[\W_]+", plain) if word and word not in _COMMON]


def issuers(listed: str, countries: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    """Issuer identification number -> country and the first name of the operator."""
    found: dict[str, list[str]] = {}
    for number, code, *names in _ISSUER.findall(listed):
        company = set(words("".join(names)))
        hits = [
            (region, row)
            for region in region_codes_for_country_code(int(code))
            for row in countries.get(region, [])
            if any(words(name) and set(words(name)) <= company for name in row["names"])
        ]
        if len({json.dumps(row.get("apn")) for _, row in hits}) == 1 and hits[0][1].get("apn"):
            found[number] = [hits[0][0], hits[0][1]["names"][0]]
    return found


def main(source: str, listed: str | None = None) -> None:
    root = ET.parse(source).getroot()
    countries = {
        (country.get("code") or "").upper(): operators(country)
        for country in root.findall("country")
    }
    if listed is not None:
        known = issuers(Path(listed).read_text(), countries)
    else:
        known = json.loads(TARGET.read_text())["issuers"]
    lines = [
        "{",
        ' "source": "mobile-broadband-provider-info 20230416, serviceproviders.xml",',
        ' "licence": "public domain",',
        ' "issuers_source": "ITU-T E.118 issuer identification numbers, by e118-iin-list 4.1.4",',
        ' "issuers": {',
        ",\n".join(
            f"  {json.dumps(number)}: {json.dumps(who, ensure_ascii=False)}"
            for number, who in sorted(known.items())
        ),
        " },",
        ' "countries": {',
        ",\n".join(
            f"  {json.dumps(code)}: [\n   "
            + ",\n   ".join(json.dumps(row, ensure_ascii=False) for row in rows)
            + "\n  ]"
            for code, rows in sorted(countries.items())
            if rows
        ),
        " }",
        "}",
    ]
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])

"""The same work as other people do it, value by value."""

import hashlib
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import pandas as pd
import phonenumbers
from facebook_business.adobjects.serverside.normalize import Normalize

#: A name, and what is done with a whole frame of customers.
Way = tuple[str, Callable[[pd.DataFrame], object]]

_NO_DIGIT = re.compile(r"\D")
_META_KEYS = {
    "email": "em",
    "phone": "ph",
    "first_name": "fn",
    "last_name": "ln",
    "city": "ct",
    "postal_code": "zp",
    "country": "country",
}


def email_ways() -> list[Way]:
    """Ways to hash the column of e-mails."""
    ways: list[Way] = [
        ("pandas apply: strip, lower, sha256", lambda frame: frame["email"].dropna().apply(_hashed)),
        ("loop: strip, lower, sha256", lambda frame: [_hashed(value) for value in frame["email"].dropna()]),
        (
            "facebook_business Normalize",
            lambda frame: [_by_facebook("email", value) for value in frame["email"].dropna()],
        ),
    ]
    if formatter := _google_formatter():
        email = formatter["email"]
        ways.append(
            (
                "google-ads-datamanager-util",
                lambda frame: [email(value) for value in frame["email"].dropna()],
            )
        )
    return ways


def record_ways() -> list[Way]:
    """Ways to hash whole customers."""
    ways: list[Way] = [
        ("pandas apply: simple rules, phone by its digits", lambda frame: frame.apply(_simple, axis=1)),
        ("pandas apply: the same, phonenumbers", lambda frame: frame.apply(_with_phonenumbers, axis=1)),
        ("loop: simple rules, phone by its digits", lambda frame: [_simple(row) for row in _rows(frame)]),
        ("facebook_business Normalize", lambda frame: [_facebook_row(row) for row in _rows(frame)]),
    ]
    if formatter := _google_formatter():
        ways.append(
            (
                "google-ads-datamanager-util",
                lambda frame: [
                    {f: formatter[f](v) for f, v in row.items() if f in formatter and isinstance(v, str)}
                    for row in _rows(frame)
                ],
            )
        )
    return ways


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame.to_dict("records")]


def _hashed(value: str) -> str:
    return hashlib.sha256(value.strip().lower().encode()).hexdigest()


def _simple(row: Any) -> dict[str, str]:
    found = {}
    for field in _META_KEYS:
        value = row[field]
        if isinstance(value, str):
            found[field] = _hashed(_NO_DIGIT.sub("", value) if field == "phone" else value)
    return found


def _with_phonenumbers(row: Any) -> dict[str, str]:
    found = _simple(row)
    if isinstance(row["phone"], str):
        try:
            number = phonenumbers.parse(row["phone"], row["country"][:2].upper())
        except phonenumbers.NumberParseException:
            return found
        if phonenumbers.is_valid_number(number):
            found["phone"] = _hashed(
                phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            )
    return found


def _by_facebook(field: str, value: str) -> str | None:
    try:
        return str(Normalize.normalize_field(_META_KEYS[field], value))
    except (TypeError, ValueError):  # what it says of values that it does not take
        return None


def _facebook_row(row: dict[str, Any]) -> dict[str, str | None]:
    return {f: _by_facebook(f, row[f]) for f in _META_KEYS if isinstance(row[f], str)}


def _google_formatter() -> dict[str, Callable[[str], object]]:
    """Google's own helper, where it is installed: ``pip install google-ads-datamanager-util``."""
    if find_spec("google.ads") is None or find_spec("google.ads.datamanager_util") is None:
        return {}
    from google.ads.datamanager_util.format import Encoding, Formatter  # noqa: PLC0415 - optional

    google = Formatter()

    def lenient(way: Callable[..., str]) -> Callable[[str], object]:
        def run(value: str) -> object:
            try:
                return way(value)
            except ValueError:
                return None

        return run

    hexed = {
        "email": lambda value: google.process_email_address(value, Encoding.HEX),
        "phone": lambda value: google.process_phone_number(value, Encoding.HEX),
        "first_name": lambda value: google.process_given_name(value, Encoding.HEX),
        "last_name": lambda value: google.process_family_name(value, Encoding.HEX),
        "postal_code": google.process_postal_code,
        "country": google.process_region_code,
    }
    return {field: lenient(way) for field, way in hexed.items()}

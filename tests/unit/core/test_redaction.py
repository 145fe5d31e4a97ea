"""Nothing that looks like a contact, a digest or a secret gets through; ids and times do."""

import base64
import hashlib

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cohortd.core.redaction import HIDDEN, Redactor

REDACTOR = Redactor(frozenset({"1234567890"}))
#: What stands around it in a line.
AROUND = st.sampled_from(
    [
        "{}",
        "not read: {}",
        "{} was refused",
        "({})",
        "row 17, {}; next",
        "'{}'",
        "a,{},b",
        "7,{},8",
        "tel:{}",
        "tel-{}",
        "x: {}.",
    ]
)
LOCAL = st.from_regex(r"[A-Za-z][A-Za-z0-9._+-]{0,12}[A-Za-z]", fullmatch=True)
EMAILS = st.builds(
    "{}{}{}.{}".format,
    LOCAL,
    st.sampled_from(["@", "\uff20", "%40"]),
    st.from_regex(r"[a-z][a-z0-9-]{0,10}[a-z]", fullmatch=True),
    st.sampled_from(["com", "co.uk", "example"]),
)
REGIONS = ("US", "GB", "DE", "FR", "IT", "ES", "NL", "IN", "BR", "AU", "JP", "MX", "PL", "SE", "CH")
STYLES = (
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
)
NATIONAL = phonenumbers.PhoneNumberFormat.NATIONAL


@st.composite
def phones(draw: st.DrawFn) -> str:
    kind = draw(
        st.sampled_from([phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE])
    )
    region = draw(st.sampled_from(REGIONS))
    number = phonenumbers.example_number_for_type(region, kind)
    assert number is not None
    styles = (*STYLES, NATIONAL) if region in {"US", "GB", "DE", "FR", "IN"} else STYLES
    return phonenumbers.format_number(number, draw(st.sampled_from(styles)))


DIGESTS = st.binary(min_size=1, max_size=8).map(lambda raw: hashlib.sha256(raw).digest())
HEX = DIGESTS.flatmap(lambda raw: st.sampled_from([raw.hex(), raw.hex().upper()]))
BASE64 = DIGESTS.flatmap(
    lambda raw: st.sampled_from([base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()])
)
TOKENS = st.from_regex(r"[A-Za-z0-9_-]{19}[0-9]", fullmatch=True)
SECRETS = TOKENS.flatmap(
    lambda token: st.sampled_from(
        [
            ("Bearer {}", token),
            ("https://graph.example/v25/me?access_token={}&limit=1", token),
            ("postgresql://cohortd:{}@db.internal/ledger", token),
            ("client_secret={}", token),
            ('{{"refresh_token": "{}"}}', token),
            ("Authorization: Basic {}", token),
        ]
    )
)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


@given(EMAILS, AROUND)
def test_no_email_gets_through(email: str, around: str) -> None:
    said = REDACTOR.text(around.format(email))

    assert email not in said
    assert email.replace("%40", "@").replace("\uff20", "@").split("@")[1] not in said


@given(phones(), AROUND)
def test_no_phone_gets_through(phone: str, around: str) -> None:
    said = REDACTOR.text(around.format(phone))

    assert len(_digits(said)) <= len(_digits(around)) + 3, said


@given(st.one_of(HEX, BASE64), AROUND)
def test_of_a_digest_no_more_than_eight_digits_get_through(digest: str, around: str) -> None:
    said = REDACTOR.text(around.format(digest))

    assert digest[:9] not in said
    assert digest[9:] not in said


@given(SECRETS)
def test_no_secret_gets_through(secret: tuple[str, str]) -> None:
    pattern, token = secret

    assert token not in REDACTOR.text(pattern.format(token))


HEX_DIGEST = "ab12cd34ef56ab78" * 4
TOKEN = "EAABsbCS1iHgBO3ZCZCx8yJfZBqZAq2ZBZB0ZBexample"


@pytest.mark.parametrize(
    ("said", "secrets"),
    [
        # urllib3 and requests, Meta's client
        (
            f'https://graph.example:443 "POST /v24.0/2385/users?access_token={TOKEN} HTTP/1.1" 200 None',
            [TOKEN],
        ),
        (
            (
                "Max retries exceeded with url: /v24.0/act_3456789012/customaudiences"
                f"?access_token={TOKEN}&appsecret_proof={HEX_DIGEST}&fields=id"
            ),
            [TOKEN, HEX_DIGEST[:9]],
        ),
        (
            f"Params: {{'payload': '{{\"data\": [[\"{HEX_DIGEST}\"]]}}', 'access_token': '{TOKEN}'}}",
            [TOKEN, HEX_DIGEST[:9]],
        ),
        # Google's clients, gRPC
        (
            (
                'Headers: {\n  "developer-token": "aBcDeFgHiJk",\n}\nRequest: operations { create {'
                f' user_identifiers {{ hashed_email: "{HEX_DIGEST}" }} }} }}'
            ),
            ["aBcDeFgHiJk", HEX_DIGEST[:9]],
        ),
        (
            "metadata=(('authorization', 'Bearer ya29.a0AfH6SMBx'), ('developer-token', 'aBcDeFgHiJk'))",
            ["a0AfH6SMBx", "aBcDeFgHiJk"],
        ),
        (
            "grant_type=refresh_token&client_secret=GOCSPX-abcdefgh123&refresh_token=1//0gabcDEF-xyz_123",
            ["abcdefgh123", "gabcDEF"],
        ),
        ("assertion=eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJzdmMifQ.c2lnbmF0dXJl", ["hbGci", "pc3Mi", "c2ln"]),
        # Apprise
        ("POST https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnl failed", ["T1JJ", "TIiajk"]),
        ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnl/#ads", ["T1JJ", "TIiajk"]),
        (
            "https://contoso.webhook.office.com/webhookb2/4b0d-8a/IncomingWebhook/abcdef/12",
            ["4b0d", "abcdef"],
        ),
        (
            "https://prod-1.westus.logic.azure.com:443/workflows/643e69/triggers/manual/paths/invoke?sig=KODuebb",
            ["643e69", "KODuebb"],
        ),
        ("https://api.telegram.org/bot123456789:AAFexample/sendMessage", ["AAFexample", "123456789"]),
        ("jsons://user:s3cret@example.com/hidden-path?+X-Api-Key=abcd", ["s3cret", "hidden-path", "abcd"]),
        ("mailtos://ops:hunter2@smtp.example.com?to=boss@example.org", ["hunter2", "boss"]),
        ("AUTH PLAIN AHVzZXIAaHVudGVyMg==", ["AHVz"]),
        # databases and object stores
        ("[generated in 0.1s] ('ann@example.com', '+14155552671', '4155552671')", ["ann@", "5552671"]),
        ("[parameters: ('ann@example.com', '(415) 555-2671')]", ["ann@", "555-2671"]),
        ("password authentication failed: postgresql://cohortd:hunter2@db.internal/x", ["hunter2"]),
        ("AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ["AKIAIO", "wJalr", "bPxRf"]),
        (f"https://b.s3.amazonaws.com/x?X-Amz-Signature={HEX_DIGEST}", [HEX_DIGEST[:9]]),
        ("Set-Cookie: session=abcdef123456; Path=/", ["abcdef"]),
        ("Cookie: theme=dark; session=abcdef123456;lang=en", ["abcdef", "dark"]),
    ],
)
def test_what_the_vendors_clients_say_gives_nothing_away(said: str, secrets: list[str]) -> None:
    shown = REDACTOR.text(said)

    assert [each for each in secrets if each in shown] == []


@pytest.mark.parametrize(
    "text",
    [
        "grpc://127.0.0.1:33157 does not answer",
        "see https://business.facebook.com/latest/settings and s3://bucket/customers.parquet",
        "/usr/lib/python3.11/site-packages/Foo1/bar.py",
        "2026-11-22T17:34:19.123456+00:00",
        "paused since 2026-11-22 17:34:19.123456+00:00: it asked to be left alone",
        "sent again after 17:34:19 UTC",
        "20261122T173419-ab12",
        "1,234,567,890 removals asked for",
        "act_123456789012345",
        "customers/1234567890/userLists/9876543210",
        "account 1234567890 is not enabled",
        "account 123-456-7890: see https://business.facebook.com/tos/?act=1234567890",
        "127.0.0.1:8480 and 192.168.100.200",
        "postgresql://db.internal:5432/ledger",
        "syncing.py:107",
        "12.345678901 seconds",
        "model version 4, plan 1f2e3d4c5b6a",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    ],
)
def test_times_counts_places_and_ids_stay_as_they_are(text: str) -> None:
    assert REDACTOR.text(text) == text


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("email", "ann", HIDDEN),
        ("access_token", "abc", HIDDEN),
        ("apiKey", 7, HIDDEN),
        ("phones", ["1"], HIDDEN),
        ("request_payload", {"a": 1}, HIDDEN),
        ("remote_id", "9876543210", "9876543210"),
        ("reason", "call 9876543210", f"call {HIDDEN}"),
        ("rows", 9876543210, 9876543210),
        ("error", ValueError("ann@example.com"), "ValueError"),
        ("digest_bytes", b"\x01\x02", HIDDEN),
        ("left", b"\x01\x02", "2 bytes"),
        ("counts", {"ann@example.com": 3, "token": "x"}, {HIDDEN: 3, "token": HIDDEN}),
        ("names", ("s1", "ann@example.com"), ["s1", HIDDEN]),
        ("done", None, None),
        ("share", 0.25, 0.25),
    ],
)
def test_values_are_looked_at_by_kind_and_key(key: str, value: object, shown: object) -> None:
    assert REDACTOR.value(key, value) == shown


def test_a_long_text_is_cut_before_it_takes_long() -> None:
    assert len(REDACTOR.text("a" * 1_000_000)) < 2_100

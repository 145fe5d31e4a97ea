import idna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cohortd.core.identifiers import Family
from cohortd.identity import normalize

BOTH = pytest.mark.parametrize("family", list(Family))


@BOTH
@pytest.mark.parametrize(
    ("value", "normalized"),
    [
        ("Ann@Bücher.de", "ann@xn--bcher-kva.de"),
        ("ann@xn--bcher-kva.de", "ann@xn--bcher-kva.de"),
        ("ann@straße.de", "ann@xn--strae-oqa.de"),
        ("ann@例え.jp", "ann@xn--r8jz45g.jp"),
        ("ann@\uff45\uff58\uff0e\uff43\uff4f\uff4d", "ann@ex.com"),
        ("ann@example.com.", "ann@example.com"),
        ("\u00a0ann@example.com\u3000", "ann@example.com"),
        ("a\u200bnn@exam\u00adple.com\ufeff", "ann@example.com"),
        ("\u202aann@example.com\u202c", "ann@example.com"),
        ("STRAẞE@example.com", "straße@example.com"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("İ@example.com", "i\u0307@example.com"),
    ],
)
def test_one_address_has_one_spelling(family: Family, value: str, normalized: str) -> None:
    assert normalize(family, "email", value).normalized == normalized


@BOTH
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("ann smith@example.com", "inner_white_space"),
        ("ann\u00a0smith@example.com", "inner_white_space"),
        ("Ann <ann@example.com>", "inner_white_space"),
        ("ann\uff20example.com", "no_at_sign"),
        ("ann@bob@example.com", "more_than_one_at_sign"),
        ("@example.com", "empty_local_part"),
        ("ann@", "empty_domain"),
        ("ann@localhost", "no_dot_in_domain"),
        ("ann@com.", "no_dot_in_domain"),
        ("ann@example..com", "invalid_domain"),
        ("ann@example.com..", "invalid_domain"),
        ("ann@.example.com", "invalid_domain"),
        ("ann@-example.com", "invalid_domain"),
        ("ann@my_host.com", "invalid_domain"),
        ("ann@xn--999999999.com", "invalid_domain"),
        ("ann@i\u2764.ws", "invalid_domain"),
        ("ann@" + "b" * 64 + ".com", "invalid_domain"),
        ("ann@" + "b." * 200 + "com", "invalid_domain"),
        ("ann\ud800@example.com", "not_unicode_text"),
        ("\u200b", "empty"),
        ("A" * 64, "already_hashed"),
    ],
)
def test_what_is_no_address_is_absent_with_a_reason(family: Family, value: str, reason: str) -> None:
    found = normalize(family, "email", value)

    assert (found.normalized, found.sha256, found.reason) == (None, None, reason)


def test_dots_and_tags_are_dropped_for_google_and_kept_for_meta() -> None:
    value = "Cloudy.San+tag@gmail.com"

    assert normalize(Family.GOOGLE, "email", value).normalized == "cloudysan@gmail.com"
    assert normalize(Family.META, "email", value).normalized == "cloudy.san+tag@gmail.com"


def test_the_gmail_rule_is_for_gmail_alone() -> None:
    for domain in ("notgmail.com", "gmail.com.br", "mail.gmail.com", "gmail.co"):
        value = f"a.b+c@{domain}"
        assert normalize(Family.GOOGLE, "email", value).normalized == value


def test_gmail_is_gmail_with_the_roots_dot_too() -> None:
    assert normalize(Family.GOOGLE, "email", "a.b@GMAIL.com.").normalized == "ab@gmail.com"


@given(domain=st.from_regex(r"[a-z0-9-]{1,5}(\.[a-z0-9-]{1,5}){0,2}\.?", fullmatch=True))
@settings(deadline=None)
def test_the_quick_way_for_plain_domains_agrees_with_the_library(domain: str) -> None:
    try:
        expected = idna.encode(domain, uts46=True).decode().removesuffix(".")
    except idna.IDNAError:
        expected = ""

    found = normalize(Family.META, "email", f"ann@{domain}")

    assert found.normalized == (f"ann@{expected}" if "." in expected else None)

import pytest

from cohortd.core.identifiers import Family
from consent import covers_purpose, platform_scope

BOTH = {Family.GOOGLE, Family.META}


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("", BOTH),
        ("  ", BOTH),
        ("*", BOTH),
        ("All", BOTH),
        (",", BOTH),
        ("google", {Family.GOOGLE}),
        ("Google Ads", {Family.GOOGLE}),
        ("google-data-manager", {Family.GOOGLE}),
        ("youtube", {Family.GOOGLE}),
        ("META", {Family.META}),
        ("facebook", {Family.META}),
        ("instagram", {Family.META}),
        ("instagram, youtube", BOTH),
        ("google,", {Family.GOOGLE}),
        ("tiktok", set()),
        ("tiktok;meta", {Family.META}),
        ("tiktok, all", BOTH),
    ],
)
def test_a_platform_text_names_families(text, scope):
    assert platform_scope(text) == scope


@pytest.mark.parametrize(
    ("text", "covers"),
    [
        ("", True),
        ("all", True),
        ("advertising", True),
        (" Advertising ", True),
        ("analytics|advertising", True),
        ("analytics", False),
        ("advertising analytics", False),
        ("ads", False),
    ],
)
def test_a_purpose_text_covers_ours(text, covers):
    assert covers_purpose(text, "advertising") is covers

"""What IAB strings say, written by an encoder of the tests' own and checked against published examples."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from cohortd.cli.entry import run
from consent.tcf import GOOGLE, decode_tc, gpp_sections

CREATED = datetime(2026, 3, 1, 12, tzinfo=UTC)
UPDATED = CREATED + timedelta(days=1)


def _segment(*fields: tuple[int, int]) -> str:
    bits = "".join(format(value, f"0{width}b") for value, width in fields)
    bits += "0" * (-len(bits) % 24)
    return base64.urlsafe_b64encode(int(bits, 2).to_bytes(len(bits) // 8, "big")).decode().rstrip("=")


def _deciseconds(at: datetime) -> int:
    return int(at.timestamp() * 10)


def _set(numbers: set[int], width: int) -> tuple[int, int]:
    return sum(1 << (width - number) for number in numbers), width


def _core(*vendors: tuple[int, int], version: int = 2) -> str:
    return _segment(
        *((version, 6), (_deciseconds(CREATED), 36), (_deciseconds(UPDATED), 36)),
        *((31, 12), (1, 12), (1, 6), (131, 12), (200, 12), (5, 6), (0, 14)),
        *(_set({1, 3, 4}, 24), _set({7, 24}, 24), (0, 1), (0, 12)),
        *vendors,
    )


BY_BIT = ((800, 16), (0, 1), _set({GOOGLE, 2}, 800))
BY_RANGE = ((800, 16), (1, 1), (2, 12), (0, 1), (2, 16), (1, 1), (754, 16), (756, 16))


def test_a_core_says_who_asked_when_and_what_was_agreed_to() -> None:
    core = decode_tc(_core(*BY_BIT))

    assert (core.version, core.cmp_id, core.vendor_list_version, core.policy_version) == (2, 31, 200, 5)
    assert (core.created_at, core.updated_at) == (CREATED, UPDATED)
    assert (core.purposes, core.legitimate_interests) == ({1, 3, 4}, {7, 24})
    assert core.vendors == {2, GOOGLE}


def test_vendors_may_be_written_as_ranges() -> None:
    assert decode_tc(_core(*BY_RANGE)).vendors == {2, 754, 755, 756}


def test_vendors_that_were_shown_are_told_where_the_segment_is_there() -> None:
    shown = _segment((1, 3), (800, 16), (0, 1), _set({GOOGLE}, 800))
    publisher = _segment((3, 3), (0, 24))

    assert decode_tc(_core(*BY_BIT)).disclosed_vendors is None
    assert decode_tc(f"{_core(*BY_BIT)}.{publisher}.{shown}").disclosed_vendors == {GOOGLE}


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "ÿ", "no string!", "CAAA", "A" * 60_000),
        _core(*BY_BIT, version=1),
        _core((60_000, 16), (0, 1)),
        _core((10, 16), (1, 1), (1, 12), (1, 1), (9, 16), (12, 16)),
        _core((10, 16), (1, 1), (1, 12), (1, 1), (9, 16), (3, 16)),
        _core(*BY_BIT) + ".!",
    ],
)
def test_what_is_no_tc_string_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        decode_tc(text)


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        # Examples of the Global Privacy Platform's specification.
        ("DBABMA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA", (2,)),
        ("DBACNYA~CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA~1YNN", (2, 6)),
    ],
)
def test_a_gpp_string_says_which_sections_it_has(text: str, sections: tuple[int, ...]) -> None:
    assert gpp_sections(text) == sections


@pytest.mark.parametrize("text", ["", "DBABMA", "DBABMA~a~b", "CBABMA~a", "DB", "D~"])
def test_what_is_no_gpp_string_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        gpp_sections(text)


def test_a_section_of_a_gpp_string_is_a_tc_string() -> None:
    core = decode_tc("CPXxRfAPXxRfAAfKABENB-CgAAAAAAAAAAYgAAAAAAAA")

    assert (core.version, core.cmp_id, core.purposes) == (2, 31, frozenset())


def test_the_command_says_what_a_string_says_and_how_records_name_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = _core(*BY_RANGE)
    code = run(["consent", "decode", text, "--json"])
    said = json.loads(capsys.readouterr().out)

    assert code == 0
    assert (said["purposes"], said["google_agreed_to"], said["google_disclosed"]) == ([1, 3, 4], True, None)
    assert said["evidence"] == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("text", ["no string!", "a~b"])
def test_the_command_refuses_what_is_no_string(text: str) -> None:
    assert run(["consent", "decode", text]) == 2

"""What a terminal would obey is spelled out instead."""

import json

import pytest

from cohortd.core.printable import escaped, printable


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("over\rwritten", "over\\rwritten"),
        ("\x9b31mred", "\\x9b31mred"),
        ("a\u202ecod.exe", "a\\u202ecod.exe"),
        ("Zoë, 5 € · 東京\tand\nmore", "Zoë, 5 € · 東京\tand\nmore"),
    ],
)
def test_orders_to_a_terminal_are_spelled_and_all_else_stays(text, seen):
    assert printable(text) == seen


def test_json_says_the_same_with_them_escaped():
    told = {"name": "a\x1b[31m\x7f\x9b\u202eb"}
    written = escaped(json.dumps(told, ensure_ascii=False))

    assert json.loads(written) == told
    assert written == printable(written)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.concealing import conceal, reveal

KEY, OTHER = bytes(range(32)), bytes(32)


@given(text=st.text())
def test_what_was_concealed_is_revealed_by_its_key_alone(text: str) -> None:
    concealed = conceal(KEY, text)

    assert reveal(KEY, concealed) == text
    assert reveal(OTHER, concealed) is None
    assert conceal(KEY, text) != concealed


@pytest.mark.parametrize("broken", ["", "plain", "A256GCM:", "A256GCM:x", "A256GCM:AAAA", "A256GCM:ü"])
def test_what_was_not_concealed_is_not_revealed(broken: str) -> None:
    assert reveal(KEY, broken) is None

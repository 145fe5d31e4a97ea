"""Forms are encoded as urllib does it."""

from urllib.parse import quote_plus, urlencode

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from connectors.meta.forms import FormSession, encoded, quoted

FORM = {"payload": '{"schema":["EMAIL"],"data":[["a b+c%20~"]]}', "session_id": 7, "naïve": "é=&"}


@given(st.text())
def test_any_text_is_quoted_as_urllib_quotes_it(text: str) -> None:
    assert quoted(text) == quote_plus(text, errors="strict")


@pytest.mark.parametrize("number", range(128))
def test_every_ascii_character_is_quoted_as_urllib_quotes_it(number: int) -> None:
    assert quoted(f"a{chr(number)}b") == quote_plus(f"a{chr(number)}b")


def test_a_form_is_encoded_as_urllib_encodes_it() -> None:
    assert encoded(FORM) == urlencode(FORM)


def test_a_session_sends_the_same_request_as_its_parent_does() -> None:
    sent = []
    for session in (FormSession(), requests.Session()):
        with responses.RequestsMock() as mock:
            mock.post("https://graph.example/1/users", json={})
            session.request("POST", "https://graph.example/1/users", data=FORM, headers={"X-One": "1"})
            request = mock.calls[0].request
            sent.append((request.body, request.headers["Content-Type"], request.headers["Content-Length"]))

    assert sent[0] == sent[1]

import socket
import threading

import pytest

from cohortd.receiver import PRESETS
from cohortd.receivers import check_lines, shape_of, status_lines

TABLES = "sources: {customers: {path: customers.csv}}\n"
SENDER = "name: cmp, preset: ketch, auth: {kind: bearer, secret: a-secret-of-some-length}"


def _receiver(loading, sender, more=""):
    return loading(f"{TABLES}receiver: {{sources: [{{{sender}}}]{more}}}").receiver


def test_without_settings_nothing_listens(loading):
    assert loading("").receiver is None


def test_a_receiver_listens_on_this_machine_alone_unless_told_otherwise(loading):
    found = _receiver(loading, SENDER)
    assert (found.host, found.port, found.sources[0].place) == ("127.0.0.1", 8480, "/consent/cmp")


def test_an_address_of_the_sixth_version_stands_in_brackets(loading):
    found = _receiver(loading, SENDER, ", listen: '[::1]:9000'")
    assert (found.host, found.port) == ("::1", 9000)


def test_a_mapping_stands_above_its_preset(loading):
    [found] = _receiver(loading, SENDER + ", mapping: {customer_id: request.context.crm}").sources
    shape = shape_of(found)
    assert shape.customer_id == ("request.context.crm",)
    assert shape.purposes == PRESETS["ketch"].purposes


def test_a_secret_may_stand_in_the_folder_of_secrets(loading, tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "cmp_secret").write_text("a-secret-from-a-file\n")
    text = (
        TABLES
        + "secrets_dir: secrets\nreceiver: {sources: [{name: cmp, preset: ketch, auth: {kind: hmac}}]}"
    )
    found = loading(text).receiver.sources[0].auth.secret
    assert found.get_secret_value() == "a-secret-from-a-file"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{sources: []}", "receiver.sources: name one sender at least, or leave receiver out"),
        (
            "{sources: [{name: cmp, preset: ketch}]}",
            "receiver.sources[0].auth: is needed",
        ),
        (
            "{sources: [{name: cmp, preset: ketch, auth: {kind: hmac}}]}",
            "receiver.sources[0].auth: needs secret or secret_file: a receiver is never open to everybody",
        ),
        (
            "{sources: [{name: cmp, preset: ketch, auth: {kind: bearer, secret: short}}]}",
            "receiver.sources[0].auth: the secret must have 16 characters at least",
        ),
        (
            "{sources: [{name: cmp, auth: {kind: bearer, secret: a-secret-of-some-length}}]}",
            "receiver.sources[0]: mapping must have one of customer_id, email and phone",
        ),
        (
            "{sources: [{name: c, mapping: {email: e}, auth: {kind: hmac, secret: 0123456789abcdef}}]}",
            "receiver.sources[0]: mapping must have status or purposes",
        ),
        (
            f"{{sources: [{{{SENDER}, mapping: {{email: 'a[b'}}}}]}}",
            "receiver.sources[0].mapping.email[0]: is no path",
        ),
        (f"{{sources: [{{{SENDER}}}, {{{SENDER}}}]}}", "receiver.sources: each name and each path"),
        (f"{{listen: '127.0.0.1:70000', sources: [{{{SENDER}}}]}}", "receiver.listen: the port must be"),
    ],
)
def test_what_would_be_open_or_read_nothing_is_refused(loading, text, told):
    faults = loading.faults(f"{TABLES}receiver: {text}")
    assert [fault for fault in faults if fault.startswith(told)], faults
    assert "a-secret-of-some-length" not in str(faults)


def test_a_list_that_may_not_be_empty_says_so_in_our_words(loading):
    faults = loading.faults(f"{TABLES}consent: {{legal_bases: []}}")
    assert faults == ["consent.legal_bases: must have one entry at least"]


def test_a_wrong_name_of_a_state_is_shown_whole(loading):
    [fault] = loading.faults(f"{TABLES}consent: {{default: {{US-California: denied}}}}")
    assert "US-California is not a state such as US-CA" in fault


def test_without_a_receiver_there_is_nothing_to_tell():
    assert [*check_lines(None), *status_lines(None)] == []


def test_a_check_tells_of_the_address_each_secret_and_what_others_can_reach(loading):
    weak = "name: weak, preset: ketch, auth: {kind: hmac, secret: 0123456789abcdef}"
    none = "name: none, preset: ketch, auth: {kind: standard_webhooks, secret: 'no base64 at all'}"
    text = f"{TABLES}receiver: {{listen: '0.0.0.0:0', sources: [{{{SENDER}}}, {{{weak}}}, {{{none}}}]}}"
    lines = {line.subject: (line.ok, line.detail) for line in check_lines(loading(text).receiver)}

    assert lines == {
        "receiver": (True, "0.0.0.0:0: nothing listens there"),
        "receiver: cmp": (True, "/consent/cmp, bearer with a secret"),
        "receiver: weak": (
            True,
            "/consent/weak, hmac with a secret; it is worth 8 bytes, which is few: take 24 or more",
        ),
        "receiver: none": (
            False,
            "receiver: none: the secret cannot be used for standard_webhooks",
        ),
        "receiver: TLS": (
            True,
            (
                "others than this machine reach it, and it speaks plain HTTP: have a proxy with TLS"
                " before it, and let nobody else reach the port"
            ),
        ),
    }


def _hang_up(server):
    server.accept()[0].close()


def test_somebody_else_at_the_address_is_a_fault_and_nobody_is_one_of_status_alone(loading):
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        found = _receiver(loading, SENDER, f", listen: '127.0.0.1:{stranger.getsockname()[1]}'")
        hanging_up = threading.Thread(target=_hang_up, args=[stranger])
        hanging_up.start()
        there = check_lines(found)[0]
        hanging_up.join()
    gone = [check_lines(found)[0].ok, status_lines(found)[0].ok]

    assert (there.ok, there.cure) == (False, "Choose another receiver.listen, or stop what is there.")
    assert gone == [True, False]

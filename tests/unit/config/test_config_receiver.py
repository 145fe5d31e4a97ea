import pytest

from cohortd.receiver import PRESETS
from cohortd.receivers import shape_of

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
        ("{sources: []}", "receiver.sources: "),
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

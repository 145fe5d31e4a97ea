from collections.abc import Sequence
from dataclasses import asdict, fields, replace

import hypothesis.strategies as st
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given

from cohortd.core.errors import SettingsError
from cohortd.core.removals import RemovalEntry, Sealer, SignedHead
from consent import ChainSealer, Survey, Tampering, verify

Log = list[RemovalEntry]
PAYLOAD = [field.name for field in fields(RemovalEntry) if field.name not in {"seq", "previous", "hash"}]


@pytest.fixture(scope="module")
def sealer(tmp_path_factory):
    return ChainSealer(tmp_path_factory.mktemp("keys") / "removal-log.pem")


def entry(seq: int, **changes: object) -> RemovalEntry:
    text = dict.fromkeys((name for name in PAYLOAD if name != "batch"), "")
    text |= {"at": f"2026-11-22T12:00:{seq:02}.000000Z", "event": "sent", "subject": f"{seq:032x}"}
    return replace(RemovalEntry(seq=seq, batch=seq, previous="", hash="", **text), **changes)


def chain(sealer: Sealer, entries: Sequence[RemovalEntry]) -> Log:
    log: Log = []
    for one in entries:
        previous = log[-1].hash if log else ""
        payload = {name: value for name, value in asdict(one).items() if name in PAYLOAD}
        log.append(replace(one, previous=previous, hash=sealer.seal(previous, payload)))
    return log


def head_of(sealer: Sealer, log: Log) -> SignedHead:
    return SignedHead(log[-1].seq, log[-1].hash, sealer.sign(log[-1].hash))


@pytest.fixture(scope="module")
def log(sealer):
    return chain(sealer, [entry(seq) for seq in range(1, 7)])


@pytest.fixture(scope="module")
def found(sealer, log):
    """What is found in an altered log when the head is still the true one."""

    def found(altered: Log, head: SignedHead | None = None) -> tuple[int, Tampering] | None:
        survey = Survey(public_keys=[sealer.public_key])
        survey.take(altered)
        finding = verify(altered, head=head or head_of(sealer, log), public_keys=[sealer.public_key])
        assert survey.is_whole(head or head_of(sealer, log)) == (finding is None)
        return (finding.seq, finding.kind) if finding else None

    return found


def renumbered(log: Sequence[RemovalEntry]) -> Log:
    return [replace(one, seq=seq) for seq, one in enumerate(log, 1)]


def test_an_untouched_log_is_sound(found, log, sealer):
    assert found(log) is None
    assert verify(iter(log), head=head_of(sealer, log), public_keys=[sealer.public_key]) is None


def test_an_empty_log_is_sound(sealer):
    assert verify([], head=None, public_keys=[sealer.public_key]) is None


@pytest.mark.parametrize("name", [*PAYLOAD, "previous", "hash"])
@pytest.mark.parametrize("at", [0, 2, 5])
def test_a_changed_field_is_found_at_its_entry(found, log, name, at):
    changed = 99 if name == "batch" else "f" * 64
    altered = [*log[:at], replace(log[at], **{name: changed}), *log[at + 1 :]]
    assert found(altered) == (at + 1, Tampering.CHANGED)


def test_a_changed_number_is_found(found, log):
    assert found([*log[:5], replace(log[5], seq=7)]) == (7, Tampering.CHANGED)


@pytest.mark.parametrize("at", [1, 2, 4])
def test_an_entry_changed_and_sealed_anew_is_found(found, log, sealer, at):
    forged = replace(log[at], detail="nothing to see")
    payload = {name: value for name, value in asdict(forged).items() if name in PAYLOAD}
    altered = [*log[:at], replace(forged, hash=sealer.seal(forged.previous, payload)), *log[at + 1 :]]
    assert found(altered) == (at + 1, Tampering.CHANGED)


@pytest.mark.parametrize("at", [0, 1, 4])
def test_a_deleted_entry_is_missed(found, log, at):
    assert found([*log[:at], *log[at + 1 :]]) == (at + 1, Tampering.DELETED)


def test_a_deleted_run_is_missed_from_its_first_entry(found, log):
    assert found([log[0], *log[4:]]) == (2, Tampering.DELETED)


def test_a_deleted_first_entry_is_missed_even_when_the_rest_is_numbered_anew(found, log):
    assert found(renumbered(log[1:])) == (1, Tampering.DELETED)


def test_a_deleted_entry_is_noticed_even_when_the_rest_is_numbered_anew(found, log, sealer):
    altered = renumbered([*log[:2], *log[3:]])
    assert found(altered) == (2, Tampering.CHANGED)
    finding = verify(altered, head=head_of(sealer, log), public_keys=[sealer.public_key])
    assert "deleted" in str(finding)


@pytest.mark.parametrize("at", [0, 2, 5])
def test_an_inserted_entry_is_found(found, log, sealer, at):
    for previous in (log[at - 1].hash if at else "", "e" * 64):
        payload = {name: value for name, value in asdict(entry(50)).items() if name in PAYLOAD}
        forged = replace(entry(50), previous=previous, hash=sealer.seal(previous, payload))
        assert found(renumbered([*log[:at], forged, *log[at:]])) == (at + 1, Tampering.INSERTED)


def test_a_repeated_entry_is_found(found, log):
    assert found(renumbered([*log[:4], log[1], *log[4:]])) == (5, Tampering.INSERTED)


def test_an_entry_added_after_the_signed_head_is_found(found, log, sealer):
    assert found(chain(sealer, [entry(seq) for seq in range(1, 8)])) == (7, Tampering.INSERTED)


@pytest.mark.parametrize(
    ("order", "first"),
    [((1, 0, 2, 3, 4, 5), 1), ((0, 1, 3, 2, 4, 5), 3), ((0, 4, 1, 2, 3, 5), 2), ((0, 2, 3, 1, 4, 5), 2)],
)
def test_reordered_entries_are_found(found, log, order, first):
    assert found(renumbered([log[at] for at in order])) == (first, Tampering.REORDERED)


@pytest.mark.parametrize("kept", [0, 1, 5])
def test_a_log_cut_off_at_the_end_is_found(found, log, kept):
    assert found(log[:kept]) == (kept + 1, Tampering.CUT_OFF)


def test_a_log_without_its_signed_head_is_found(log, sealer):
    finding = verify(log, head=None, public_keys=[sealer.public_key])
    assert (finding.seq, finding.kind) == (6, Tampering.UNSIGNED)


def test_a_log_written_anew_from_the_start_is_found(found, sealer):
    assert found(chain(sealer, [entry(seq, detail="x") for seq in range(1, 7)])) == (6, Tampering.CHANGED)


def test_a_head_of_another_number_is_found(found, log, sealer):
    assert found(log, replace(head_of(sealer, log), seq=5)) == (5, Tampering.CHANGED)


def test_a_head_signed_by_another_key_is_found(log, sealer, tmp_path):
    other = ChainSealer(tmp_path / "other.pem")
    forged = replace(head_of(sealer, log), signature=other.sign(log[-1].hash))
    for head, key in ((forged, sealer.public_key), (head_of(sealer, log), other.public_key)):
        assert verify(log, head=head, public_keys=[key]).kind is Tampering.WRONG_KEY


@pytest.mark.parametrize("broken", ["", "zz", "00"])
def test_a_key_or_signature_that_is_none_is_a_finding(log, sealer, broken):
    head = head_of(sealer, log)
    assert verify(log, head=head, public_keys=[broken]).kind is Tampering.WRONG_KEY
    forged = replace(head, signature=broken)
    assert verify(log, head=forged, public_keys=[sealer.public_key]).kind is Tampering.WRONG_KEY


@given(data=st.data())
def test_no_rearrangement_of_the_entries_passes(found, log, data):
    picked = data.draw(st.lists(st.integers(0, 5), max_size=8))
    altered = [log[at] for at in picked]
    as_found = data.draw(st.booleans())
    assert (found(altered if as_found else renumbered(altered)) is None) == (picked == [0, 1, 2, 3, 4, 5])


def test_a_finding_names_the_entry(log, sealer):
    finding = verify(log[:2], head=head_of(sealer, log), public_keys=[sealer.public_key])
    assert str(finding) == "entry 3: is missing: the log was signed up to entry 6"


def test_a_key_is_made_once_for_its_owner_alone(tmp_path):
    path = tmp_path / "keys" / "log.pem"
    first, second = ChainSealer(path), ChainSealer(path)
    assert not path.exists()
    assert first.public_key == second.public_key
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["log.pem"]


def test_a_key_open_to_everybody_is_refused(tmp_path):
    path = tmp_path / "log.pem"
    _ = ChainSealer(path).public_key
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 600"):
        _ = ChainSealer(path).public_key


def test_a_broken_key_is_refused_and_never_replaced(tmp_path):
    path = tmp_path / "log.pem"
    path.write_text("no key")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="restore it"):
        ChainSealer(path).sign("x")
    assert path.read_text() == "no key"


def test_a_key_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "log.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="no Ed25519 key"):
        _ = ChainSealer(path).public_key


def test_a_place_where_no_key_can_be_made_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be used"):
        _ = ChainSealer(tmp_path / "file" / "log.pem").public_key


def test_another_process_that_was_first_keeps_its_key(tmp_path, monkeypatch):
    path = tmp_path / "log.pem"
    first = ChainSealer(path).public_key
    monkeypatch.setattr(type(path), "exists", lambda _: False)
    assert ChainSealer(path).public_key == first


def test_sealing_does_not_depend_on_the_order_of_the_fields(sealer):
    assert sealer.seal("p", {"a": 1, "b": "ü"}) == sealer.seal("p", {"b": "ü", "a": 1})
    assert sealer.seal("p", {"a": 1}) != sealer.seal("q", {"a": 1})


SINCE_2 = PAYLOAD[PAYLOAD.index("schema_version") :]


def first_version(sealer: Sealer) -> Log:
    """A log as it was sealed before entries had a version."""
    log: Log = []
    for one in (replace(entry(seq), schema_version=1, attempts=0) for seq in range(1, 4)):
        previous = log[-1].hash if log else ""
        payload = {
            name: value for name, value in asdict(one).items() if name in PAYLOAD and name not in SINCE_2
        }
        log.append(replace(one, previous=previous, hash=sealer.seal(previous, payload)))
    return log


def test_entries_of_the_first_version_are_sound_still(sealer):
    log = first_version(sealer)

    assert verify(log, head=head_of(sealer, log), public_keys=[sealer.public_key]) is None


@pytest.mark.parametrize("name", SINCE_2)
def test_what_an_old_entry_did_not_have_cannot_be_filled_in(sealer, name):
    log = first_version(sealer)
    value = 2 if name in {"schema_version", "attempts"} else "x"
    finding = verify(
        [log[0], replace(log[1], **{name: value}), log[2]],
        head=head_of(sealer, log),
        public_keys=[sealer.public_key],
    )

    assert finding is not None
    assert (finding.seq, finding.kind) == (2, Tampering.CHANGED)

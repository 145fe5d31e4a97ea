from dataclasses import asdict, replace
from hashlib import sha256

import hypothesis.strategies as st
import pytest
from hypothesis import given

from cohortd.core.removals import RemovalEntry, SignedHead, Tree, signed_text
from consent import (
    ChainSealer,
    Survey,
    Tampering,
    prove,
    prove_growth,
    verify,
    verify_growth,
    verify_inclusion,
    verify_witnesses,
)
from consent.concealing import conceal
from consent.merkle import audit_paths, grew, grow, growth_path, leads_to

HASHES = [sha256(str(number).encode()).hexdigest() for number in range(40)]
sizes = st.integers(1, 40)


def root_by_definition(hashes: list[str]) -> str:
    """RFC 6962, 2.1, word by word."""
    if not hashes:
        return sha256(b"").hexdigest()
    if len(hashes) == 1:
        return sha256(b"\x00" + bytes.fromhex(hashes[0])).hexdigest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    left, right = root_by_definition(hashes[:half]), root_by_definition(hashes[half:])
    return sha256(b"\x01" + bytes.fromhex(left) + bytes.fromhex(right)).hexdigest()


@given(size=st.integers(0, 40), cut=st.integers(0, 40))
def test_a_tree_that_grew_in_parts_is_the_tree_of_all(size: int, cut: int) -> None:
    whole = HASHES[:size]
    tree = grow(grow(Tree(), whole[:cut]), whole[cut:])

    assert tree.root == root_by_definition(whole)
    assert tree.size == size
    assert len(tree.peaks) == 64 * size.bit_count()


@given(size=sizes, data=st.data())
def test_a_path_leads_from_its_entry_alone_to_the_root(size: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, size))
    other = data.draw(st.integers(0, size + 1).filter(lambda found: found != number))
    root = grow(Tree(), HASHES[:size]).root
    [path] = audit_paths(HASHES[:size], [number])
    digest = HASHES[number - 1]

    assert leads_to(root, digest, number=number, size=size, path=path)
    assert not leads_to(root, digest, number=other, size=size, path=path)
    assert not leads_to(root, "ab" * 32, number=number, size=size, path=path)
    assert not leads_to(root, digest, number=number, size=size, path=[*path, "ab" * 32])
    assert not leads_to("ab" * 32, digest, number=number, size=size, path=path)


@pytest.fixture(scope="module")
def sealer(tmp_path_factory: pytest.TempPathFactory) -> ChainSealer:
    return ChainSealer(tmp_path_factory.mktemp("keys") / "removal-log.pem")


def entry(seq: int) -> RemovalEntry:
    names = (
        *("at", "event", "trigger", "source", "event_time", "audience", "destination", "platform"),
        *("account", "remote_id", "identifier_kinds", "detail", "previous", "hash"),
    )
    blank = dict.fromkeys(names, "")
    return RemovalEntry(seq=seq, subject=f"{seq % 3:032x}", batch=seq, schema_version=2, **blank)


@pytest.fixture(scope="module")
def log(sealer: ChainSealer) -> list[RemovalEntry]:
    made: list[RemovalEntry] = []
    for one in map(entry, range(1, 12)):
        previous = made[-1].hash if made else ""
        made.append(replace(one, previous=previous, hash=sealer.seal(previous, asdict(one))))
    return made


def head_of(sealer: ChainSealer, log: list[RemovalEntry], size: int = 11) -> SignedHead:
    digest, root = log[size - 1].hash, grow(Tree(), [one.hash for one in log[:size]]).root
    return SignedHead(size, digest, sealer.sign(signed_text(size, digest, root)), root)


def hashes_of(log: list[RemovalEntry]) -> list[str]:
    return [one.hash for one in log]


def test_a_log_with_a_tree_is_sound(sealer: ChainSealer, log: list[RemovalEntry]) -> None:
    keys = [sealer.public_key]

    assert verify(log, head=head_of(sealer, log), public_keys=keys) is None
    heads = [head_of(sealer, log, size) for size in (2, 5, 5, 11)]
    assert verify_witnesses(log, heads, public_keys=keys) is None


@pytest.mark.parametrize("at_once", [1, 4, 11])
def test_one_reading_in_any_pages_tells_that_all_is_well(sealer, log, at_once: int) -> None:
    survey = Survey([head_of(sealer, log, size) for size in (5, 2, 5, 11)], public_keys=[sealer.public_key])
    for start in range(0, len(log), at_once):
        survey.take(log[start : start + at_once])

    assert (survey.size, survey.newest) == (11, log[-1].hash)
    assert survey.is_whole(head_of(sealer, log))


@pytest.mark.parametrize(
    "change",
    [
        lambda log: [*log[:4], replace(log[4], detail="nothing to see"), *log[5:]],
        lambda log: [*log[:4], *log[5:]],
        lambda log: log[:-1],
        lambda log: [*log, log[-1]],
        lambda log: [log[1], log[0], *log[2:]],
        lambda log: [],
    ],
    ids=["changed", "deleted", "cut off", "doubled", "moved", "emptied"],
)
def test_one_reading_tells_that_something_is_wrong(sealer, log, change) -> None:
    survey = Survey(public_keys=[sealer.public_key])
    survey.take(change(log))

    assert not survey.is_whole(head_of(sealer, log))


def test_one_reading_finds_heads_that_do_not_fit(sealer, log) -> None:
    root = "ab" * 32
    other_tree = SignedHead(5, log[4].hash, sealer.sign(signed_text(5, log[4].hash, root)), root)
    later = replace(head_of(sealer, log), seq=12)
    other_key = replace(head_of(sealer, log, 5), signature="00" * 64)
    for kept in (other_tree, later, other_key):
        survey = Survey([kept], public_keys=[sealer.public_key])
        survey.take(log)

        assert not survey.is_whole(head_of(sealer, log))
        assert not survey.is_whole(None)


def test_a_head_without_the_root_it_was_signed_with_is_not_signed(
    sealer: ChainSealer, log: list[RemovalEntry]
) -> None:
    finding = verify(log, head=replace(head_of(sealer, log), root=""), public_keys=[sealer.public_key])

    assert finding is not None
    assert finding.kind is Tampering.WRONG_KEY


def test_a_root_of_other_entries_is_found_in_the_head_and_in_kept_heads(
    sealer: ChainSealer, log: list[RemovalEntry]
) -> None:
    root = "ab" * 32
    head = SignedHead(11, log[-1].hash, sealer.sign(signed_text(11, log[-1].hash, root)), root)

    for finding in (
        verify(log, head=head, public_keys=[sealer.public_key]),
        verify_witnesses(log, [head], public_keys=[sealer.public_key]),
    ):
        assert finding is not None
        assert (finding.seq, finding.kind) == (11, Tampering.CHANGED)
        assert "tree of other entries" in finding.detail


def test_one_persons_entries_are_proven_without_the_others(
    sealer: ChainSealer, log: list[RemovalEntry]
) -> None:
    proof = prove(hashes_of(log), head_of(sealer, log), [log[at - 1] for at in (2, 5, 8, 11)])

    assert [each.entry.seq for each in proof.entries] == [2, 5, 8, 11]
    assert {each.entry.subject for each in proof.entries} == {f"{2:032x}"}
    assert verify_inclusion(proof, public_keys=[sealer.public_key]) is None


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda p: replace(p, entries=[replace(p.entries[0], path=["ab" * 32])]), (2, Tampering.INSERTED)),
        (lambda p: replace(p, entries=[replace(p.entries[0], path=["zz"])]), (2, Tampering.INSERTED)),
        (lambda p: replace(p, entries=[*reversed(p.entries)]), (5, Tampering.REORDERED)),
        (lambda p: replace(p, entries=[p.entries[0], p.entries[0]]), (2, Tampering.REORDERED)),
        (lambda p: replace(p, head=replace(p.head, seq=12)), (12, Tampering.WRONG_KEY)),
        (lambda p: replace(p, head=replace(p.head, root="")), (11, Tampering.WRONG_KEY)),
    ],
)
def test_an_altered_proof_is_found(sealer, log, change, found) -> None:
    finding = verify_inclusion(
        change(prove(hashes_of(log), head_of(sealer, log), [log[1], log[4]])),
        public_keys=[sealer.public_key],
    )

    assert finding is not None
    assert (finding.seq, finding.kind) == found


@pytest.mark.parametrize("name", ["subject", "event", "at", "due_at", "on_time", "previous", "hash"])
def test_a_changed_field_in_a_proof_is_found(sealer, log, name: str) -> None:
    proof = prove(hashes_of(log), head_of(sealer, log), [log[1], log[4]])
    altered = replace(proof.entries[1], entry=replace(proof.entries[1].entry, **{name: "ab" * 32}))
    finding = verify_inclusion(
        replace(proof, entries=[proof.entries[0], altered]), public_keys=[sealer.public_key]
    )

    assert finding is not None
    assert (finding.seq, finding.kind) == (5, Tampering.CHANGED)


def test_a_proof_is_not_true_by_another_key(sealer: ChainSealer, log: list[RemovalEntry]) -> None:
    finding = verify_inclusion(
        prove(hashes_of(log), head_of(sealer, log), [log[1]]), public_keys=["00" * 32]
    )

    assert finding is not None
    assert finding.kind is Tampering.WRONG_KEY


def growth_by_definition(hashes: list[str], size: int, *, known: bool = True) -> list[str]:
    """RFC 6962, 2.1.2, word by word."""
    if size == len(hashes):
        return [] if known else [root_by_definition(hashes)]
    half = 1 << (len(hashes) - 1).bit_length() - 1
    if size <= half:
        return [*growth_by_definition(hashes[:half], size, known=known), root_by_definition(hashes[half:])]
    rest = growth_by_definition(hashes[half:], size - half, known=False)
    return [*rest, root_by_definition(hashes[:half])]


@given(data=st.data(), size=sizes)
def test_a_log_that_grew_is_proven_to_begin_with_the_older_one(data: st.DataObject, size: int) -> None:
    old = data.draw(st.integers(1, size))
    other = data.draw(st.integers(1, size).filter(lambda found: found != old)) if size > 1 else 0
    path = growth_path(HASHES[:size], old)
    was, is_now = (old, root_by_definition(HASHES[:old])), (size, root_by_definition(HASHES[:size]))

    assert path == growth_by_definition(HASHES[:size], old)
    assert grew(was, is_now, path)
    assert not grew((other, was[1]), is_now, path)
    assert not grew((old, "ab" * 32), is_now, path)
    assert not grew(was, (size, "ab" * 32), path)
    assert not grew(was, is_now, [*path, "ab" * 32])
    assert not grew(was, (size + 64, is_now[1]), path)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda p: replace(p, path=["ab" * 32, *p.path[1:]]), (5, Tampering.CHANGED)),
        (lambda p: replace(p, path=["zz"]), (5, Tampering.CHANGED)),
        (lambda p: replace(p, path=[]), (5, Tampering.CHANGED)),
        (lambda p: replace(p, old=p.new, new=p.old), (6, Tampering.CUT_OFF)),
        (lambda p: replace(p, old=replace(p.old, seq=4)), (4, Tampering.WRONG_KEY)),
        (lambda p: replace(p, new=replace(p.new, root="")), (11, Tampering.WRONG_KEY)),
    ],
)
def test_an_altered_proof_of_growth_is_found(sealer, log, change, found) -> None:
    proof = prove_growth(hashes_of(log), head_of(sealer, log, 5), head_of(sealer, log))
    finding = verify_growth(change(proof), public_keys=[sealer.public_key])

    assert verify_growth(proof, public_keys=[sealer.public_key]) is None
    assert finding is not None
    assert (finding.seq, finding.kind) == found


def test_a_proof_of_growth_begins_at_a_head_that_was_kept(sealer, log) -> None:
    proof = prove_growth(hashes_of(log), head_of(sealer, log, 5), head_of(sealer, log))
    keys = [sealer.public_key]
    finding = verify_growth(proof, public_keys=keys, kept=[head_of(sealer, log, 4)])

    assert verify_growth(proof, public_keys=keys, kept=[head_of(sealer, log, 5)]) is None
    assert finding is not None
    assert "another head than the one kept" in finding.detail


def test_a_log_that_was_written_anew_did_not_grow_from_the_head_that_was_kept(sealer, log) -> None:
    forged: list[RemovalEntry] = []
    for one in (replace(each, detail="nothing to see") for each in log):
        previous = forged[-1].hash if forged else ""
        forged.append(replace(one, previous=previous, hash=sealer.seal(previous, asdict(one))))
    proof = prove_growth(hashes_of(forged), head_of(sealer, log, 5), head_of(sealer, forged))
    finding = verify_growth(proof, public_keys=[sealer.public_key])

    assert finding is not None
    assert (finding.seq, finding.kind) == (5, Tampering.CHANGED)


def test_words_that_an_entry_conceals_are_told_truly_in_a_proof(sealer: ChainSealer) -> None:
    key = bytes(range(32))
    one = replace(entry(1), schema_version=3, source=conceal(key, "letter"))
    sealed = replace(one, hash=sealer.seal("", asdict(one)))
    proof = prove([sealed.hash], head_of(sealer, [sealed], 1), [sealed])

    def finding(key: str, **told: str) -> object:
        shown = [replace(proof.entries[0], key=key, told=told)]
        return verify_inclusion(replace(proof, entries=shown), public_keys=[sealer.public_key])

    assert finding(key.hex(), source="letter") is None
    assert "conceals other words" in str(finding(key.hex(), source="call"))
    assert "conceals other words" in str(finding("00" * 32, source="letter"))
    assert "conceals other words" in str(finding("", source="letter"))
    assert "conceals other words" in str(finding(key.hex(), detail=""))

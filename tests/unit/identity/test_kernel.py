"""Where the kernel claims to know, it says what the rules say; where it does not, it leaves the row."""

import hashlib
import random
import string
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identified import TODAY

import cohortd.identity
from cohortd.core.identifiers import Family
from cohortd.identity.cells import Placed
from cohortd.identity.kernel import Kernel
from cohortd.identity.normalizing import outcome
from cohortd.identity.proven import is_right, proven
from cohortd.identity.rules import RULES, Rule
from cohortd.identity.steps import Where
from hatch_build import compile_kernel

KERNEL = proven().kernel
SOURCE = Path(cohortd.identity.__file__).parent / "native" / "kernel.c"
PLACES = [Where(None, TODAY), Where("US", TODAY), Where("GB", TODAY)]
SWIFT = [
    pytest.param(rule, id=f"{family}-{field}")
    for family, rules in RULES.items()
    for field, rule in rules.items()
    if rule.swift
]
LENGTHS = [*range(260), 1000, 4096]
ADDRESSES = 200_000

built = pytest.mark.skipif(KERNEL is None, reason=proven().says)

ascii_texts = st.text(st.characters(max_codepoint=128), max_size=70)
wordy = st.text(string.ascii_letters + string.digits + " .-'@+,\t\u00a0é", max_size=70)
address_like = st.builds(
    "{}{}@{}{}".format,
    st.sampled_from(["", " ", "\t"]),
    st.text(string.ascii_letters + "019.+-_", max_size=12),
    st.from_regex(r"[A-Za-z0-9-]{0,5}(\.[A-Za-z0-9-]{0,5}){0,3}", fullmatch=True)
    | st.sampled_from(
        ["gmail.com", "GoogleMail.com", "b" * 63 + ".de", "b" * 64 + ".de", "a." * 127 + "de"]
    ),
    st.sampled_from(["", " ", "\n", ".", "\x1c"]),
)


def compared(rule: Rule, texts: list[str], place: int = 0) -> list[bool]:
    """Which texts the kernel took, after holding each of these to the rule."""
    assert KERNEL is not None
    assert rule.swift is not None
    where = np.full(len(texts), place, dtype=np.int64)
    taken = rule.swift(KERNEL, Placed(pa.array(texts, pa.large_string()), where, PLACES))
    wrong = [
        text
        for text, digest, known in zip(texts, taken.digests, taken.rows, strict=True)
        if known and digest.tobytes().hex() != outcome(rule, text, PLACES[place], hashed=False).sha256
    ]

    assert wrong == []
    return taken.rows.tolist()


@built
@pytest.mark.parametrize("rule", SWIFT)
@given(texts=st.lists(ascii_texts | wordy | address_like, max_size=20), place=st.sampled_from([0, 1, 2]))
@settings(deadline=None, max_examples=100)
def test_whatever_the_text_the_kernel_agrees_with_the_rule(
    rule: Rule, texts: list[str], place: int
) -> None:
    compared(rule, texts, place)


@built
@pytest.mark.parametrize("rule", SWIFT)
@given(texts=st.lists(st.text(), max_size=20))
@settings(deadline=None, max_examples=50)
def test_in_other_scripts_it_agrees_too(rule: Rule, texts: list[str]) -> None:
    compared(rule, texts)


def _addresses(draw: random.Random) -> list[str]:
    """Addresses as people have them, three of four with up to three characters changed."""
    found = []
    for number in range(ADDRESSES):
        domain = draw.choice(["gmail.com", "Example.org", "a-b.co.uk", "googlemail.com", "x1.de"])
        text = list(f"{draw.choice(['Ann.B', 'j', 'o_neil', 'a.b.c+d'])}{number}@{domain}")
        for _ in range(draw.randrange(4)):
            at = draw.randrange(len(text))
            text[at : at + draw.randrange(2)] = [
                chr(draw.randrange(0x80)) if draw.random() < 0.7 else "-.@+ "[at % 5]
            ]
        found.append("".join(text))
    return found


@built
@pytest.mark.parametrize("family", list(Family))
def test_of_very_many_mutilated_addresses_none_is_hashed_otherwise(family: Family) -> None:
    taken = compared(RULES[family]["email"], _addresses(random.Random(20261121)))

    assert 0.25 < sum(taken) / ADDRESSES < 0.95


@built
@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("email", " Ann.B+x@Gmail.COM "),
        ("email", "o'neil@sub.a-b.example"),
        ("first_name", "ANN-MARIE O'NEIL"),
        ("last_name", "van der Berg"),
        ("first_initial", "  ann"),
        ("city", "Stoke-on-Trent"),
        ("state", "Nordrhein Westfalen"),
        ("postal_code", "SW1A 1AA"),
    ],
)
def test_what_most_people_write_is_taken(field: str, text: str) -> None:
    for family in Family:
        rule = RULES[family].get(field)
        if rule is not None and rule.swift is not None:
            assert compared(rule, [text], 2) == [True]


@built
def test_a_zip_code_is_taken_in_the_us() -> None:
    texts = ["10001", "10001-1234", " 10001 1234", "1234", "1234567890", "1000A"]

    assert compared(RULES[Family.META]["postal_code"], texts, 1) == [True, True, True, False, False, False]


@built
def test_messages_of_every_length_are_hashed_right() -> None:
    assert KERNEL is not None
    messages = [random.Random(length).randbytes(length) for length in LENGTHS]
    column = pa.array([b"before", *messages], pa.large_binary()).slice(1)

    digests = KERNEL.sha256(column)

    assert [one.tobytes() for one in digests] == [hashlib.sha256(message).digest() for message in messages]


@built
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary()])
def test_a_column_may_be_empty_and_of_any_kind(kind: pa.DataType) -> None:
    assert KERNEL is not None

    assert len(KERNEL.sha256(pa.array([], kind))) == 0
    assert KERNEL.emails(pa.array(["a@b.de"], kind).slice(1), fold_gmail=True).rows.tolist() == []
    assert KERNEL.emails(pa.array(["x", "a@b.de"], kind).slice(1), fold_gmail=True).rows.tolist() == [True]


#: One thing done otherwise, each of another kind.
MUTANTS = {
    "a padding of 56 bytes gets one block": ("left < BLOCK - 8", "left <= BLOCK - 8"),
    "another constant": ("0x428a2f98", "0x428a2f99"),
    "no dot is dropped": ("if (address[i] != '.')", "if (1)"),
    "any domain is Gmail": ("length == 9 && !memcmp", "length == 9 || !memcmp"),
    "upper-case stays": ("c >= 'A' && c <= 'Z'", "c >= 'B' && c <= 'Z'"),
    "a control character is text": ("c <= ' ' || c >= 0x7f", "c == ' ' || c >= 0x7f"),
    "dashes may be doubled": ("if (size > 3 && label[2]", "if (size > 99 && label[2]"),
    "a label may begin with a dash": ("label[0] == '-' || ", ""),
    "a label may be longer": ("LONGEST_LABEL = 63", "LONGEST_LABEL = 64"),
    "a digest is a name": ("SHORTEST_HASHED = 64", "SHORTEST_HASHED = 65"),
    "a place holder is a name": ("fits && says &&", "fits &&"),
    "a plus is kept": (" && address[i] != '+'", ""),
    "an empty mailbox": ("if (!kept) return 0;", ""),
}


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kernels")
    why_not = compile_kernel(SOURCE, folder / "kernel.so")
    if why_not:
        pytest.skip(why_not)
    return folder


def test_the_kernel_as_it_is_passes_its_self_test(builds: Path) -> None:
    assert is_right(Kernel.load(builds / "kernel.so", SOURCE))


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_kernel_that_errs_fails_its_self_test(builds: Path, mutant: str, tmp_path: Path) -> None:
    right, wrong = MUTANTS[mutant]
    text = SOURCE.read_text(encoding="utf-8")
    assert text.count(right) == 1
    source, library = tmp_path / "kernel.c", tmp_path / "kernel.so"
    source.write_text(text.replace(right, wrong), encoding="utf-8")
    assert compile_kernel(source, library) == ""

    assert not is_right(Kernel.load(library, source))


def test_a_library_of_another_source_is_not_loaded(builds: Path, tmp_path: Path) -> None:
    other = tmp_path / "kernel.c"
    other.write_text(SOURCE.read_text(encoding="utf-8") + "\n", encoding="utf-8")

    with pytest.raises(ValueError, match="another source"):
        Kernel.load(builds / "kernel.so", other)

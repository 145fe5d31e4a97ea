"""People become rows as Meta reads them."""

import hashlib

from cohortd.core.identifiers import Identifier, IdentifierKind, Member
from cohortd.core.payloads import digest_of, pack
from connectors.meta.rows import upload_of


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def mail(text: str, **profile: str) -> Identifier:
    return Identifier(IdentifierKind.EMAIL, digest(text), pack(profile))


def phone(text: str, **profile: str) -> Identifier:
    return Identifier(IdentifierKind.PHONE, digest(text), pack(profile))


def plain(kind: IdentifierKind, value: str, **profile: str) -> Identifier:
    return Identifier(kind, digest_of({"id": value}), pack({"id": value, **profile}))


def member(*identifiers: Identifier) -> Member:
    return Member(bytes(16), identifiers)


def test_an_email_and_a_phone_are_one_row() -> None:
    upload = upload_of([member(mail("a"), phone("b"))])
    assert upload.schema == ("EMAIL", "PHONE")
    assert upload.data == [[digest("a").hex(), digest("b").hex()]]
    assert upload.owners == [0]


def test_of_more_emails_than_phones_each_row_has_the_phone_so_that_they_are_one_person() -> None:
    upload = upload_of([member(mail("a"), mail("b"), phone("c"))])
    assert upload.data == [[digest("a").hex(), digest("c").hex()], [digest("b").hex(), digest("c").hex()]]
    assert upload.owners == [0, 0]


def test_one_external_id_ties_all_rows_of_a_person_together() -> None:
    upload = upload_of([member(mail("a"), mail("b"), plain(IdentifierKind.EXTERNAL_ID, "C-7"))])
    assert upload.schema == ("EMAIL", "EXTERN_ID")
    assert upload.data == [[digest("a").hex(), "C-7"], [digest("b").hex(), "C-7"]]


def test_a_person_with_only_an_external_id_has_a_row() -> None:
    assert upload_of([member(plain(IdentifierKind.EXTERNAL_ID, "C-7"))]).data == [["C-7"]]


def test_every_one_of_several_external_ids_is_sent() -> None:
    ids = [plain(IdentifierKind.EXTERNAL_ID, value) for value in ("x", "y")]
    upload = upload_of([member(mail("a"), *ids)])
    assert [row[-1] for row in upload.data] == ["x", "y"]


def test_mobile_and_external_ids_go_plain() -> None:
    madid = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
    upload = upload_of(
        [member(plain(IdentifierKind.MOBILE_AD_ID, madid), plain(IdentifierKind.EXTERNAL_ID, "C-7"))]
    )
    assert upload.schema == ("MADID", "EXTERN_ID")
    assert upload.data == [[madid, "C-7"]]


def test_the_profile_rides_on_the_row_in_metas_key_order() -> None:
    upload = upload_of([member(mail("a", FN="f" * 64, COUNTRY="c" * 64), phone("b"))])
    assert upload.schema == ("EMAIL", "PHONE", "FN", "COUNTRY")
    assert upload.data[0][2:] == ["f" * 64, "c" * 64]


def test_keys_of_any_member_are_in_the_schema_and_blank_for_the_others() -> None:
    upload = upload_of([member(mail("a")), member(phone("b"))])
    assert upload.data == [[digest("a").hex(), ""], ["", digest("b").hex()]]
    assert upload.owners == [0, 1]


def test_a_member_without_an_identifier_for_meta_has_no_row() -> None:
    address = Identifier(IdentifierKind.ADDRESS, digest("x"), pack({"given_name": "g"}))
    upload = upload_of([member(address), member(mail("a"))])
    assert upload.owners == [1]


def test_chunks_keep_rows_and_owners_together() -> None:
    upload = upload_of([member(mail(str(number))) for number in range(5)])
    chunks = upload.chunks(2)
    assert [chunk.owners for chunk in chunks] == [[0, 1], [2, 3], [4]]
    assert [row for chunk in chunks for row in chunk.data] == upload.data


def test_two_plain_ids_of_one_text_are_both_there() -> None:
    ids = [plain(kind, "same") for kind in (IdentifierKind.MOBILE_AD_ID, IdentifierKind.EXTERNAL_ID)]

    assert upload_of([member(*ids)]).data == [["same", "same"]]

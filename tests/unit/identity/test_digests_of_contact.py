from cohortd.core.identifiers import Family
from cohortd.identity import digests_of_contact, normalize


def test_one_email_is_two_digests_because_the_families_differ() -> None:
    found = digests_of_contact("email", " Cloudy.San+x@Gmail.com", region=None)

    assert {family: digest.hex() for family, digest in found.items()} == {
        family: normalize(family, "email", "cloudy.san+x@gmail.com").sha256 for family in Family
    }
    assert found[Family.GOOGLE] != found[Family.META]


def test_one_phone_is_found_however_it_is_written() -> None:
    national = digests_of_contact("phone", "020 7946 0958", region="GB")

    assert national == digests_of_contact("phone", "+44 (0)20 7946 0958", region=None)
    assert set(national) == set(Family)
    assert all(len(digest) == 32 for digest in national.values())


def test_what_is_no_contact_has_no_digest() -> None:
    assert digests_of_contact("email", "nobody", region="US") == {}
    assert digests_of_contact("phone", "020 7946 0958", region=None) == {}


def test_a_digest_received_is_the_digest_for_both() -> None:
    digest = normalize(Family.META, "email", "ann@example.com").sha256
    assert digest is not None

    found = digests_of_contact("email", digest.upper(), region=None, hashed=True)

    assert found == dict.fromkeys(Family, bytes.fromhex(digest))

import numpy as np
import pyarrow as pa
import pytest

from cohortd.sources.keys import SeenIds, looks_like_email, looks_like_phone


@pytest.mark.parametrize(
    "phone",
    ["+491701234567", "+1 (415) 555-0100", "(030) 1234567", "030/123456", "0170 1234567", "415-555-0100",
     "1 415 555 0100", "49 170 1234567", "030-1234567"],
)  # fmt: skip
def test_written_phones_are_recognised(phone):
    assert looks_like_phone(pa.array([phone])).tolist() == [True]


@pytest.mark.parametrize(
    "customer_id",
    ["12345678", "491701234567", "2024-001234", "0001-000234", "A-100-200-3000",
     "2f1e6c1c-8a77-4f5e-9f0f-0c3a4d1b2e3f", "+1", "12 34", "c_17", "100.200"],
)  # fmt: skip
def test_plain_ids_are_no_phones_nor_e_mails(customer_id):
    ids = pa.array([customer_id, None])

    assert looks_like_phone(ids).tolist() == [False, False]
    assert looks_like_email(ids).tolist() == [False, False]


def test_seen_ids_agree_with_a_set_over_many_batches():
    rng = np.random.default_rng(7)
    seen, reference = SeenIds(), set()
    for _ in range(40):
        values = [
            None if n % 17 == 0 else f"c{n}" for n in rng.integers(0, 3000, size=int(rng.integers(0, 400)))
        ]
        among = rng.random(len(values)) < 0.8
        expected = []
        for value, counted in zip(values, among, strict=True):
            expected.append(bool(counted and value is not None and value in reference))
            if counted and value is not None:
                reference.add(value)
        assert seen.repeated(pa.array(values, pa.string()), among=among).tolist() == expected

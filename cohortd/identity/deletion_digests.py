"""Digests of contact fields as California's DROP makes them, which are no platform's.

The rules are those of its technical specifications (1.2.0): an e-mail without any white space, in lower
case; of a phone the last ten digits, or all of fewer; of a mobile advertising id its 32 hex digits, in
lower case.
"""

from collections.abc import Collection, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from cohortd.core.deletions import DeletionList
from cohortd.identity.digests import Digests, from_hex, sha256

#: The contact field of each list that can be compared.
DELETION_FIELDS: Final = {
    DeletionList.EMAIL: "email",
    DeletionList.PHONE: "phone",
    DeletionList.MAID: "mobile_ad_id",
}
_PHONE_DIGITS: Final = 10
_MAID_DIGITS: Final = 32


def deletion_digests(
    contacts: pa.RecordBatch, *, hashed: Collection[str]
) -> Iterator[tuple[DeletionList, npt.NDArray[np.intp], Digests]]:
    """Digest what each row carries of each field that can be compared: list, rows, digests.

    Of columns that were hashed at the source only e-mails can be: a digest of a whole phone number
    does not say what that of its last ten digits is.
    """
    for name, field in DELETION_FIELDS.items():
        if field not in contacts.schema.names or not is_comparable(name, hashed=hashed):
            continue
        rows, values = _each(contacts.column(field))
        if field in hashed:
            digests, sound = from_hex(values)
            yield name, rows[sound], digests[sound]
            continue
        standard = _STANDARD[name](values)
        there = np.asarray(pc.fill_null(pc.greater(pc.binary_length(standard), 0), fill_value=False))
        yield name, rows[there], sha256(standard.filter(pa.array(there)))


def is_comparable(name: DeletionList, *, hashed: Collection[str]) -> bool:
    """Whether what the customers table holds can be compared with a list of this kind."""
    field = DELETION_FIELDS.get(name)
    return field is not None and (field == "email" or field not in hashed)


def _each(column: pa.Array) -> tuple[npt.NDArray[np.intp], pa.Array]:
    """Take single values out of a column, of lists as well, each with its row."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0))
        rows, values = np.repeat(np.arange(len(column)), lengths), pc.list_flatten(column)
    else:
        rows, values = np.arange(len(column)), column
    there = pc.is_valid(values)
    return rows[np.asarray(there)].astype(np.intp), values.filter(there).cast(pa.large_string())


def _email(values: pa.Array) -> pa.Array:
    return pc.utf8_lower(pc.replace_substring_regex(values, r"[\s\pZ]", ""))


def _phone(values: pa.Array) -> pa.Array:
    digits = pc.replace_substring_regex(pc.utf8_normalize(values, form="NFKC"), "[^0-9]", "")
    return pc.utf8_slice_codeunits(digits, start=-_PHONE_DIGITS)


def _maid(values: pa.Array) -> pa.Array:
    digits = pc.utf8_lower(pc.replace_substring_regex(values, "[^0-9A-Fa-f]", ""))
    return pc.if_else(pc.equal(pc.binary_length(digits), _MAID_DIGITS), digits, "")


_STANDARD: Final = {DeletionList.EMAIL: _email, DeletionList.PHONE: _phone, DeletionList.MAID: _maid}

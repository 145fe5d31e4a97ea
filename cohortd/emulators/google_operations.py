"""The documented checks of an offline user data job's operations, and rows as the store keeps them."""

import re
from typing import Any, Final

from cohortd.core.payloads import digest_of
from cohortd.emulators.google_calls import Problem, RefusedError

IDENTIFIERS_PER_OPERATION: Final = 20
IDENTIFIERS_PER_REQUEST: Final = 100_000
OPERATIONS_PER_REQUEST: Final = 10_000
_JOB: Final = "offline_user_data_job_error"
_ACTIONS: Final = {"create": "add", "remove": "remove", "remove_all": "remove_all"}
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def check_request(request: Any, *, before: str, is_first: bool) -> str:
    """Check the operations as a whole and say what the job does from now on.

    Args:
        request: The vendor's message.
        before: What the job did so far: add, remove, remove_all or nothing yet.
        is_first: Whether nothing was added to the job before.

    Raises:
        RefusedError: Too much, or what does not go together.
    """
    operations = request.operations
    if len(operations) > OPERATIONS_PER_REQUEST:
        raise RefusedError("INVALID_ARGUMENT", Problem("request_error.TOO_MANY_MUTATE_OPERATIONS"))
    if sum(len(_user_data(each).user_identifiers) for each in operations) > IDENTIFIERS_PER_REQUEST:
        raise RefusedError("INVALID_ARGUMENT", Problem(f"{_JOB}.TOO_MANY_USER_IDENTIFIERS"))
    action = before
    for index, operation in enumerate(operations):
        kind = _ACTIONS[operation.WhichOneof("operation") or "create"]
        if kind == "remove_all" and (index or not is_first):
            raise RefusedError(
                "INVALID_ARGUMENT", Problem(f"{_JOB}.INVALID_OPERATION_ORDER", "operations", index)
            )
        if action not in ("", "remove_all", kind):
            raise RefusedError(
                "INVALID_ARGUMENT", Problem(f"{_JOB}.CONFLICTING_OPERATION", "operations", index)
            )
        action = kind
    return action


def problem_of(operation: Any) -> str:
    """The code of what is wrong with one operation, or nothing."""
    if operation.WhichOneof("operation") == "remove_all":
        return ""
    identifiers = _user_data(operation).user_identifiers
    if not identifiers:
        return f"{_JOB}.MISSING_USER_IDENTIFIER"
    if len(identifiers) > IDENTIFIERS_PER_OPERATION:
        return f"{_JOB}.TOO_MANY_USER_IDENTIFIERS"
    return next((code for code in map(_identifier_problem, identifiers) if code), "")


def row_of(operation: Any) -> list[str]:
    """Write a checked operation as ``kind:hex`` identifiers."""
    row = []
    for identifier in _user_data(operation).user_identifiers:
        match identifier.WhichOneof("identifier"):
            case "hashed_email":
                row.append(f"email:{identifier.hashed_email}")
            case "hashed_phone_number":
                row.append(f"phone:{identifier.hashed_phone_number}")
            case _:
                row.append(f"address:{_address_digest(identifier.address_info)}")
    return sorted(set(row))


def _user_data(operation: Any) -> Any:
    return operation.remove if operation.WhichOneof("operation") == "remove" else operation.create


def _identifier_problem(identifier: Any) -> str:
    match identifier.WhichOneof("identifier"):
        case "hashed_email":
            digests = [identifier.hashed_email]
        case "hashed_phone_number":
            digests = [identifier.hashed_phone_number]
        case "address_info":
            address = identifier.address_info
            if not re.fullmatch(r"[A-Z]{2}", address.country_code):
                return f"{_JOB}.INVALID_COUNTRY_CODE"
            if not address.postal_code:
                return f"{_JOB}.MISSING_USER_IDENTIFIER"
            digests = [address.hashed_first_name, address.hashed_last_name]
        case None:
            return f"{_JOB}.MISSING_USER_IDENTIFIER"
        case _:
            return f"{_JOB}.INCOMPATIBLE_USER_IDENTIFIER"
    return "" if all(map(_SHA256.fullmatch, digests)) else f"{_JOB}.INVALID_SHA256_FORMAT"


def _address_digest(address: Any) -> str:
    values = {
        "given_name": address.hashed_first_name,
        "family_name": address.hashed_last_name,
        "region_code": address.country_code,
        "postal_code": address.postal_code,
    }
    return digest_of(values).hex()

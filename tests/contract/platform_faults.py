"""What each trouble of the contract suite is at each stand-in."""

from cohortd.emulators.faults import Fault, FaultKind
from connectors.contract import Trouble

JOB = "offline_user_data_job_error"
#: What both APIs say alike.
GOOGLE = {
    Trouble.UNAVAILABLE: Fault(status=503),
    Trouble.INTERNAL: Fault(status="INTERNAL"),
    Trouble.TIMED_OUT: Fault(status="DEADLINE_EXCEEDED"),
    Trouble.NOT_DELIVERED: Fault(kind=FaultKind.DROP_BEFORE),
    Trouble.ANSWER_LOST: Fault(kind=FaultKind.DROP_AFTER),
    Trouble.SLOW: Fault(kind=FaultKind.DELAY, delay_s=0.01),
    Trouble.PAGE: Fault(status=502, body="<html>Bad Gateway</html>"),
    Trouble.GARBLED: Fault(status=200, body="<html>Welcome</html>"),
    Trouble.EMPTY: Fault(status=200, body="{}"),
    Trouble.CONFLICT: Fault(status="ABORTED"),
    Trouble.QUOTA: Fault(kind=FaultKind.QUOTA, retry_after_s=120),
    Trouble.TOKEN_EXPIRED: Fault(kind=FaultKind.TOKEN_EXPIRED),
    Trouble.NO_PERMISSION: Fault(status="PERMISSION_DENIED"),
    Trouble.HALF_APPLIED: Fault(kind=FaultKind.HALF_APPLY, share=0.5),
    Trouble.REFUSED: Fault(status="INVALID_ARGUMENT"),
    Trouble.WORK_FAILED: Fault(),
    Trouble.WORK_HALF_DONE: Fault(kind=FaultKind.HALF_APPLY, share=0.5),
    Trouble.WORK_LATE: Fault(kind=FaultKind.LATE, delay_s=7200),
}
DATA_MANAGER = GOOGLE | {
    Trouble.DAY_QUOTA: Fault(kind=FaultKind.QUOTA, code="PerDayPerProject", retry_after_s=7200),
    Trouble.NO_TERMS: Fault(status="FAILED_PRECONDITION", code="TERMS_AND_CONDITIONS_NOT_SIGNED"),
    Trouble.UNKNOWN_CODE: Fault(status="FAILED_PRECONDITION", code="BRAND_NEW"),
    Trouble.TOO_LARGE: Fault(status="INVALID_ARGUMENT", code="TOO_MANY_AUDIENCE_MEMBERS"),
    Trouble.ROW_REFUSED: Fault(status="INVALID_ARGUMENT", code="INVALID_SHA256_FORMAT", row=1),
    Trouble.GONE: Fault(status="INVALID_ARGUMENT", code="INVALID_USER_LIST_ID"),
}
GOOGLE_ADS = GOOGLE | {
    Trouble.CONFLICT: Fault(status="INVALID_ARGUMENT", code="database_error.CONCURRENT_MODIFICATION"),
    Trouble.DAY_QUOTA: Fault(status="RESOURCE_EXHAUSTED", code="quota_error.RESOURCE_EXHAUSTED"),
    Trouble.NO_PERMISSION: Fault(
        status="PERMISSION_DENIED", code="authorization_error.USER_PERMISSION_DENIED"
    ),
    Trouble.NO_TERMS: Fault(
        status="INVALID_ARGUMENT", code=f"{JOB}.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS"
    ),
    Trouble.UNKNOWN_CODE: Fault(status="FAILED_PRECONDITION", code="request_error.UNKNOWN"),
    Trouble.TOO_LARGE: Fault(status="INVALID_ARGUMENT", code="database_error.REQUEST_TOO_LARGE"),
    Trouble.ROW_REFUSED: Fault(status="INVALID_ARGUMENT", code=f"{JOB}.INVALID_SHA256_FORMAT", row=1),
    Trouble.GONE: Fault(status="INVALID_ARGUMENT", code=f"{JOB}.INVALID_USER_LIST_ID"),
}
META = {
    Trouble.UNAVAILABLE: Fault(status=503),
    Trouble.INTERNAL: Fault(status=500, code=1),
    Trouble.TIMED_OUT: Fault(status=504, body=""),
    Trouble.NOT_DELIVERED: Fault(kind=FaultKind.DROP_BEFORE),
    Trouble.ANSWER_LOST: Fault(kind=FaultKind.DROP_AFTER),
    Trouble.SLOW: Fault(kind=FaultKind.DELAY, delay_s=0.01),
    Trouble.PAGE: Fault(status=502, body="<html>Bad Gateway</html>"),
    Trouble.GARBLED: Fault(status=200, body="<html>Welcome</html>"),
    Trouble.EMPTY: Fault(status=200, body="{}"),
    Trouble.CONFLICT: Fault(status=400, code=2650, subcode=1870145),
    Trouble.QUOTA: Fault(kind=FaultKind.QUOTA, retry_after_s=120),
    Trouble.DAY_QUOTA: Fault(status=400, code=368),
    Trouble.TOKEN_EXPIRED: Fault(kind=FaultKind.TOKEN_EXPIRED),
    Trouble.NO_PERMISSION: Fault(status=403, code=294),
    Trouble.NO_TERMS: Fault(status=403, code=200, subcode=1870034),
    Trouble.UNKNOWN_CODE: Fault(status=400, code=77777),
    Trouble.HALF_APPLIED: Fault(kind=FaultKind.HALF_APPLY, share=0.5),
    Trouble.TOO_LARGE: Fault(status=413, body="<html>Request Entity Too Large</html>"),
    Trouble.REFUSED: Fault(status=400, code=100),
    Trouble.GONE: Fault(status=400, code=100, subcode=33),
    Trouble.NOT_YET: Fault(status=403, code=200, subcode=1870047),
}

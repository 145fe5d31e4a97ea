"""Google Ads' part of the table of errors."""

from cohortd.core.delivery import BatchState, Receipt
from cohortd.core.errors import RejectedError
from connectors.google_ads.codes import CODES, FAMILIES
from connectors.google_ads.errors import PLATFORM
from connectors.google_sayings import saying_of
from connectors.sayings import Saying, Section

_ACCEPTED = Receipt(BatchState.ACCEPTED)


def sections() -> list[Section]:
    """Google Ads' part of the table."""
    families = {f"{family}.*": rule for family, rule in FAMILIES.items()}
    return [
        Section(
            "Error codes",
            "`error_code` of a `GoogleAdsFailure`, written family and name. A code that no row names is "
            "judged by its family; of a family that is not here, at an operation it is that row's fault, "
            "elsewhere it is judged by the status. A delay in `quota_error_details` is waited.",
            [saying_of(code, rule, platform=PLATFORM) for code, rule in {**CODES, **families}.items()],
        ),
        Section(
            "Operations that fell out",
            "`partial_failure_error` and `warning` of an answer to operations.",
            [
                Saying("some operations", "these rows are at fault", Receipt(BatchState.ACCEPTED)),
                Saying("every operation", "all rows are at fault", RejectedError("x", rows={0: "x"})),
                Saying("a warning", "a malformed value, taken all the same", _ACCEPTED),
            ],
        ),
        Section(
            "States of a job",
            "`offline_user_data_job.status`, asked for by a query.",
            [
                Saying("UNSPECIFIED, UNKNOWN, PENDING", "it has not begun", _ACCEPTED, of_poll=True),
                Saying("RUNNING", "Google works on it", _ACCEPTED, of_poll=True),
                Saying(
                    "SUCCESS",
                    "it is done; also said where every row was left out on the way",
                    Receipt(BatchState.CONFIRMED),
                    of_poll=True,
                ),
                Saying(
                    "FAILED",
                    "it failed, a part may be done; Google's reasons are about store sales only",
                    Receipt(BatchState.REJECTED, fault="Google's job failed"),
                    of_poll=True,
                ),
                Saying("not found", "Google forgot the job", RejectedError("x"), of_poll=True),
            ],
        ),
    ]

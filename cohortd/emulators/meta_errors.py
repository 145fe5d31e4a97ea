"""The errors of Meta's Graph API as its documents write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class GraphError(Exception):
    """One error answer."""

    code: int
    message: str
    subcode: int | None = None
    status: int = 400
    type: str = "OAuthException"
    is_transient: bool = False
    title: str = ""
    user_message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def envelope(self, trace: str) -> dict[str, object]:
        """The body of the answer."""
        error: dict[str, object] = {
            "message": f"(#{self.code}) {self.message}",
            "type": self.type,
            "code": self.code,
            "fbtrace_id": trace,
        }
        optional = {
            "error_subcode": self.subcode,
            "is_transient": self.is_transient or None,
            "error_user_title": self.title or None,
            "error_user_msg": self.user_message or None,
        }
        error.update({key: value for key, value in optional.items() if value is not None})
        return {"error": error}


def not_there(method: str, object_id: str) -> GraphError:
    """No such object, or no permission: Meta does not say which."""
    return GraphError(
        100,
        f"Unsupported {method.lower()} request. Object with ID '{object_id}' does not exist, cannot be "
        "loaded due to missing permissions, or does not support this operation. Please read the Graph API "
        "documentation at https://developers.facebook.com/docs/graph-api",
        subcode=33,
        type="GraphMethodException",
    )


def invalid(message: str) -> GraphError:
    """A parameter that is not as documented."""
    return GraphError(100, message)


def mismatch() -> GraphError:
    """A payload that does not fit its own schema."""
    return invalid("Data is missing or does not match schema")


def expired_token() -> GraphError:
    """The token was good once."""
    return GraphError(190, "Error validating access token: Session has expired.", subcode=463, status=401)


def bad_token() -> GraphError:
    """The token never was good."""
    return GraphError(190, "Invalid OAuth access token - Cannot parse access token", status=401)


def missing_proof() -> GraphError:
    """The app demands signed calls."""
    return invalid("API calls from the server require an appsecret_proof argument")


def terms_not_accepted(account: str) -> GraphError:
    """Nobody accepted the terms for this account."""
    return GraphError(
        200,
        "Permissions error",
        subcode=1870034,
        status=403,
        title="Custom Audience Terms Not Accepted",
        user_message="You'll need to agree to the Custom Audience terms before you can create or edit an "
        "audience. "
        f"https://business.facebook.com/ads/manage/customaudiences/tos/?act={account.removeprefix('act_')}",
    )


def upload_blocked() -> GraphError:
    """The audience's name, description or rule was flagged."""
    return GraphError(100, "Invalid parameter", subcode=1713230, title="Audience Upload Blocked")


def edit_blocked() -> GraphError:
    """As above, for changes to the audience itself."""
    return GraphError(100, "Invalid parameter", subcode=1713228, title="Audience Edit Blocked")


def too_small_to_remove() -> GraphError:
    """Too few people would stay."""
    return GraphError(
        200,
        "Permissions error",
        subcode=1870047,
        status=403,
        title="Audience Size too Low",
        user_message="You cannot remove users from this audience because it is too small.",
    )


def replace_running() -> GraphError:
    """The audience's members are being replaced, or it is not in its normal state."""
    return GraphError(
        2650, "Failed to update the custom audience", subcode=1870145, title="Audience Update In Progress"
    )


def replace_not_begun() -> GraphError:
    """A batch of a replacement came before the first one."""
    return GraphError(
        2650, "Failed to update the custom audience", subcode=1870147, title="First Batch Not Detected"
    )


def replace_timed_out() -> GraphError:
    """The replacement took too long; the audience holds what came in time."""
    return GraphError(
        2650, "Failed to update the custom audience", subcode=1870158, title="Replace Session Timed Out"
    )


def replace_over() -> GraphError:
    """The last batch of the replacement was seen already."""
    return GraphError(
        2650, "Failed to update the custom audience", subcode=1870159, title="Replace Session Finished"
    )


def other_data_source() -> GraphError:
    """Single-key and multi-key uploads do not mix in one audience."""
    return GraphError(
        2650, "Failed to update the custom audience: the audience does not support data source"
    )


def over_quota(account: str, *, minutes: int) -> GraphError:
    """Too many calls to custom audiences of this account within the hour."""
    return GraphError(
        80003,
        "There have been too many calls to this ad-account. Wait a bit and try again.",
        subcode=2446079,
        headers={"X-Business-Use-Case-Usage": usage_header(account, percent=100, minutes=minutes)},
    )


def usage_header(account: str, *, percent: int, minutes: int = 0) -> str:
    """The business use case header of one ad account."""
    return (
        f'{{"{account.removeprefix("act_")}":[{{"type":"custom_audience","call_count":{percent},'
        f'"total_cputime":1,"total_time":1,"estimated_time_to_regain_access":{minutes},'
        '"ads_api_access_tier":"standard_access"}]}'
    )

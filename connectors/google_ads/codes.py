"""What each error code of the Google Ads API means for us, as one table.

A code is written as its enum's field in ``ErrorCode`` and its name: ``quota_error.RESOURCE_EXHAUSTED``.
Unknown codes are judged by their family, then by the status they came with; one that is bound to an
operation is that row's fault.

Source: ``google.ads.googleads.v26.errors`` of google-ads 34.0.0 and
developers.google.com/google-ads/api/docs/best-practices/error-types.
"""

from collections.abc import Mapping
from typing import Final

from connectors.google_ads.options import SCOPE
from connectors.google_errors import (
    ACCESS,
    LIST,
    MEMBERSHIP,
    NAME,
    OURS,
    POLITICAL,
    TERMS,
    Rule,
    Verdict,
    batch,
    busy,
    retry,
    row,
    stop_audience,
    stop_destination,
)

CREDENTIALS: Final = f"Give cohortd credentials that cover the scope {SCOPE}."
_NOT_ALLOWED = (
    "Google takes Customer Match uploads here only from those who did so before April 2026: "
    "set the destination's platform to google_data_manager."
)
_PROJECT = "Mend the access of the credentials' Cloud project to the Google Ads API (API Center)."
_NUMBER = "Mend account_id: it must be the number of the Google Ads account that owns the audiences."
_LOGIN = "Mend login_account_id: it must be the number of the manager account above the account."
_ENROL = "Enrol the credentials' user in it, or use a service account."
_OWN = "Give cohortd credentials of a user who has access to Google Ads."
_FULL = "Delete audiences that nobody uses in Google Ads."

_DAY = Rule(Verdict.QUOTA_DAY, "a day's quota is used up")
_MINUTE = Rule(Verdict.QUOTA_MINUTE, "a quota is used up")
_TOKEN = Rule(Verdict.TOKEN, "Google does not take the access token", CREDENTIALS)
_DEAD = stop_destination("the credentials were withdrawn", CREDENTIALS)
_USER = stop_destination("the credentials' user has no Google Ads", _OWN)
_REMOVED_USER = stop_destination("the credentials' user was deleted", _OWN)
_ORGANIZATION = stop_destination("the Cloud project's organization is not approved", _PROJECT)
_NO_PROJECT = stop_destination("the Cloud project may not use the API", _PROJECT)
_DENIED = stop_destination("the credentials may not use the account", ACCESS)
_INSIDE = retry("Google failed inside")
_GONE = Rule(Verdict.GONE, "there is no such audience", LIST)
_FOREIGN = stop_audience("audiences of this kind cannot be changed", LIST)

CODES: Final[Mapping[str, Rule]] = {
    "internal_error.INTERNAL_ERROR": _INSIDE,
    "internal_error.TRANSIENT_ERROR": retry("Google has a passing trouble"),
    "internal_error.DEADLINE_EXCEEDED": retry("Google did not answer in time"),
    "database_error.CONCURRENT_MODIFICATION": busy("another change of the audience was under way"),
    "database_error.DATA_CONSTRAINT_VIOLATION": busy("another change of the audience was under way"),
    "database_error.REQUEST_TOO_LARGE": batch("the request is too large"),
    "size_limit_error.REQUEST_SIZE_LIMIT_EXCEEDED": batch("the request is too large"),
    "request_error.TOO_MANY_MUTATE_OPERATIONS": batch("more than 10,000 operations in a request"),
    "request_error.RPC_DEADLINE_TOO_SHORT": retry("the time to answer was too short (timeout_s)"),
    "request_error.INVALID_PAGE_TOKEN": retry("a page is no longer there; the query is begun anew"),
    "request_error.EXPIRED_PAGE_TOKEN": retry("a page is no longer there; the query is begun anew"),
    "quota_error.RESOURCE_TEMPORARILY_EXHAUSTED": _MINUTE,
    "quota_error.RESOURCE_EXHAUSTED": _DAY,
    "quota_error.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION": _MINUTE,
    "quota_error.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION": _DAY,
    "quota_error.ACCESS_PROHIBITED": _NO_PROJECT,
    "authentication_error.OAUTH_TOKEN_EXPIRED": _TOKEN,
    "authentication_error.OAUTH_TOKEN_INVALID": _TOKEN,
    "authentication_error.OAUTH_TOKEN_REVOKED": _DEAD,
    "authentication_error.OAUTH_TOKEN_DISABLED": _DEAD,
    "authentication_error.CUSTOMER_NOT_FOUND": stop_destination("there is no such account", _NUMBER),
    "authentication_error.CLIENT_CUSTOMER_ID_INVALID": stop_destination("the account id is none", _NUMBER),
    "authentication_error.NOT_ADS_USER": _USER,
    "authentication_error.USER_ID_INVALID": _USER,
    "authentication_error.GOOGLE_ACCOUNT_DELETED": _REMOVED_USER,
    "authentication_error.TWO_STEP_VERIFICATION_NOT_ENROLLED": stop_destination(
        "the credentials' user has no two-step verification", _ENROL
    ),
    "authentication_error.ADVANCED_PROTECTION_NOT_ENROLLED": stop_destination(
        "the credentials' user is not in the Advanced Protection Program", _ENROL
    ),
    "authentication_error.ORGANIZATION_NOT_RECOGNIZED": _ORGANIZATION,
    "authentication_error.ORGANIZATION_NOT_APPROVED": _ORGANIZATION,
    "authentication_error.ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN": _ORGANIZATION,
    "authentication_error.DEVELOPER_TOKEN_INVALID": stop_destination(
        "the developer token is none", "Leave developer_token out: it is not needed since September 2026."
    ),
    "authorization_error.USER_PERMISSION_DENIED": _DENIED,
    "authorization_error.ACTION_NOT_PERMITTED": _DENIED,
    "authorization_error.SERVICE_ACCESS_DENIED": _NO_PROJECT,
    "authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": stop_destination(
        "the Cloud project has access to test accounts only", _PROJECT
    ),
    "authorization_error.CLOUD_PROJECT_NOT_UNDER_ORGANIZATION": _ORGANIZATION,
    "authorization_error.PROJECT_DISABLED": stop_destination(
        "the API is switched off in the Cloud project", _PROJECT
    ),
    "authorization_error.MISSING_TOS": stop_destination(
        "the terms of the Google Ads API are not accepted", "Accept the terms of the Google Ads API."
    ),
    "authorization_error.INCOMPLETE_SIGNUP": stop_destination(
        "the account was never set up to its end", "Finish the account's sign-up in Google Ads."
    ),
    "authorization_error.INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION": stop_destination(
        "the account is not under the login account", _LOGIN
    ),
    "authorization_error.ACCESS_DENIED_FOR_ACCOUNT_TYPE": stop_destination(
        "accounts of this kind have no such audiences", _NUMBER
    ),
    "authorization_error.CUSTOMER_NOT_ENABLED": stop_destination(
        "the account is closed or never began", "Re-activate the account in Google Ads."
    ),
    "authorization_error.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": stop_destination(
        "the account is suspended", "Settle the suspension with Google first."
    ),
    "request_error.INVALID_CUSTOMER_ID": stop_destination("the account id is none", _NUMBER),
    "request_error.CANNOT_BE_EXECUTED_BY_MANAGER_ACCOUNT": stop_destination(
        "a manager account cannot do this", _NUMBER
    ),
    "request_error.LOGIN_CUSTOMER_ID_PARAMETER_MISSING": stop_destination(
        "access is through a manager account, which is not named", _LOGIN
    ),
    "request_error.DEVELOPER_TOKEN_PARAMETER_MISSING": stop_destination(
        "Google wants a developer token after all", "Set developer_token for this destination."
    ),
    "request_error.CLOUD_PROJECT_NOT_FOUND": _NO_PROJECT,
    "request_error.UNSUPPORTED_VERSION": Rule(
        Verdict.UNKNOWN_CALL,
        "Google switched this version of its API off",
        "Set a newer api_version, or install a newer cohortd.",
    ),
    "header_error.INVALID_LOGIN_CUSTOMER_ID": stop_destination("the login account is none", _LOGIN),
    "not_allowlisted_error.CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE": stop_destination(
        "the account may no longer upload here", _NOT_ALLOWED
    ),
    "user_data_error.OPERATIONS_FOR_CUSTOMER_MATCH_NOT_ALLOWED": stop_destination(
        "the account may no longer upload here", _NOT_ALLOWED
    ),
    "user_list_error.ADVERTISER_NOT_ON_ALLOWLIST_FOR_USING_UPLOADED_DATA": stop_destination(
        "the account may not use Customer Match",
        "See the account's policy and payment history requirements of Customer Match.",
    ),
    "user_list_error.ADVERTISER_TOS_NOT_ACCEPTED": stop_destination(
        "the terms of service are not accepted", TERMS
    ),
    "mutate_error.EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": stop_destination(
        "the EU political advertising declaration is missing", POLITICAL
    ),
    "offline_user_data_job_error.CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS": stop_destination(
        "the customer data terms are not accepted, or consent was denied", TERMS
    ),
    "offline_user_data_job_error.NOT_ON_ALLOWLIST_FOR_USER_ID": stop_destination(
        "the account may not upload user ids", OURS
    ),
    "offline_user_data_job_error.OPERATION_LEVEL_CONSENT_PROVIDED": stop_destination(
        "consent was given for an operation, not for the job", OURS
    ),
    "user_list_error.NAME_ALREADY_USED": Rule(Verdict.NAME_TAKEN, "the name belongs to another audience"),
    "mutate_error.RESOURCE_ALREADY_EXISTS": Rule(
        Verdict.NAME_TAKEN, "the name belongs to another audience"
    ),
    "user_list_error.INVALID_NAME": stop_audience("the name is not taken", NAME),
    "user_list_error.INVALID_DESCRIPTION": stop_audience("the description is not taken", NAME),
    "user_list_error.USERLIST_NAME_IS_RESERVED_FOR_SYSTEM_LIST": stop_audience(
        "the name is reserved for Google's own", NAME
    ),
    "user_list_error.OWNERSHIP_REQUIRED_FOR_SET": stop_audience(
        "the audience belongs to another account", LIST
    ),
    "user_list_error.USER_LIST_MUTATE_NOT_SUPPORTED": _FOREIGN,
    "user_list_error.EXTERNAL_REMARKETING_USER_LIST_MUTATE_NOT_SUPPORTED": _FOREIGN,
    "user_list_error.CANNOT_MUTATE_SYSTEM_LIST": _FOREIGN,
    "user_list_error.INVALID_TYPE": _FOREIGN,
    "user_list_error.CAN_NOT_MUTATE_SENSITIVE_USERLIST": stop_audience(
        "Google holds the audience for sensitive", "Give its segment another name, and appeal to Google."
    ),
    "mutate_error.MUTATE_NOT_ALLOWED": _FOREIGN,
    "mutate_error.RESOURCE_READ_ONLY": _FOREIGN,
    "range_error.TOO_HIGH": stop_audience("members cannot be kept that long", MEMBERSHIP),
    "resource_count_limit_exceeded_error.ACCOUNT_LIMIT": stop_audience("the account is full", _FULL),
    "resource_count_limit_exceeded_error.RESOURCE_LIMIT": stop_audience("the account is full", _FULL),
    "mutate_error.RESOURCE_NOT_FOUND": _GONE,
    "request_error.RESOURCE_NOT_FOUND": _GONE,
    "request_error.RESOURCE_NAME_MALFORMED": stop_audience("the audience's id is none", LIST),
    "request_error.BAD_RESOURCE_ID": stop_audience("the audience's id is none", LIST),
    "offline_user_data_job_error.INVALID_USER_LIST_ID": _GONE,
    "offline_user_data_job_error.INVALID_USER_LIST_TYPE": stop_audience(
        "it is no Customer Match audience of contact fields", LIST
    ),
    "user_data_error.USER_LIST_NOT_APPLICABLE": stop_audience(
        "it is no Customer Match audience of contact fields", LIST
    ),
    "offline_user_data_job_error.INCOMPATIBLE_UPLOAD_KEY_TYPE": stop_audience(
        "the audience takes other fields", LIST
    ),
    "offline_user_data_job_error.REMOVE_NOT_SUPPORTED": stop_audience(
        "nobody can be removed from this audience", LIST
    ),
    "offline_user_data_job_error.JOB_ALREADY_STARTED": Rule(Verdict.STARTED, "the job runs already"),
    "offline_user_data_job_error.CONFLICTING_OPERATION": batch("adds and removals in one job"),
    "offline_user_data_job_error.INVALID_OPERATION_ORDER": batch("operations in an order that is none"),
    "offline_user_data_job_error.TOO_MANY_USER_IDENTIFIERS": batch(
        "more than 20 identifiers in an operation or 100,000 in a request"
    ),
    "user_data_error.TOO_MANY_USER_IDENTIFIERS": batch("too many identifiers in a request"),
    "offline_user_data_job_error.INVALID_SHA256_FORMAT": row("a digest is no SHA-256"),
    "offline_user_data_job_error.MISSING_USER_IDENTIFIER": row("a row holds no identifier"),
    "offline_user_data_job_error.INCOMPATIBLE_USER_IDENTIFIER": row("an identifier of the wrong kind"),
    "offline_user_data_job_error.CUSTOMER_IDENTIFIER_NOT_ALLOWED": row("an identifier of the wrong kind"),
    "offline_user_data_job_error.MOBILE_ID_NOT_SUPPORTED": row("an identifier of the wrong kind"),
    "offline_user_data_job_error.INVALID_COUNTRY_CODE": row("a country is no ISO 3166 code"),
    "offline_user_data_job_error.INVALID_MOBILE_ID_FORMAT": row("a mobile id is not of its form"),
    "offline_user_data_job_error.INVALID_ENCODING": row("a digest is not encoded as it should be"),
}

#: Families whose other members are not the row's or the audience's fault.
FAMILIES: Final[Mapping[str, Rule]] = {
    "authentication_error": stop_destination("Google does not take the credentials", CREDENTIALS),
    "authorization_error": _DENIED,
    "header_error": stop_destination("the login account is none", _LOGIN),
    "operation_access_denied_error": _DENIED,
    "resource_access_denied_error": _DENIED,
    "not_allowlisted_error": stop_destination("the account may not use this", _NOT_ALLOWED),
    "quota_error": _DAY,
    "query_error": batch("the query is not understood; a simpler one is tried where there is one"),
}

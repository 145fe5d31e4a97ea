"""What each error reason of the Data Manager API means for us, as one table.

The enum is "not frozen": a reason that is not in the table is judged by the status it came with
(``google_errors.STATUSES``), and is permanent where that is no help.

Source: ``google.ads.datamanager_v1.types.error`` 0.9.4 and
developers.google.com/data-manager/api/devguides/concepts/understand-errors.
"""

from collections.abc import Mapping
from typing import Final

from connectors.google_data_manager.options import SCOPE
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
    retry,
    row,
    stop_audience,
    stop_destination,
)

CREDENTIALS: Final = f"Give cohortd credentials that cover the scope {SCOPE}."
_ALLOWLIST = (
    "See the account's policy and payment history requirements of Customer Match, or ask your Google "
    "representative."
)
_ENABLE = "Enable the Data Manager API in the credentials' Cloud project (APIs and services)."
_PARTNER = "Use credentials of the advertiser or of its manager account, not of a data partner."
_NUMBER = "Mend account_id: it must be the number of a Google Ads account."

REASONS: Final[Mapping[str, Rule]] = {
    "INTERNAL_ERROR": retry("Google failed inside"),
    "DEADLINE_EXCEEDED": retry("Google did not answer in time"),
    "INVALID_PAGE_TOKEN": retry("a page of the list is no longer there; the list is begun anew"),
    "RESOURCE_EXHAUSTED": Rule(Verdict.QUOTA_MINUTE, "a quota is used up"),
    "REQUIRED_FIELD_MISSING": row("a needed field is empty, or part of an address is"),
    "INVALID_FORMAT": row("a value is not of its form"),
    "INVALID_HEX_ENCODING": row("a digest is not hexadecimal"),
    "INVALID_BASE64_ENCODING": row("a digest is not Base64"),
    "INVALID_SHA256_FORMAT": row("a digest is no SHA-256"),
    "INVALID_POSTAL_CODE": row("a postal code is not of its form"),
    "INVALID_COUNTRY_CODE": row("a country is no ISO 3166 code"),
    "INVALID_REGION_CODE": row("a region is no ISO 3166 code"),
    "INVALID_AUDIENCE_MEMBER": row("a row is no member"),
    "TOO_MANY_USER_IDENTIFIERS": row("a row holds more than 10 identifiers"),
    "INVALID_MOBILE_ID_FORMAT": row("a mobile id is not of its form"),
    "NO_IDENTIFIERS_PROVIDED": row("a row holds no identifier"),
    "THIRD_PARTY_USER_DATA_NOT_ALLOWED": row("a row holds data of a third party"),
    "INVALID_ARGUMENT": batch("Google does not take the request, and does not say why"),
    "TOO_MANY_AUDIENCE_MEMBERS": batch("more than 10,000 rows"),
    "TOO_MANY_ELEMENTS": batch("a list in the request is too long"),
    "TOO_FEW_ELEMENTS": batch("a list in the request is too short"),
    "MULTIPLE_DATA_TYPES_NOT_ALLOWED": batch("rows of different kinds in one request"),
    "INVALID_FILTER": batch("the filter is not understood; the whole list is read instead"),
    "DISPLAY_NAME_ALREADY_USED": Rule(Verdict.NAME_TAKEN, "the name belongs to another audience"),
    "ALREADY_EXISTS": Rule(Verdict.NAME_TAKEN, "the name belongs to another audience"),
    "INVALID_REQUEST_ID": Rule(Verdict.FORGOTTEN, "Google knows no such request"),
    "REQUEST_TOO_OLD": Rule(Verdict.FORGOTTEN, "Google keeps a request's status for 50 days only"),
    "NOT_FOUND": Rule(Verdict.GONE, "there is no such audience", LIST),
    "INVALID_USER_LIST_ID": Rule(Verdict.GONE, "there is no such audience", LIST),
    "INVALID_USER_LIST_TYPE": stop_audience("it is no Customer Match audience of contact fields", LIST),
    "INVALID_DESTINATION": stop_audience("the audience takes no members, or is not this account's", LIST),
    "INVALID_RESOURCE_NAME": stop_audience("the audience's id is none", LIST),
    "OWNERSHIP_REQUIRED_FOR_UPDATE": stop_audience("the audience belongs to another account", LIST),
    "USER_LIST_MUTATION_NOT_SUPPORTED": stop_audience("audiences of this kind cannot be changed", LIST),
    "DATA_PARTNER_USER_LIST_MUTATE_NOT_ALLOWED": stop_audience(
        "the audience belongs to a data partner", LIST
    ),
    "UNSUPPORTED_USER_LIST_UPLOAD_KEY_TYPES": stop_audience("the audience takes other fields", LIST),
    "UNSUPPORTED_INGESTED_USER_LIST_INFO_CONFIG": stop_audience("the audience takes other fields", LIST),
    "SENSITIVE_USER_LIST_IMMUTABLE": stop_audience(
        "Google holds the audience for sensitive", "Give its segment another name, and appeal to Google."
    ),
    "INVALID_DISPLAY_NAME": stop_audience("the name is not taken", NAME),
    "INVALID_DESCRIPTION": stop_audience("the description is not taken", NAME),
    "USER_LIST_NAME_RESERVED": stop_audience("the name is reserved for Google's own", NAME),
    "FIELD_VALUE_TOO_LONG": stop_audience("the name or description is too long", NAME),
    "FIELD_VALUE_TOO_SHORT": stop_audience("the name or description is too short", NAME),
    "MEMBERSHIP_DURATION_TOO_LONG": stop_audience("members cannot be kept that long", MEMBERSHIP),
    "IMMUTABLE_FIELD_FOR_UPDATE": stop_audience("what should be changed cannot be", OURS),
    "INVALID_UPDATE_MASK": stop_audience("what should be changed cannot be", OURS),
    "PERMISSION_DENIED": stop_destination("the credentials may not use the account", ACCESS),
    "NOT_ALLOWLISTED": stop_destination("the account may not use this yet", _ALLOWLIST),
    "ADVERTISER_NOT_ALLOWLISTED_FOR_UPLOADED_DATA": stop_destination(
        "the account may not use Customer Match yet", _ALLOWLIST
    ),
    "USER_LIST_TYPE_NOT_SUPPORTED_FOR_ACCOUNT": stop_destination(
        "the account may not have Customer Match audiences", _ALLOWLIST
    ),
    "UNSUPPORTED_ACCOUNT_TYPES_FOR_USER_LIST_TYPE": stop_destination(
        "accounts of this kind have no such audiences", _NUMBER
    ),
    "DESTINATION_ACCOUNT_TYPE_MISMATCH": stop_destination("it is no Google Ads account", _NUMBER),
    "MISMATCHED_ACCOUNT_TYPE": stop_destination("it is no Google Ads account", _NUMBER),
    "OPERATING_ACCOUNT_LOGIN_ACCOUNT_MISMATCH": stop_destination(
        "the account is not under the login account", ACCESS
    ),
    "DIFFERENT_LOGIN_ACCOUNTS_NOT_ALLOWED_FOR_DATA_PARTNER": stop_destination(
        "the credentials are a data partner's", _PARTNER
    ),
    "UNSUPPORTED_OPERATING_ACCOUNT_FOR_DATA_PARTNER": stop_destination(
        "the credentials are a data partner's", _PARTNER
    ),
    "UNSUPPORTED_LINKED_ACCOUNT_FOR_DATA_PARTNER": stop_destination(
        "the credentials are a data partner's", _PARTNER
    ),
    "LINKED_ACCOUNT_ONLY_ALLOWED_WITH_DATA_PARTNER_LOGIN_ACCOUNT": stop_destination(
        "the access path is none", ACCESS
    ),
    "TERMS_AND_CONDITIONS_NOT_SIGNED": stop_destination("the customer data terms are not accepted", TERMS),
    "ADVERTISER_TOS_NOT_ACCEPTED": stop_destination("the terms of service are not accepted", TERMS),
    "EU_POLITICAL_ADVERTISING_DECLARATION_REQUIRED": stop_destination(
        "the EU political advertising declaration is missing", POLITICAL
    ),
    "INVALID_ENUM_VALUE": stop_destination("a value of the request is unknown to Google", OURS),
    "TOO_MANY_DESTINATIONS": stop_destination("more than 10 destinations in a request", OURS),
    "DUPLICATE_DESTINATION_REFERENCE": stop_destination("a destination is named twice", OURS),
    "INVALID_REMOVE_AS_OF_TIME": stop_destination("the time of a removal is none", OURS),
}

#: Google's own, common to all its APIs (google.api.ErrorReason).
COMMON: Final[Mapping[str, Rule]] = {
    "RATE_LIMIT_EXCEEDED": Rule(Verdict.QUOTA_MINUTE, "a quota is used up"),
    "SERVICE_DISABLED": stop_destination("the API is switched off in the Cloud project", _ENABLE),
    "BILLING_DISABLED": stop_destination(
        "the Cloud project has no billing", "Enable billing in the credentials' Cloud project."
    ),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": stop_destination("the token lacks the scope", CREDENTIALS),
    "ACCESS_TOKEN_EXPIRED": Rule(Verdict.TOKEN, "the access token has expired", CREDENTIALS),
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": stop_destination("the token is of the wrong kind", CREDENTIALS),
    "CREDENTIALS_MISSING": stop_destination("no credentials came along", CREDENTIALS),
    "ACCOUNT_STATE_INVALID": stop_destination(
        "the credentials' user is switched off or deleted", CREDENTIALS
    ),
    "USER_PROJECT_DENIED": stop_destination("the credentials may not use the Cloud project", ACCESS),
}

#: What a row is at fault for while an accepted request is processed (ProcessingErrorReason); sending it
#: again would change nothing. Every other reason, those newer than this list included, is taken for a
#: fault of Google's. Most reasons are about events only.
OF_ROWS: Final[Mapping[str, str]] = {
    "DENIED_CONSENT": "the person's consent is denied",
    "NO_CONSENT": "no consent came with the row",
    "UNKNOWN_CONSENT": "the row's consent is none Google knows",
    "INVALID_FORMAT": "a value is not of its form",
    "INVALID_MOBILE_ID_FORMAT": "a mobile id is not of its form",
    "USER_ID_NOT_FOUND": "Google knows no such user id",
}
#: What Google, or the way to it, is at fault for.
OF_GOOGLE: Final[Mapping[str, str]] = {
    "INTERNAL_ERROR": "Google failed inside",
    "DECRYPTION_ERROR": "encrypted rows could not be read; cohortd sends none",
    "DEK_DECRYPTION_ERROR": "encrypted rows could not be read; cohortd sends none",
    "USER_IDENTIFIER_DECRYPTION_ERROR": "encrypted rows could not be read; cohortd sends none",
    "INVALID_WIP": "encrypted rows could not be read; cohortd sends none",
    "INVALID_KEK": "encrypted rows could not be read; cohortd sends none",
    "WIP_AUTH_FAILED": "encrypted rows could not be read; cohortd sends none",
    "KEK_PERMISSION_DENIED": "encrypted rows could not be read; cohortd sends none",
    "AWS_AUTH_FAILED": "encrypted rows could not be read; cohortd sends none",
}

"""What a fault schedule calls the calls that the stand-ins answer, and the statuses it may name."""

from collections.abc import Mapping
from typing import Final

_DM: Final = "Data Manager"
_ADS: Final = "Google Ads"
_META: Final = "Meta"

#: Name -> the platform and how the call stands on the wire.
CALLS: Final[Mapping[str, tuple[str, str]]] = {
    "dm.audience_members.ingest": (_DM, "`POST /v1/audienceMembers:ingest`"),
    "dm.audience_members.remove": (_DM, "`POST /v1/audienceMembers:remove`"),
    "dm.audience_members.remove_all": (_DM, "`POST /v1/audienceMembers:removeAll`"),
    "dm.request_status.retrieve": (_DM, "`GET /v1/requestStatus:retrieve`"),
    "dm.user_lists.create": (_DM, "`POST /v1/{account}/userLists`"),
    "dm.user_lists.get": (_DM, "`GET /v1/{account}/userLists/{id}`"),
    "dm.user_lists.list": (_DM, "`GET /v1/{account}/userLists`"),
    "dm.user_lists.update": (_DM, "`PATCH /v1/{account}/userLists/{id}`"),
    "dm.user_lists.delete": (_DM, "`DELETE /v1/{account}/userLists/{id}`"),
    "dm.processing": (_DM, "no call: accepted work, when its turn comes"),
    "ads.user_lists.mutate": (_ADS, "`UserListService/MutateUserLists`"),
    "ads.jobs.create": (_ADS, "`OfflineUserDataJobService/CreateOfflineUserDataJob`"),
    "ads.jobs.add": (_ADS, "`OfflineUserDataJobService/AddOfflineUserDataJobOperations`"),
    "ads.jobs.run": (_ADS, "`OfflineUserDataJobService/RunOfflineUserDataJob`"),
    "ads.search": (_ADS, "`GoogleAdsService/Search`"),
    "ads.search_stream": (_ADS, "`GoogleAdsService/SearchStream`"),
    "ads.processing": (_ADS, "no call: a job, when its turn comes"),
    "account.read": (_META, "`GET /{version}/act_{account}`"),
    "permissions.read": (_META, "`GET /{version}/me/permissions`"),
    "audiences.list": (_META, "`GET /{version}/act_{account}/customaudiences`"),
    "audiences.create": (_META, "`POST /{version}/act_{account}/customaudiences`"),
    "audiences.read": (_META, "`GET /{version}/{audience}`"),
    "audiences.update": (_META, "`POST /{version}/{audience}`"),
    "audiences.delete": (_META, "`DELETE /{version}/{audience}`"),
    "users.add": (_META, "`POST /{version}/{audience}/users`"),
    "users.remove": (_META, "`DELETE /{version}/{audience}/users`, or `POST` with `method=delete`"),
}

#: HTTP status -> gRPC status, as Google maps them.
STATUS_OF_HTTP: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
HTTP_OF_STATUS: Final = {
    **{name: number for number, name in STATUS_OF_HTTP.items()},
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "ALREADY_EXISTS": 409,
    "DATA_LOSS": 500,
    "UNKNOWN": 500,
}

"""What a fault schedule calls the calls that the stand-ins answer, and the statuses it may name."""

from collections.abc import Mapping
from typing import Final

DATA_MANAGER: Final = "Data Manager"
GOOGLE_ADS: Final = "Google Ads"
META: Final = "Meta"

#: Name -> the platform and how the call stands on the wire.
CALLS: Final[Mapping[str, tuple[str, str]]] = {
    "dm.audience_members.ingest": (DATA_MANAGER, "`POST /v1/audienceMembers:ingest`"),
    "dm.audience_members.remove": (DATA_MANAGER, "`POST /v1/audienceMembers:remove`"),
    "dm.audience_members.remove_all": (DATA_MANAGER, "`POST /v1/audienceMembers:removeAll`"),
    "dm.request_status.retrieve": (DATA_MANAGER, "`GET /v1/requestStatus:retrieve`"),
    "dm.user_lists.create": (DATA_MANAGER, "`POST /v1/{account}/userLists`"),
    "dm.user_lists.get": (DATA_MANAGER, "`GET /v1/{account}/userLists/{id}`"),
    "dm.user_lists.list": (DATA_MANAGER, "`GET /v1/{account}/userLists`"),
    "dm.user_lists.update": (DATA_MANAGER, "`PATCH /v1/{account}/userLists/{id}`"),
    "dm.user_lists.delete": (DATA_MANAGER, "`DELETE /v1/{account}/userLists/{id}`"),
    "dm.processing": (DATA_MANAGER, "no call: accepted work, when its turn comes"),
    "ads.user_lists.mutate": (GOOGLE_ADS, "`UserListService/MutateUserLists`"),
    "ads.jobs.create": (GOOGLE_ADS, "`OfflineUserDataJobService/CreateOfflineUserDataJob`"),
    "ads.jobs.add": (GOOGLE_ADS, "`OfflineUserDataJobService/AddOfflineUserDataJobOperations`"),
    "ads.jobs.run": (GOOGLE_ADS, "`OfflineUserDataJobService/RunOfflineUserDataJob`"),
    "ads.search": (GOOGLE_ADS, "`GoogleAdsService/Search`"),
    "ads.search_stream": (GOOGLE_ADS, "`GoogleAdsService/SearchStream`"),
    "ads.processing": (GOOGLE_ADS, "no call: a job, when its turn comes"),
    "account.read": (META, "`GET /{version}/act_{account}`"),
    "permissions.read": (META, "`GET /{version}/me/permissions`"),
    "audiences.list": (META, "`GET /{version}/act_{account}/customaudiences`"),
    "audiences.create": (META, "`POST /{version}/act_{account}/customaudiences`"),
    "audiences.read": (META, "`GET /{version}/{audience}`"),
    "audiences.update": (META, "`POST /{version}/{audience}`"),
    "audiences.delete": (META, "`DELETE /{version}/{audience}`"),
    "users.add": (META, "`POST /{version}/{audience}/users`"),
    "users.replace": (META, "`POST /{version}/{audience}/usersreplace`"),
    "users.remove": (META, "`DELETE /{version}/{audience}/users`, or `POST` with `method=delete`"),
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

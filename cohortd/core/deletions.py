"""The deletion lists of California's DROP, the Delete Request and Opt-out Platform for data brokers."""

from enum import IntEnum, StrEnum


class DeletionList(StrEnum):
    """By which identifier a list names its people, as its files' names say it."""

    EMAIL = "Email"
    PHONE = "Phone"
    MAID = "MAID"
    CTVID = "CTVID"
    NDZ = "NDZ"
    NAME_VIN = "NameVIN"


class DeletionStatus(IntEnum):
    """What a data broker answers to a work item."""

    #: Somebody was found, and the law exempts all that is held of them.
    EXEMPT = 2
    #: Somebody was found, and what is held of them was deleted.
    DELETED = 3
    #: Several people have the identifier, and all of them were opted out.
    OPTED_OUT = 4
    NOT_FOUND = 5

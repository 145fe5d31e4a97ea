"""What a destination of files needs to know, as plain values."""

from dataclasses import dataclass
from pathlib import Path

from cohortd.core.errors import SettingsError
from cohortd.core.identifiers import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class CsvDropOptions:
    """Where the files go, and in whose form."""

    #: One folder an audience is made in it.
    folder: Path
    #: Whose template the files follow, and so whose normalization rules.
    template: Family
    #: After so many days files are deleted; see ``connectors.csv_drop.keeping``.
    keep_days: int = 30

    def __post_init__(self) -> None:
        """Refuse what can never work.

        Raises:
            SettingsError: Nothing could ever be taken from the folder.
        """
        if self.keep_days < 1:
            raise SettingsError("keep_days of csv_drop must leave at least a day to upload a file")

"""Models beside the main one."""

import re
from typing import Annotated, Final, Self

from pydantic import AfterValidator, model_validator

from config.segmentation import Segmentation

#: Part of the ids of its segments.
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,19}")
#: What stands for other things where models are named.
_TAKEN: Final = frozenset({"main", "rule"})
#: What holds for every model.
_SHARED: Final = ("expressions", "conversion_types", "page_view_types")


class Model(Segmentation):
    """A further model, which divides the same customers once more: by their value, say, or their times."""

    @model_validator(mode="after")
    def _check_shared(self) -> Self:
        shared = [name for name in _SHARED if name in self.model_fields_set]
        if shared:
            raise ValueError(f"{', '.join(shared)} holds for every model: set it under segmentation")
        return self


def _check_names(models: dict[str, Model]) -> dict[str, Model]:
    for name in models:
        if not _NAME.fullmatch(name) or name in _TAKEN:
            raise ValueError(
                f"{name!r} cannot name a model: a-z, 0-9 and _, a letter first, at most 20, and not"
                f" {' or '.join(sorted(_TAKEN))}"
            )
    return models


Models = Annotated[dict[str, Model], AfterValidator(_check_names)]

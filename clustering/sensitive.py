"""Features that say of a person what no advertiser should build an audience on."""

import re
from collections.abc import Collection, Iterable
from typing import Final

from clustering.wording import sensitive_words
from cohortd.core.errors import SettingsError
from cohortd.core.modelling import FeatureSpec

#: Words of columns and categories beside those that no audience's name may carry; ``-`` for any ending.
_FURTHER: Final = (
    *("birth-", "born", "dob", "yob", "marital", "married", "spouse-", "household income"),
    *("baby", "babies", "infant-", "toddler-", "diaper-", "maternity", "parental"),
    *("ethnicity", "nationality", "citizen-", "disease", "clinic-", "hospital-"),
)
_PATTERN: Final = re.compile(
    r"\b(?:"
    + "|".join(
        re.escape(word[:-1]) + r"\w*" if word.endswith("-") else re.escape(word) for word in _FURTHER
    )
    + r")\b",
    re.IGNORECASE,
)
_BETWEEN: Final = re.compile(r"[^0-9A-Za-z]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")


def is_sensitive(spec: FeatureSpec, allowed: Collection[str] = ()) -> bool:
    """Whether a feature, or a column it needs, is named like a personal attribute and nobody allowed it.

    Args:
        spec: A feature, or a member of a family such as ``category_share:baby``.
        allowed: Names of features or columns; that of a family or an attribute allows all its members.
    """
    named = {spec.name, spec.name.partition(":")[0]}
    if named & set(allowed):
        return False
    return any(_says_something(name) for name in (spec.name, *spec.needs) if name not in allowed)


def refuse_sensitive(specs: Iterable[FeatureSpec], allowed: Collection[str]) -> None:
    """Refuse features that the settings name although they are sensitive.

    Raises:
        SettingsError: There is one that ``segmentation.allow_sensitive`` does not name.
    """
    found = [spec.name for spec in specs if is_sensitive(spec, allowed)]
    if found:
        raise SettingsError(
            f"segmentation: {', '.join(found)} may say something of a person that platforms forbid to build"
            " audiences on (health, age, gender, religion, origin, money); leave it out, or, if it is"
            f" harmless or you may use it, name it: segmentation.allow_sensitive: [{', '.join(found)}]"
        )


def _says_something(name: str) -> bool:
    words = _BETWEEN.sub(" ", _CAMEL.sub(" ", name))
    return bool(sensitive_words(words) or _PATTERN.search(words))

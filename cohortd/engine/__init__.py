"""Where data is aggregated: Ibis on DuckDB. Nothing outside this room knows either."""

from importlib import import_module
from typing import TYPE_CHECKING

from cohortd.engine.belonging import PLACE
from cohortd.engine.catalog import catalog, meaning_of
from cohortd.engine.engine import MOST_OF_A_FAMILY, Engine, connect
from cohortd.engine.names import FeatureName, family_of
from cohortd.engine.profiling import EVERYBODY
from cohortd.engine.staging import StagedTable, open_staged
from cohortd.engine.template_lists import TEMPLATES
from cohortd.engine.templates import available, resolve, with_own
from cohortd.engine.vocabulary import OwnFeature, Vocabulary

if TYPE_CHECKING:
    from cohortd.engine.conditions import Condition, parse_condition

__all__ = [
    "EVERYBODY",
    "MOST_OF_A_FAMILY",
    "PLACE",
    "TEMPLATES",
    "Condition",
    "Engine",
    "FeatureName",
    "OwnFeature",
    "StagedTable",
    "Vocabulary",
    "available",
    "catalog",
    "connect",
    "family_of",
    "meaning_of",
    "open_staged",
    "parse_condition",
    "resolve",
    "with_own",
]


def __getattr__(name: str) -> object:
    """Load what reads SQL when it is first asked for: most commands never do."""
    if name not in {"Condition", "parse_condition"}:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("cohortd.engine.conditions"), name)

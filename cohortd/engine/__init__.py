"""Where data is aggregated: Ibis on DuckDB. Nothing outside this room knows either."""

from typing import TYPE_CHECKING

from cohortd.core.on_demand import on_demand
from cohortd.engine.catalog import catalog, meaning_of
from cohortd.engine.names import FeatureName, family_of
from cohortd.engine.template_lists import TEMPLATES
from cohortd.engine.templates import available, resolve, with_own
from cohortd.engine.vocabulary import OwnFeature, Vocabulary

if TYPE_CHECKING:
    from cohortd.engine.belonging import PLACE
    from cohortd.engine.conditions import Condition, parse_condition
    from cohortd.engine.engine import MOST_OF_A_FAMILY, Engine
    from cohortd.engine.opening import connect
    from cohortd.engine.profiling import EVERYBODY
    from cohortd.engine.staging import StagedTable, open_staged

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

#: What needs libraries of data, or reads SQL.
__getattr__ = on_demand(
    __name__,
    {
        "EVERYBODY": "profiling",
        "MOST_OF_A_FAMILY": "engine",
        "PLACE": "belonging",
        "Condition": "conditions",
        "Engine": "engine",
        "StagedTable": "staging",
        "connect": "opening",
        "open_staged": "staging",
        "parse_condition": "conditions",
    },
)

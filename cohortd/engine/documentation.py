"""``docs/features.md``, from what the catalog and the templates really are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from cohortd.core.modelling import FeatureSpec
from cohortd.engine.catalog import catalog
from cohortd.engine.context import CONTEXT_FAMILIES
from cohortd.engine.expressions import COLUMNS
from cohortd.engine.families import FAMILIES, FIXED_FAMILIES
from cohortd.engine.names import FeatureName
from cohortd.engine.registry import DEFINITIONS
from cohortd.engine.scope import LARGEST_VALUE
from cohortd.engine.template_lists import SUITS, TEMPLATES
from cohortd.engine.templates import resolve
from cohortd.engine.vocabulary import STANDARD

_ALWAYS: Final = frozenset({"occurred_at"})

_HEAD: Final = """\
<!-- Written by `python -m cohortd.engine > docs/features.md`; change cohortd/engine instead. -->
# Features

A feature is one number a customer, computed from the events that are mapped (`sources.events.columns`),
from attributes of the customers, or from a table of what days were like. `segmentation.template` names a
ready set, `segmentation.features` lists features one by one; a list may name templates, too:

```yaml
segmentation:
  features: [grocery, value_sum@30d, plan, context_mean:temperature]
```

- **Partial data makes a smaller list.** A feature whose columns are not mapped is left out, and `plan`
  says which and why; only where none is left does a run stop.
- **Who is in**: customers with an event in `segmentation.window` (all of time where it is not set), up to
  the end of the day of the newest event, UTC. All times of day are UTC.
- **The same rows give the same numbers**, in any order and on any number of cores: sums are taken in
  decimals, to six places; a value beyond {largest:,.0f} counts as that. What cannot be computed, such as
  a mean of nothing, is absent, and what then stands for it is in the tables below.
- **Attributes** of the customers are features by their mapped name: as numbers where 95 % of the values
  are, else one feature for each of the five commonest values, 1 or 0 (`plan:gold`).
- **Heavy-tailed** features (counts, sums) are taken as logarithms before clustering: a few customers have
  far more. Of attributes and of expressions of your own the customers say it.

## Templates

"""

_FAMILIES: Final = """\

### Families

One name, several features: of texts one for each of the five commonest values.

"""

_WINDOWS: Final = """\
Times of the year say something only over a year or more: over less they tell when somebody was here last.
Times of day and year are pairs, sine and cosine, since 23 o'clock is near to 1, and December to January.

## Windows

Most features have windows of one's choice: `value_sum@30d` is the value of the last 30 days, `@12w` of
twelve weeks, `@all` of all time, whatever `segmentation.window` is. `value_sum@30d/365d` is the first
over the second: how much of a year's value came in the last month; absent where the second is 0. Families
have them, too: `category_share@90d`. Counts and sums of somebody who did nothing in the window are 0,
shares begin at 0, means and gaps are absent. Halves, as in trends, are those of the feature's own window.
Recency, tenure and the lifetime features have none.

"""

_TYPES: Final = """\
## Types of events

`type` is free text. What counts as a conversion and as a page view is a setting; values are compared
without regard to case and signs (`Page View` is `page_view`):

- `segmentation.conversion_types`: {conversions}
- `segmentation.page_view_types`: {page_views}; where the events have no `type`, every event is a page
  view.

An order is a distinct `order_id`, else a distinct `session_id`, else an event. Conversions are counted by
their distinct `order_id`; those without one, one by one. Touchpoints are all other events up to the last
conversion.

## Expressions of your own

```yaml
segmentation:
  expressions:
    big_basket_share:
      sql: avg(CASE WHEN value > 100 THEN 1.0 ELSE 0 END)
      title: Share of baskets above 100
      high: big baskets
      low: ""
```

An expression is one aggregate over a customer's events, in SQL. It is added to the features, has windows
like others (`big_basket_share@30d` in the list), and is checked before anything is read. It is not handed
to the database: it is read piece by piece, and what is not listed here is refused.

- **Columns**: {columns}; `days_ago` is how many whole days before the end an event happened. Contact
  columns are never there.
- **Aggregates**: `sum`, `avg`, `min`, `max`, `median`, `count(*)`, `count(x)`, `count(DISTINCT x)`, each
  with `FILTER (WHERE ...)`.
- **Within**: numbers, `+ - * / %`, `CASE`, `if`, `coalesce`, `nullif`, `greatest`, `least`, `abs`,
  `round`, `floor`, `ceil`, `ln`, `sqrt`, `CAST(x AS DOUBLE)`; `hour`, `isodow`, `day`, `month`, `quarter`
  and `year` of `occurred_at`.
- **Conditions**: `= <> < <= > >=`, `BETWEEN`, `IN (...)`, `IS NULL`, `AND`, `OR`, `NOT`. Texts are
  compared with `=`, `<>` and `IN`; those of `type`, `category`, `channel` and `device` without regard to
  case and signs. `occurred_at` is compared with `'2024-06-01'`, UTC.
- What would stop a query elsewhere is absent here: something over 0, a root or a logarithm that does not
  exist.

A model remembers what an expression, the lists of types and the place of the context were; when they
change, it is fitted anew.

## Context

`sources.context` is a table with one row a day, or a day and place, and any numbers: temperature, `1` for
a holiday, an index of prices. Several rows of a day and place are averaged. `by_place` says which
attribute of the customers, or which column of the events, holds the place; without it a day is the same
for everybody.

```yaml
sources:
  customers: {{columns: {{region: region_code}}}}
  context:
    path: weather.parquet
    columns: {{date: day, place: region_code, temperature: t_mean, is_holiday: holiday}}
    by_place: region
segmentation:
  features: [ecommerce, context_mean:is_holiday, context_lift:temperature]
```

"""


def document() -> str:
    """Return ``docs/features.md``."""
    types = (STANDARD.conversion_types, STANDARD.page_view_types)
    conversions, page_views = (", ".join(f"`{each}`" for each in one) for one in types)
    columns = ", ".join(f"`{column}`" for column in COLUMNS)
    words = _TYPES.format(conversions=conversions, page_views=page_views, columns=columns)
    return (
        "".join(
            [
                _HEAD.format(largest=LARGEST_VALUE),
                *(_template(name) for name in TEMPLATES),
                "## All features\n\n",
                _table(spec for name, spec in catalog().items() if name in DEFINITIONS),
                _FAMILIES,
                _table(catalog()[name] for name in (*FAMILIES, *FIXED_FAMILIES, *CONTEXT_FAMILIES)),
                "\n",
                _WINDOWS,
                words,
            ]
        ).rstrip()
        + "\n"
    )


def _template(name: str) -> str:
    specs = resolve(name, ())
    columns = dict.fromkeys(need for spec in specs for need in spec.needs if need not in _ALWAYS)
    more = ", ".join(f"`{column}`" for column in [*columns, *_of_orders(specs, columns)])
    features = ", ".join(f"`{spec.name}`" for spec in specs)
    return (
        f"### `{name}`\n\n{SUITS[name]}\n\n"
        f"- Reads `customer_id`, `occurred_at` and, as far as they are there, {more}.\n"
        f"- Features: {features}.\n\n"
    )


def _of_orders(specs: Iterable[FeatureSpec], columns: Iterable[str]) -> list[str]:
    """Columns that say what an order is, or a page view, where they are there."""
    bases = {FeatureName.read(spec.name).base for spec in specs}
    orders = any(base.startswith("order_") or base == "conversion_count" for base in bases)
    pages = bool(bases & {"pages_per_session", "content_velocity", "page_views"})
    wanted = [*(("order_id", "session_id") if orders else ()), *(("type",) if pages else ())]
    return [column for column in wanted if column not in set(columns)]


def _table(specs: Iterable[FeatureSpec]) -> str:
    rows = [_row(spec) for spec in specs]
    head = "| feature | what it is | needs | where absent | heavy-tailed |\n|---|---|---|---|---|\n"
    return head + "".join(rows)


def _row(spec: FeatureSpec) -> str:
    needs = ", ".join(f"`{need}`" for need in spec.needs if need not in _ALWAYS)
    needs = "the context" if spec.table == "context" else needs
    absent = "0" if spec.impute.value == "zero" else "the median"
    return f"| `{spec.name}` | {spec.title} | {needs} | {absent} | {'yes' if spec.heavy_tail else ''} |\n"

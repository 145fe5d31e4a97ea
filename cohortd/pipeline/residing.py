"""Where customers live, as far as the meaning of silence depends on it."""

import pyarrow as pa

from cohortd.core.identifiers import Family
from cohortd.identity import normalize
from consent import ConsentRules


def places(batch: pa.RecordBatch, rules: ConsentRules) -> tuple[list[str], list[str]]:
    """Give the country (alpha-2) and, where it matters, the state of each; blank where not known."""
    countries = _normalized(batch, "country", Family.GOOGLE)
    if not any(rules.asks_for_states(country) for country in set(countries)):
        return countries, [""] * len(countries)
    states = _texts(batch, "state")
    known = {pair: _state(*pair, rules) for pair in set(zip(countries, states, strict=True))}
    return countries, [known[pair] for pair in zip(countries, states, strict=True)]


def _state(country: str, text: str, rules: ConsentRules) -> str:
    """Read ``California``, ``ca`` or ``US-CA`` as ``CA``."""
    if not text or not rules.asks_for_states(country):
        return ""
    plain = text.strip().upper().removeprefix(f"{country}-")
    return (normalize(Family.META, "state", plain, region=country).normalized or "").upper()


def _normalized(batch: pa.RecordBatch, field: str, family: Family) -> list[str]:
    values = _texts(batch, field)
    known = {value: normalize(family, field, value).normalized or "" for value in set(values)}
    return [known[value] for value in values]


def _texts(batch: pa.RecordBatch, field: str) -> list[str]:
    if field not in batch.schema.names:
        return [""] * batch.num_rows
    return [value or "" for value in batch.column(field).to_pylist()]

"""What became of a column of texts."""

from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Outcomes:
    """For each text what is sent, or the reason why nothing is; the other one is null."""

    #: Digests, or large strings where the rule sends the value itself.
    sent: pa.Array
    reasons: pa.Array

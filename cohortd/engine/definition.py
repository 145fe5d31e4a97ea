"""What makes a feature: how it reads and the expression that computes it."""

from collections.abc import Callable
from dataclasses import dataclass

import ibis.expr.types as ir

from cohortd.core.modelling import FeatureSpec
from cohortd.engine.scope import Scope

Expression = Callable[[Scope], ir.Scalar]


@dataclass(frozen=True, slots=True)
class Definition:
    """One feature over a customer's events."""

    spec: FeatureSpec
    expression: Expression
    #: Over everything known of the customer instead of the window.
    history: bool = False

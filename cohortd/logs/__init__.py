"""How log lines look, which are shown, and what is taken out of them."""

from typing import TYPE_CHECKING

from cohortd.core.on_demand import on_demand
from cohortd.logs.dying import keep_quiet, place_of

if TYPE_CHECKING:
    from cohortd.logs.lines import set_up_logs

__all__ = ["keep_quiet", "place_of", "set_up_logs"]

#: What needs structlog, which the command line does without until a command runs.
__getattr__ = on_demand(__name__, {"set_up_logs": "lines"})

"""What others may see of the daemon: health, metrics, traces."""

from datetime import timedelta

from pydantic import Field

from config.addresses import Address, host_of, port_of
from config.base import Duration, Strict


class Monitoring(Strict):
    """Health and metrics by HTTP, and traces of what is done; all off unless set."""

    listen: Address | None = Field(
        default=None,
        description="Address and port of `/healthz`, `/readyz` and `/metrics`, such as `127.0.0.1:9464`;"
        " left out, nothing listens. Plain HTTP, without a password: let only your own machines reach it.",
    )
    fresh_for: Duration | None = Field(
        default=timedelta(days=2),
        description="How long after a sync `/readyz` says that all is well; null: however long.",
    )
    traces: bool = Field(
        default=False,
        description="Whether runs, their steps and requests are told by OpenTelemetry, to where the"
        " `OTEL_...` variables say; needs `cohortd[otel]`.",
    )

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port; None where nothing listens."""
        return None if self.listen is None else (host_of(self.listen), port_of(self.listen))

"""What others may see of the daemon: health and metrics by HTTP, traces by OpenTelemetry."""

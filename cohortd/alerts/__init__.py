"""Messages to people, by whatever they read."""

from cohortd.alerts.channels import Channel, Mood, open_channels

__all__ = ["Channel", "Mood", "open_channels"]

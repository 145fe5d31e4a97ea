"""Messages to people, by whatever they read."""

from cohortd.alerts.channels import Channel, Message, Mood, open_channels
from cohortd.alerts.sending import Sending

__all__ = ["Channel", "Message", "Mood", "Sending", "open_channels"]

"""The one signal of the house."""

from django.dispatch import Signal

channel_changed = Signal()
"""Sent inside the transaction that changed channels, with `channels`: their ids, as a list of int.

feeds publishes after the commit; events tells open browsers. Nobody else listens."""

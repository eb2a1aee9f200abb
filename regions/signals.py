"""The one signal of the house."""

from django.dispatch import Signal

channel_changed = Signal()
"""Sent inside the transaction that changed channels, with `channels`: their ids, as a list of int; where settings were
changed, with `settings`: their names.

feeds publishes after the commit; events tells open browsers; curation sorts the queue anew. Nobody else listens."""

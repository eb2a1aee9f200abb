"""Django's own, which leaves behind what allauth keeps beside each session."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.management.commands.clearsessions import Command as Cleared

from regions.ending import forget_ended_sessions


class Command(Cleared):
    help = "Removes sessions that are over, with the browser and address of each."

    def handle(self, **options: Any) -> None:
        super().handle(**options)
        forget_ended_sessions()

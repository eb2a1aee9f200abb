"""How people come in: by invitation only."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class ClosedAdapter(DefaultAccountAdapter):
    """No sign-up: accounts are made by a lead or the chief."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

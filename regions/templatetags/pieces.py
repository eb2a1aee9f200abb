"""Small pieces that pages of every room share."""

from functools import cache
from typing import Any

from django import template
from django.forms.boundfield import BoundField
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from regions.names import browser as browser_of
from regions.names import initials as initials_of

register = template.Library()


@register.simple_tag
@cache
def icon(name: str) -> SafeString:
    """A sign from static/icons.svg; it never stands for a word that is not there."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name)


@register.filter
def initials(name: str | None) -> str:
    """Up to two letters that stand in for a picture."""
    return initials_of(name)


@register.filter
def browser(user_agent: str | None) -> str:
    """A browser and its system in two words; empty where neither is known."""
    return browser_of(user_agent)


@register.filter
def dressed(field: BoundField) -> SafeString:
    """A form's field as ours look; its label says what a placeholder would."""
    return field.as_widget(attrs={"class": "field", "placeholder": False})


@register.filter
def tint(number: int | None) -> str:
    """One of five quiet colours, always the same for the same id."""
    return f"p{(number or 0) % 5 + 1}"


@register.filter
def at(found: dict[Any, Any], key: Any) -> Any:
    """What stands under a key, None where nothing does."""
    return found.get(key)


@register.filter
def capped(count: int) -> str:
    """A count that was made up to 1,000: "1000+" says that there are more."""
    return "1000+" if count > 1000 else str(count)

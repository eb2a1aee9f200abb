"""The person's own keys, as buttons and the sheet of keys show them; nothing where an act has none."""

import json
from typing import Any

from django import template
from django.template import Context
from django.utils.html import format_html

from curation.keyboard import ACTS, DEFAULTS, bindings, shown
from regions.models import User

register = template.Library()
KEPT = "keys of the reader"


def keys_of(context: Context) -> dict[str, str]:
    """Worked out once for each page: every card asks for a dozen of them."""
    of_the_page: Any = context.render_context.dicts[0]
    if KEPT not in of_the_page:
        user = context.get("user")
        of_the_page[KEPT] = bindings(user) if isinstance(user, User) else DEFAULTS
    found: dict[str, str] = of_the_page[KEPT]
    return found


@register.simple_tag(takes_context=True)
def keys(context: Context) -> str:
    """Act -> key as JSON, for the script."""
    return json.dumps(keys_of(context), ensure_ascii=False)


@register.simple_tag(takes_context=True)
def legend(context: Context, act: str) -> str:
    """The key of an act, as it is printed on keyboards."""
    key = keys_of(context).get(act)
    return format_html("<kbd>{}</kbd>", shown(key)) if key else ""


@register.simple_tag(takes_context=True)
def shortcut(context: Context, act: str) -> str:
    """The attribute that tells screen readers the key of an act."""
    key = keys_of(context).get(act)
    return format_html('aria-keyshortcuts="{}"', key) if key else ""


@register.simple_tag(takes_context=True)
def single_keys(context: Context) -> bool:
    """Whether there are any; digits change the category only then."""
    return bool(keys_of(context))


@register.simple_tag(takes_context=True)
def sheet(context: Context) -> list[dict[str, Any]]:
    """Every act that has a key or an arrow: its name, key and words."""
    own = keys_of(context)
    told = [{"act": act, "key": shown(own.get(act, "")), "label": one.label} for act, one in ACTS.items()]
    return [one for one in told if one["key"] or one["act"] in ("next", "previous")]

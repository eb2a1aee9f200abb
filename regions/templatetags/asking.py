"""A form's field on the pages of markets and categories."""

from __future__ import annotations

from django import template
from django.forms.boundfield import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def asked(field: BoundField, kind: str = "") -> SafeString:
    """The field, with the ids of its help and of what is wrong with it; `kind` is one more class."""
    told = f"{field.html_name}-help" + (f" {field.html_name}-wrong" if field.errors else "")
    attrs: dict[str, str | bool] = {"class": f"field {kind}".strip(), "aria-describedby": told, "autocomplete": "off"}
    return field.as_widget(attrs=attrs)

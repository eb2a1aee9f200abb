"""What bodies of requests are made of, in every API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request


class Strict(serializers.Serializer[Any]):
    """Refuses fields it does not know, so that a misspelt one is told instead of ignored."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := set(data) - set(self.fields)):
            raise serializers.ValidationError({name: [_("There is no such field.")] for name in sorted(unknown)})
        return super().to_internal_value(data)


class WallClock(serializers.DateTimeField):
    """ISO 8601. With a zone a moment; without one it stays so, for `regions.clocks` to read by a market's clocks."""

    def enforce_timezone(self, value: datetime) -> datetime:
        return value


def read_body(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The fields of a request's body. Raises ValidationError, which is answered with 422."""
    read = serializer(data=request.data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


class Problem(serializers.Serializer[Any]):
    """problem+json. `code` is stable; some codes carry more fields."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()
    field = serializers.CharField(required=False)
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False
    )

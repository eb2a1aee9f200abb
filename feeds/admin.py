"""The admin of feeds, for chiefs: consumers, and what was published to look at."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from feeds import operations
from feeds.models import Consumer, Feed, Snapshot
from regions.admin import ReadOnly


@admin.register(Feed)
class FeedAdmin(ReadOnly):
    list_display = ["path", "number", "revision", "next_change_at", "hold"]
    list_select_related = ["market", "channel__category", "channel__market"]
    list_filter = ["market"]


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnly):
    list_display = ["feed", "number", "at", "revision"]
    list_select_related = ["feed__market", "feed__channel__category"]
    list_filter = ["feed__market"]


@admin.register(Consumer)
class ConsumerAdmin(admin.ModelAdmin):
    """Opened and revoked by the operations, so that the edge follows; never deleted."""

    list_display = ["name", "key", "mode", "created_at", "revoked_at"]
    fields = ["name", "mode", "key", "created_at", "revoked_at"]
    readonly_fields = ["key", "created_at", "revoked_at"]
    actions = ["revoke"]

    def get_readonly_fields(self, request: HttpRequest, obj: Consumer | None = None) -> list[str]:
        return [*self.readonly_fields, "name", "mode"] if obj else self.readonly_fields

    def save_model(self, request: Any, obj: Consumer, form: Any, change: bool) -> None:
        if not change:
            made = operations.open_consumer(obj.name, obj.mode, by=request.user)
            obj.pk, obj.key, obj.created_at = made.pk, made.key, made.created_at

    @admin.action(description=_("Revoke the chosen keys"))
    def revoke(self, request: Any, queryset: Any) -> None:
        for consumer in queryset:
            operations.revoke(consumer, by=request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

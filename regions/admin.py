"""Rare rows, for chiefs. The route's rule lets nobody else in; leads have pages of their own."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from regions.models import Block, BlockList, Category, Change, Channel, Market, Membership, Source, User


class MembershipRows(admin.TabularInline):
    model = Membership
    extra = 0


@admin.register(User)
class PersonAdmin(UserAdmin):
    inlines = [MembershipRows]
    fieldsets = (*UserAdmin.fieldsets, (_("Preferences"), {"fields": ("language", "time_zone", "theme")}))  # type: ignore[misc]


@admin.register(Market)
class MarketAdmin(admin.ModelAdmin):
    list_display = ["code", "name", "time_zone", "active"]


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["slug", "name", "position"]


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin):
    list_display = ["market", "category", "slots", "feed_length", "second_pair", "active"]
    list_filter = ["market", "category"]
    readonly_fields = ["revision"]


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    list_display = ["__str__", "kind", "market", "channel", "trust", "paused_at"]
    list_filter = ["kind", "market"]
    search_fields = ["value", "name"]


@admin.register(BlockList)
class BlockListAdmin(admin.ModelAdmin):
    list_display = ["name", "market", "channel"]


class ReadOnly(admin.ModelAdmin):
    """Looks, never changes. No total counts: tables may have millions of rows."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Block)
class BlockAdmin(ReadOnly):
    """A new block has live hits to take down: curation's operation does both, so nothing is changed here."""

    list_display = ["kind", "value", "effect", "market", "channel", "ends_at"]
    list_filter = ["kind", "effect", "market"]
    search_fields = ["value"]


@admin.register(Change)
class ChangeAdmin(ReadOnly):
    list_display = ["at", "by", "market", "verb", "noun", "noun_id"]
    list_filter = ["market", "noun"]

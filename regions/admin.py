"""Rare rows, for chiefs. The route's rule lets nobody else in; leads get pages of their own.

What is changed here goes through operations too: it is logged, and the feeds it shapes are published anew."""

from collections.abc import Iterable
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.core.exceptions import ValidationError
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from regions import operations, tunable
from regions.models import Block, BlockList, Category, Change, Channel, Market, Membership, Role, Source, User
from regions.requests import chief

admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]


class Logged(admin.ModelAdmin):
    """Rows that change through operations. They are neither added nor deleted here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: ModelForm, change: bool) -> None:
        before = {name: form.initial.get(name) for name in form.changed_data}
        market = self.market_of(obj)
        operations.save_change(obj, before, by=chief(request), market=market, channels=self.channels_of(obj))

    def market_of(self, row: Any) -> Market | None:
        return None

    def channels_of(self, row: Any) -> Iterable[int]:
        """The channels whose feeds a change shapes."""
        return []


class Bounded(ModelForm):
    """The bounds of the leads' pages."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            try:
                tunable.check(self.instance, set(self.fields))
            except ValidationError as error:
                self._update_errors(error)  # type: ignore[attr-defined]


class ReadOnly(admin.ModelAdmin):
    """Looks, never changes. No total counts: tables may have millions of rows."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MembershipRows(admin.TabularInline):
    model = Membership
    extra = 0


@admin.register(User)
class PersonAdmin(UserAdmin):
    inlines = (MembershipRows,)
    fieldsets = (*(UserAdmin.fieldsets or ()), (_("Preferences"), {"fields": ("language", "time_zone", "theme")}))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Roles are given and taken by the operations that log them."""
        by = chief(request)
        for membership in formset.save(commit=False):
            operations.give_role(membership.user, membership.market, Role(membership.role), by=by)
        for membership in formset.deleted_objects:
            operations.take_role(membership, by=by)


@admin.register(Market)
class MarketAdmin(Logged):
    form = Bounded
    list_display = ("code", "name", "time_zone", "active")
    readonly_fields = ("code",)

    def market_of(self, row: Market) -> Market:
        return row

    def channels_of(self, row: Market) -> Iterable[int]:
        return row.channel_set.values_list("pk", flat=True)


@admin.register(Category)
class CategoryAdmin(Logged):
    list_display = ("slug", "name", "position")
    readonly_fields = ("slug",)

    def channels_of(self, row: Category) -> Iterable[int]:
        return row.channel_set.values_list("pk", flat=True)


@admin.register(Channel)
class ChannelAdmin(Logged):
    form = Bounded
    list_display = ("market", "category", "slots", "feed_length", "second_pair", "active")
    list_filter = ("market", "category")
    readonly_fields = ("market", "category", "revision")

    def market_of(self, row: Channel) -> Market:
        return row.market

    def channels_of(self, row: Channel) -> Iterable[int]:
        return [row.pk]


@admin.register(Source)
class SourceAdmin(Logged):
    """What a source reads stays: how far it was read belongs to it. For another account, list another source."""

    list_display = ("__str__", "kind", "market", "channel", "trust", "paused_at")
    list_filter = ("kind", "market")
    search_fields = ("value", "name")
    readonly_fields = ("kind", "value", "market", "channel")

    def has_change_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return not (obj and obj.erased) and super().has_change_permission(request, obj)

    def market_of(self, row: Source) -> Market | None:
        return row.channel.market if row.channel else row.market


@admin.register(BlockList)
class BlockListAdmin(ReadOnly):
    list_display = ("name", "market", "channel")


@admin.register(Block)
class BlockAdmin(ReadOnly):
    """A new block has live hits to take down: curation's operation does both, so nothing is changed here."""

    list_display = ("kind", "value", "effect", "market", "channel", "ends_at")
    list_filter = ("kind", "effect", "market")
    search_fields = ("value",)


@admin.register(Change)
class ChangeAdmin(ReadOnly):
    list_display = ("at", "by", "market", "verb", "noun", "noun_id")
    list_filter = ("market", "noun")

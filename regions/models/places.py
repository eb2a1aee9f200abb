"""Where: markets, categories, and the channels that they make together."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

RESERVED_SLUGS = ("hold", "release", "snapshots", "feed.json", "rss.xml", "decisions", "changes", "arrivals", "acts")
MARKET_CODE = RegexValidator(r"^[a-z]{2}$", _("Two lower-case letters."))
CATEGORY_SLUG = RegexValidator(r"^[a-z][a-z0-9-]{1,30}$", _("Lower-case letters, digits and hyphens."))


class MarketQuerySet(models.QuerySet["Market"]):
    def active(self) -> MarketQuerySet:
        return self.filter(active=True)

    def visible_to(self, user: Any) -> MarketQuerySet:
        """The markets a person belongs to; a chief sees all."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.active()
        return self.active().filter(membership__user=user)


class Named(models.Model):
    """Something with a name in every language of the pages."""

    names = models.JSONField(_("names"), help_text=_('By language code, for example {"de": "Politik"}.'))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    def name_in(self, language: str | None) -> str:
        names: dict[str, str] = self.names
        return names.get((language or "en")[:2]) or names.get("en") or next(iter(names.values()), "")

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_in(get_language())


class Market(Named):
    """A country that Telekom shows the ticker in."""

    code = models.CharField(_("code"), max_length=2, unique=True, validators=[MARKET_CODE])
    country = models.CharField(_("country code that X withholds by"), max_length=2)
    languages = ArrayField(models.CharField(max_length=2), verbose_name=_("languages"))
    time_zone = models.CharField(_("time zone"), max_length=64)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=True)
    feed_length = models.PositiveSmallIntegerField(
        _("entries in the market's feed"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    posts_a_day = models.PositiveIntegerField(_("posts to read a day"), default=20_000)
    posts_a_month = models.PositiveIntegerField(_("posts to read a month"), default=500_000)
    recheck_reserve = models.PositiveIntegerField(_("posts a day kept for rechecks"), default=2_000)
    retention_days = models.PositiveSmallIntegerField(_("days that undecided texts are kept"), default=30)
    rank_weights = models.JSONField(_("weights of the rank"), default=dict, blank=True)
    figures_per_editor = models.BooleanField(_("figures per editor"), default=False)

    objects = MarketQuerySet.as_manager()

    class Meta:
        ordering = ["position", "code"]
        constraints = [
            models.CheckConstraint(condition=Q(code__regex=r"^[a-z]{2}$"), name="market_code_is_two_letters"),
        ]

    def clean(self) -> None:
        """Raises ValidationError where rechecks would be left more than there is."""
        if None not in (self.recheck_reserve, self.posts_a_day) and self.recheck_reserve > self.posts_a_day:
            told = _("Of %(n)s posts a day no more than these can be kept for rechecks.")
            most = number_format(self.posts_a_day, use_l10n=True, force_grouping=True)
            raise ValidationError({"recheck_reserve": ValidationError(told, params={"n": most})})

    @property
    def language(self) -> str:
        """The market's first language."""
        return self.languages[0]


class Category(Named):
    """An editorial subject."""

    slug = models.CharField(_("slug"), max_length=31, unique=True, validators=[CATEGORY_SLUG])
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ["position", "slug"]
        verbose_name_plural = "categories"
        constraints = [
            models.CheckConstraint(condition=~Q(slug__in=RESERVED_SLUGS), name="category_slug_is_not_reserved"),
        ]


class ChannelQuerySet(models.QuerySet["Channel"]):
    def active(self) -> ChannelQuerySet:
        return self.filter(active=True, market__active=True)

    def visible_to(self, user: Any) -> ChannelQuerySet:
        return self.active().filter(market__in=Market.objects.visible_to(user))


class Channel(models.Model):
    """One category in one market: the unit editors work on. `revision` rises with every change to its feed."""

    class Fallback(models.TextChoices):
        KEEP_OLDER = "keep_older", _("keep older ones")
        HIDE = "hide", _("hide")

    market = models.ForeignKey(Market, models.PROTECT, verbose_name=_("market"))
    category = models.ForeignKey(Category, models.PROTECT, verbose_name=_("category"))
    revision = models.PositiveBigIntegerField(_("revision"), default=0, editable=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    active = models.BooleanField(_("active"), default=True)
    slots = models.PositiveSmallIntegerField(_("slots for pins"), default=3, validators=[MaxValueValidator(10)])
    feed_length = models.PositiveSmallIntegerField(
        _("entries in the feed"), default=10, validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    live_hours = models.PositiveSmallIntegerField(_("hours that an entry stays live"), default=24)
    pending_hours = models.PositiveSmallIntegerField(_("hours that a candidate waits"), default=48)
    half_life_minutes = models.PositiveIntegerField(_("minutes in which freshness halves"), default=120)
    minimum_fill = models.PositiveSmallIntegerField(_("fewest entries"), default=3)
    fallback = models.CharField(_("when it runs thin"), max_length=10, choices=Fallback, default=Fallback.KEEP_OLDER)
    second_pair = models.BooleanField(_("second pair of eyes"), default=False)
    reasons = ArrayField(models.CharField(max_length=20), verbose_name=_("reasons offered"), default=list, blank=True)
    rank_weights = models.JSONField(_("weights of the rank"), default=dict, blank=True)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        ordering = ["market__position", "position", "id"]
        constraints = [models.UniqueConstraint(fields=["market", "category"], name="one_channel_per_category")]

    def __str__(self) -> str:
        return f"{self.market.code.upper()} {self.category.name}"

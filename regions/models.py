"""Who and where: people, markets, categories, channels, and the lists that leads keep. Knows nothing of tweets."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

RESERVED_SLUGS = ("hold", "release", "snapshots", "feed.json", "rss.xml", "decisions", "changes", "arrivals", "acts")
MARKET_CODE = RegexValidator(r"^[a-z]{2}$", _("Two lower-case letters."))
CATEGORY_SLUG = RegexValidator(r"^[a-z][a-z0-9-]{1,30}$", _("Lower-case letters, digits and hyphens."))


class Role(models.TextChoices):
    """What a person may do in a market, from least to most. A superuser is the chief of all markets."""

    VIEWER = "viewer", _("viewer")
    EDITOR = "editor", _("editor")
    LEAD = "lead", _("lead")


class User(AbstractUser):
    """A person. Preferences that follow them to every browser stand here."""

    class Theme(models.TextChoices):
        SYSTEM = "system", _("as the system")
        LIGHT = "light", _("light")
        DARK = "dark", _("dark")

    language = models.CharField(_("language"), max_length=2, blank=True, choices=settings.LANGUAGES)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True)
    theme = models.CharField(_("theme"), max_length=6, choices=Theme, default=Theme.SYSTEM)
    keys = models.JSONField(_("keys"), default=dict, blank=True)

    @property
    def shown_name(self) -> str:
        """The name colleagues read: full name, else the log-in name."""
        return self.get_full_name() or self.get_username()

    @property
    def initials(self) -> str:
        words = self.shown_name.replace("_", " ").replace(".", " ").split()
        return "".join(word[0] for word in words[:2]).upper()

    def role_in(self, market_id: int) -> str | None:
        """The role in a market, read once for each request's user object; a chief is lead everywhere."""
        if not self.is_active:
            return None
        if self.is_superuser:
            return Role.LEAD
        if not hasattr(self, "_roles"):
            self._roles = dict(self.membership_set.values_list("market_id", "role"))
        return self._roles.get(market_id)


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


class Membership(models.Model):
    """A person's role in a market."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("person"))
    market = models.ForeignKey(Market, models.CASCADE, verbose_name=_("market"))
    role = models.CharField(_("role"), max_length=6, choices=Role)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "market"], name="one_role_per_market"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.market.code} {self.role}"


class Scoped(models.Model):
    """An entry of a list: of a channel, else of a market, else global."""

    market = models.ForeignKey(Market, models.CASCADE, null=True, blank=True, verbose_name=_("market"))
    channel = models.ForeignKey(Channel, models.CASCADE, null=True, blank=True, verbose_name=_("channel"))

    class Meta:
        abstract = True

    @property
    def scope(self) -> str:
        return "channel" if self.channel_id else "market" if self.market_id else "global"


def one_scope(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(condition=Q(market=None) | Q(channel=None), name=name)


class SourceQuerySet(models.QuerySet["Source"]):
    def running(self) -> SourceQuerySet:
        """Neither paused for good nor paused until a time to come."""
        return self.filter(Q(paused_at=None) | Q(paused_until__lte=timezone.now()))

    def visible_to(self, user: Any) -> SourceQuerySet:
        """Those of one's markets, and the global ones, which everyone inherits."""
        markets = Market.objects.visible_to(user)
        return self.filter(Q(market__in=markets) | Q(channel__market__in=markets) | Q(market=None, channel=None))


class Source(Scoped):
    """Where candidates come from. Feeds every channel of its scope, or those of one category."""

    class Kind(models.TextChoices):
        ACCOUNT = "account", _("account")
        LIST = "list", _("list")
        SEARCH = "search", _("search")
        STREAM = "stream", _("stream rule")

    kind = models.CharField(_("kind"), max_length=7, choices=Kind)
    value = models.CharField(_("account, list or query"), max_length=4096)
    name = models.CharField(_("name"), max_length=100, blank=True)
    x_id = models.CharField(_("id at X"), max_length=19, blank=True, editable=False)
    category = models.ForeignKey(
        Category,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("only this category"),
        related_name="+",
    )
    trust = models.PositiveSmallIntegerField(_("trust"), default=50, validators=[MaxValueValidator(100)])
    auto_approve = models.BooleanField(_("approve by itself"), default=False)
    least_seconds = models.PositiveIntegerField(_("shortest time between readings, in seconds"), default=60)
    most_seconds = models.PositiveIntegerField(_("longest time between readings, in seconds"), default=1800)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True)
    paused_until = models.DateTimeField(_("paused until"), null=True, blank=True)
    paused_reason = models.TextField(_("why it is paused"), blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    exempt = models.ManyToManyField(Market, through="SourceExemption", related_name="+", blank=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        constraints = [
            one_scope("source_has_one_scope"),
            models.UniqueConstraint(
                fields=["kind", "value", "market", "channel"],
                nulls_distinct=False,
                name="source_is_listed_once",
            ),
            models.CheckConstraint(
                condition=Q(least_seconds__gte=1) & Q(most_seconds__gte=models.F("least_seconds")),
                name="source_seconds_are_in_order",
            ),
            models.CheckConstraint(
                condition=Q(channel=None) | Q(category=None), name="source_of_a_channel_names_no_category"
            ),
        ]

    def __str__(self) -> str:
        return self.name or (f"@{self.value}" if self.kind == self.Kind.ACCOUNT else self.value)

    def channels(self) -> ChannelQuerySet:
        """The channels it feeds, the paying market's first."""
        reached = Channel.objects.active().select_related("market", "category")
        if self.channel_id:
            return reached.filter(pk=self.channel_id)
        if self.market_id:
            reached = reached.filter(market=self.market_id)
        else:
            reached = reached.exclude(market__in=self.exempt.all())
        return reached.filter(category=self.category_id) if self.category_id else reached


class Exemption(models.Model):
    """A market does not take over a global entry, for a reason."""

    market = models.ForeignKey(Market, models.CASCADE, verbose_name=_("market"))
    reason = models.CharField(_("reason"), max_length=200)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.reason


class SourceExemption(Exemption):
    source = models.ForeignKey(Source, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "market"], name="source_exempted_once")]


class BlockList(Scoped):
    """A named set of blocks that is edited and exempted as one."""

    name = models.CharField(_("name"), max_length=100)
    purpose = models.CharField(_("what it is for"), max_length=200, blank=True)
    exempt = models.ManyToManyField(Market, through="BlockListExemption", related_name="+", blank=True)

    class Meta:
        constraints = [
            one_scope("block_list_has_one_scope"),
            models.UniqueConstraint(
                fields=["name", "market", "channel"], nulls_distinct=False, name="block_list_is_named_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BlockListExemption(Exemption):
    block_list = models.ForeignKey(BlockList, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["block_list", "market"], name="block_list_exempted_once")]


class BlockQuerySet(models.QuerySet["Block"]):
    def standing(self, now: Any) -> BlockQuerySet:
        """Neither lifted nor ended at `now`."""
        return self.filter(lifted_at=None).filter(Q(ends_at=None) | Q(ends_at__gt=now))

    def over_market(self, market: Market) -> BlockQuerySet:
        """Every block that holds somewhere in the market: global, its own, its channels'; exempted ones left out."""
        return (
            self.filter(Q(market=None, channel=None) | Q(market=market) | Q(channel__market=market))
            .exclude(pk__in=BlockExemption.objects.filter(market=market).values("block_id"))
            .exclude(block_list__in=BlockListExemption.objects.filter(market=market).values("block_list_id"))
        )


class Block(Scoped):
    """An entry of a block list: it blocks outright or holds for a second look."""

    class Kind(models.TextChoices):
        AUTHOR = "author", _("author")
        TERM = "term", _("term")
        DOMAIN = "domain", _("domain")
        HASHTAG = "hashtag", _("hashtag")
        TWEET = "tweet", _("tweet")

    class Effect(models.TextChoices):
        BLOCK = "block", _("blocks")
        HOLD = "hold", _("holds for a second look")

    block_list = models.ForeignKey(BlockList, models.CASCADE, null=True, blank=True, verbose_name=_("block list"))
    kind = models.CharField(_("kind"), max_length=7, choices=Kind)
    value = models.CharField(_("author, term, domain, hashtag or tweet"), max_length=200)
    effect = models.CharField(_("effect"), max_length=5, choices=Effect, default=Effect.BLOCK)
    reason = models.CharField(_("reason"), max_length=20, default="other")
    note = models.CharField(_("note"), max_length=500, blank=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    lifted_at = models.DateTimeField(null=True, editable=False)
    lifted_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", editable=False)
    exempt = models.ManyToManyField(Market, through="BlockExemption", related_name="+", blank=True)

    objects = BlockQuerySet.as_manager()

    class Meta:
        constraints = [
            one_scope("block_has_one_scope"),
            models.UniqueConstraint(
                fields=["kind", "value", "market", "channel", "block_list"],
                condition=Q(lifted_at=None),
                nulls_distinct=False,
                name="block_is_listed_once",
            ),
            models.CheckConstraint(condition=~Q(value=""), name="block_value_is_given"),
        ]
        indexes = [models.Index(fields=["market", "channel"], condition=Q(lifted_at=None), name="standing_blocks")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"


class BlockExemption(Exemption):
    block = models.ForeignKey(Block, models.CASCADE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["block", "market"], name="block_exempted_once")]


class Change(models.Model):
    """What someone changed in a list or a setting: before and after."""

    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    market = models.ForeignKey(Market, models.SET_NULL, null=True)
    noun = models.CharField(max_length=30)
    noun_id = models.BigIntegerField()
    verb = models.CharField(max_length=20)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["market", "-at"], name="changes_of_a_market")]

    def __str__(self) -> str:
        return f"{self.verb} {self.noun} {self.noun_id}"

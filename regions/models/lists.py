"""The lists that leads keep: sources and blocks, global, of a market or of a channel."""

from __future__ import annotations

import pgtrigger
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from regions.models.people import User
from regions.models.places import Category, Channel, ChannelQuerySet, Market

ERASED = "erased/"  # begins what stands for an erased account; no username has a slash


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
        """Neither paused for good nor paused until a time to come, by PostgreSQL's clock."""
        return self.filter(Q(paused_at=None) | Q(paused_until__lte=Now()))

    def over_market(self, market: Market) -> SourceQuerySet:
        """Every source that feeds the market: its channels', its own, global ones; those it is exempted from too."""
        return self.filter(Q(market=None, channel=None) | Q(market=market) | Q(channel__market=market))

    def without_erased(self) -> SourceQuerySet:
        return self.exclude(kind=Source.Kind.ACCOUNT, value__startswith=ERASED)


class ListedSources(models.Manager.from_queryset(SourceQuerySet)):  # type: ignore[misc]
    """Those that are listed. Removed ones stay for what they brought: `Source.ever` has them too."""

    def get_queryset(self) -> SourceQuerySet:
        return SourceQuerySet(self.model, using=self._db).filter(removed_at=None)


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
    removed_at = models.DateTimeField(null=True, editable=False)
    exempt = models.ManyToManyField(Market, through="SourceExemption", related_name="+", blank=True)

    objects = ListedSources()
    ever = SourceQuerySet.as_manager()

    class Meta:
        constraints = [
            one_scope("source_has_one_scope"),
            models.UniqueConstraint(
                fields=["kind", "value", "market", "channel"],
                condition=Q(removed_at=None),
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
        if self.erased:
            return gettext("Erased account")
        return self.name or (f"@{self.value}" if self.kind == self.Kind.ACCOUNT else self.value)

    @property
    def erased(self) -> bool:
        """Whether its account was erased: neither name nor number is kept, and it stays paused."""
        return self.kind == self.Kind.ACCOUNT and self.value.startswith(ERASED)

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


class ListVersion(models.Model):
    """One row: which version of all block lists and exemptions stands. A number is never used twice, whoever rolls
    back, so what was made of one version can be kept under it.

    Every statement that edits them gives it a new number and holds the row until its commit: so edits of lists
    commit one after the other, and who reads a number reads all that was committed before it."""

    number = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.number)


def new_version() -> list[pgtrigger.Trigger]:
    """The trigger of tables whose rows are part of the block lists."""
    return [
        pgtrigger.Trigger(
            name="new_list_version",
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            func="""
            INSERT INTO regions_listversion (id, number) VALUES (1, nextval('regions_list_numbers'))
            ON CONFLICT (id) DO UPDATE SET number = nextval('regions_list_numbers');
            RETURN NULL;
            """,
        )
    ]


class BlockList(Scoped):
    """A named set of blocks that is edited and exempted as one."""

    name = models.CharField(_("name"), max_length=100)
    purpose = models.CharField(_("what it is for"), max_length=200, blank=True)
    exempt = models.ManyToManyField(Market, through="BlockListExemption", related_name="+", blank=True)

    class Meta:
        triggers = new_version()
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
        triggers = new_version()
        constraints = [models.UniqueConstraint(fields=["block_list", "market"], name="block_list_exempted_once")]


class BlockQuerySet(models.QuerySet["Block"]):
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
        triggers = new_version()
        constraints = [
            one_scope("block_has_one_scope"),
            models.UniqueConstraint(
                fields=["kind", "value", "market", "channel", "block_list", "effect", "ends_at"],
                condition=Q(lifted_at=None),
                nulls_distinct=False,
                name="block_is_listed_once",
            ),
            models.CheckConstraint(condition=~Q(value=""), name="block_value_is_given"),
        ]
        indexes = [
            models.Index(fields=["market", "channel"], condition=Q(lifted_at=None), name="standing_blocks"),
            *(
                models.Index(fields=fields, condition=Q(lifted_at=None, block_list=None), name=name)
                for fields, name in (
                    (["market", "channel", "id"], "loose_blocks"),
                    (["market", "channel", "kind", "id"], "loose_blocks_of_a_kind"),
                )
            ),
            models.Index(fields=["block_list", "id"], condition=Q(lifted_at=None), name="blocks_of_a_list"),
            models.Index(
                fields=["ends_at"], condition=Q(lifted_at=None, ends_at__isnull=False), name="blocks_that_end"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"

    @property
    def named(self) -> str:
        """What it names, for people: an author that is listed by X's id by the name that stands in the note."""
        name, _blank, _rest = self.note.partition(" ")
        if self.kind == self.Kind.AUTHOR:
            return name if name.startswith("@") else self.value if self.value.isdigit() else f"@{self.value}"
        return f"#{self.value}" if self.kind == self.Kind.HASHTAG else self.value


class BlockExemption(Exemption):
    block = models.ForeignKey(Block, models.CASCADE)

    class Meta:
        triggers = new_version()
        constraints = [models.UniqueConstraint(fields=["block", "market"], name="block_exempted_once")]

"""Who: people and their roles in markets."""

from __future__ import annotations

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from regions.models.places import Market


class Role(models.TextChoices):
    """What a person may do in a market, from least to most. A superuser is the chief of all markets."""

    VIEWER = "viewer", _("viewer")
    EDITOR = "editor", _("editor")
    LEAD = "lead", _("lead")

    @property
    def rank(self) -> int:
        """The higher, the more one may."""
        return list(Role).index(self)


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
    layout = models.JSONField(_("layout"), default=dict, blank=True)  # {column of a page: whether it is folded}

    @property
    def shown_name(self) -> str:
        """The name colleagues read: full name, else the log-in name."""
        return self.get_full_name() or self.get_username()

    @property
    def initials(self) -> str:
        words = self.shown_name.replace("_", " ").replace(".", " ").split()
        return "".join(word[0] for word in words[:2]).upper()

    @property
    def folded(self) -> list[str]:
        """The columns this person folded away."""
        layout = self.layout if isinstance(self.layout, dict) else {}
        return [column for column, folded in layout.items() if folded is True]

    def role_in(self, market_id: int) -> str | None:
        """The role in a market, read once for each request's user object; a chief is lead everywhere."""
        if not self.is_active:
            return None
        if self.is_superuser:
            return Role.LEAD
        if not hasattr(self, "_roles"):
            self._roles = dict(self.membership_set.values_list("market_id", "role"))
        return self._roles.get(market_id)


class MembershipQuerySet(models.QuerySet["Membership"]):
    def in_market(self, market: Market) -> MembershipQuerySet:
        return self.filter(market=market)

    def holding_words(self, words: str) -> MembershipQuerySet:
        """Those of people whose names or e-mail hold each of the words."""
        rows = self
        for word in words.split():
            names = ("username", "first_name", "last_name", "email")
            rows = rows.filter(Q.create([(f"user__{name}__icontains", word) for name in names], connector=Q.OR))
        return rows

    def with_people(self) -> MembershipQuerySet:
        """Each with its person, in the order of log-in names, and whether they have a `second_step`."""
        steps = apps.get_model("mfa", "Authenticator").objects.filter(type__in=("totp", "webauthn"))
        rows = self.select_related("user", "market").order_by("user__username")
        return rows.annotate(second_step=Exists(steps.filter(user=OuterRef("user"))))

    def counted(self) -> dict[str, int]:
        """How many hold each role: {"viewer": 3, ...}."""
        return dict(self.order_by().values_list("role").annotate(Count("pk")))


class Membership(models.Model):
    """A person's role in a market.

    `from_group`: the role came from a group of the company account, and goes with it; `by_hand` is then the role that
    somebody had given before, and that comes back."""

    user = models.ForeignKey(User, models.CASCADE, verbose_name=_("person"))
    market = models.ForeignKey(Market, models.CASCADE, verbose_name=_("market"))
    role = models.CharField(_("role"), max_length=6, choices=Role)
    from_group = models.BooleanField(_("from a group"), default=False, editable=False)
    by_hand = models.CharField(_("role given by hand"), max_length=6, choices=Role, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "market"], name="one_role_per_market"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.market.code} {self.role}"

"""Sources for the demo: the simulator's lists, some of its accounts, some searches. Safe to run again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from curation.x.simulator import accounts, lists
from curation.x.simulator.accounts import Account
from regions.models import Category, Change, Channel, Source
from regions.operations import add_source

LIST = {"de": "Liste", "nl": "Lijst", "el": "Λίστα", "ro": "Listă", "hr": "Popis"}
SEARCH = {"de": "Suche", "nl": "Zoekopdracht", "el": "Αναζήτηση", "ro": "Căutare", "hr": "Pretraga"}
LIVE = {"de": "Echtzeit", "nl": "Live", "el": "Ζωντανά", "ro": "În direct", "hr": "Uživo"}
SEARCHED = ("sport", "economy")
RULES = {
    "de": "(Trainer OR Verein OR Stadion OR Elfmeter OR Halbzeit) lang:de -is:retweet",
    "nl": "(trainer OR seizoen OR stadion OR doelpunt) lang:nl -is:retweet",
    "el": "(προπονητής OR λεπτά OR γήπεδο OR γκολ) lang:el -is:retweet",
    "ro": "(meciul OR antrenorul OR minutul OR stadion) lang:ro -is:retweet",
    "hr": "(trener OR minuta OR minuti OR utakmica) (lang:hr OR lang:sr OR lang:sl) -is:retweet",
}
LIVELY = {"least_seconds": 10, "most_seconds": 45}


class Command(BaseCommand):
    help = "Adds the demo's sources once: X as the simulator has it. For demos only."

    def handle(self, *args: Any, **options: Any) -> None:
        before = Source.objects.count()
        for channel in Channel.objects.active().select_related("market", "category"):
            add_list(channel)
            add_account(channel)
            if channel.category.slug in SEARCHED:
                add_search(channel)
            add_rule(channel)
        add_global()
        self.stdout.write(f"{Source.objects.count() - before} sources added, {Source.objects.count()} in all.")


def add(kind: str, value: str, name: str, **fields: Any) -> None:
    """A source, unless its market was ever given it: what people removed or changed since stays so."""
    channel = fields.get("channel")
    once = Change.objects.filter(noun="source", verb="add", by=None, market=channel.market if channel else None)
    if once.filter(after__kind=kind, after__value=value).exists():
        return
    add_source(kind, value, by=None, name=name, **LIVELY | fields)


def largest(language: str, category: str) -> list[Account]:
    """The simulator's accounts of a subject, most followers first."""
    fitting = [one for one in accounts() if (one.language, one.category) == (language, category)]
    return sorted(fitting, key=lambda one: -one.followers)


def named(words: dict[str, str], channel: Channel) -> str:
    language = channel.market.language
    return f"{words.get(language, words['de'])}: {channel.category.name_in(language)}"


def add_list(channel: Channel) -> None:
    for one in lists():
        if (one.language, one.category) == (channel.market.language, channel.category.slug):
            add(Source.Kind.LIST, str(one.id), named(LIST, channel), channel=channel)


def add_account(channel: Channel) -> None:
    for one in largest(channel.market.language, channel.category.slug)[:1]:
        add(Source.Kind.ACCOUNT, one.username, one.name, channel=channel, trust=80)


def add_search(channel: Channel) -> None:
    found = largest(channel.market.language, channel.category.slug)[1:5]
    if found:
        query = "(" + " OR ".join(f"from:{one.username}" for one in found) + ") -is:retweet -is:reply"
        add(Source.Kind.SEARCH, query, named(SEARCH, channel), channel=channel, trust=60)


def add_rule(channel: Channel) -> None:
    """For the stream: in politics those who are first to know, in sport words of the game."""
    language, category = channel.market.language, channel.category.slug
    found = largest(language, category)[1:6] if category == "politics" else []
    rule = RULES.get(language, "") if category == "sport" else ""
    if found:
        rule = "(" + " OR ".join(f"from:{one.username}" for one in found) + ") -is:retweet -is:reply"
    if rule:
        add(Source.Kind.STREAM, rule, named(LIVE, channel), channel=channel, trust=60)


def add_global() -> None:
    """One account for every sport channel, so that a post stands in several markets."""
    best = largest("de", "sport")
    if best:
        sport = Category.objects.get(slug="sport")
        add(Source.Kind.ACCOUNT, best[0].username, best[0].name, category=sport, trust=60)

from typing import Any

from django.db import migrations

MARKETS = [
    ("de", "DE", ["de"], "Europe/Berlin", ("Deutschland", "Duitsland", "Γερμανία", "Germania", "Njemačka", "Germany")),
    ("nl", "NL", ["nl"], "Europe/Amsterdam", ("Niederlande", "Nederland", "Ολλανδία", "Țările de Jos", "Nizozemska", "Netherlands")),
    ("gr", "GR", ["el"], "Europe/Athens", ("Griechenland", "Griekenland", "Ελλάδα", "Grecia", "Grčka", "Greece")),
    ("ro", "RO", ["ro"], "Europe/Bucharest", ("Rumänien", "Roemenië", "Ρουμανία", "România", "Rumunjska", "Romania")),
    ("hr", "HR", ["hr"], "Europe/Zagreb", ("Kroatien", "Kroatië", "Κροατία", "Croația", "Hrvatska", "Croatia")),
]
CATEGORIES = [
    ("politics", ("Politik", "Politiek", "Πολιτική", "Politică", "Politika", "Politics")),
    ("economy", ("Wirtschaft", "Economie", "Οικονομία", "Economie", "Gospodarstvo", "Economy")),
    ("sport", ("Sport", "Sport", "Αθλητικά", "Sport", "Sport", "Sport")),
    ("celebrity", ("Prominente", "Sterren", "Διάσημοι", "Vedete", "Poznati", "Celebrities")),
]
LANGUAGES = ("de", "nl", "el", "ro", "hr", "en")


def names(words: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(LANGUAGES, words, strict=True))


def add(apps: Any, schema_editor: Any) -> None:
    Market, Category, Channel = (apps.get_model("regions", name) for name in ("Market", "Category", "Channel"))
    categories = [
        Category.objects.create(slug=slug, names=names(words), position=place)
        for place, (slug, words) in enumerate(CATEGORIES)
    ]
    for place, (code, country, languages, zone, words) in enumerate(MARKETS):
        market = Market.objects.create(
            code=code, country=country, languages=languages, time_zone=zone, names=names(words), position=place
        )
        Channel.objects.bulk_create(
            Channel(market=market, category=category, position=category.position) for category in categories
        )


class Migration(migrations.Migration):
    dependencies = [("regions", "0001_people_markets_and_lists")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]

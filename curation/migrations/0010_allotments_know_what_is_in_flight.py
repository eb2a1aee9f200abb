"""The next leader of the stream gives back what a killed one had drawn ahead, but for what may be in flight."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0009_enforcements_of_blocks")]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="in_flight",
            field=models.PositiveIntegerField(null=True),
        ),
    ]

"""X's own count tells of posts alone: what was drawn for accounts must not be given back by it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0012_fewer_indexes_of_candidates")]

    operations = [
        migrations.AddField(
            model_name="reservation",
            name="for_users",
            field=models.BooleanField(default=False),
        ),
    ]

"""A link by hand remembers the candidate that it made: so its card says who added it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0002_budget_pauses_and_groups")]

    operations = [
        migrations.AddField(
            model_name="ingestrun",
            name="added",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="links",
                to="curation.candidate",
            ),
        ),
    ]

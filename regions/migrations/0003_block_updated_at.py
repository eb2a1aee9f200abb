import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("regions", "0002_five_markets_four_categories")]
    operations = [
        migrations.AddField(
            "block",
            "updated_at",
            models.DateTimeField(auto_now=True, default=django.utils.timezone.now),
            preserve_default=False,
        )
    ]

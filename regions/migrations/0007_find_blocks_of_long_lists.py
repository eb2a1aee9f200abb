"""Lists of many thousand blocks are paged and counted by an index; so are blocks that end."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("regions", "0006_people_by_groups_and_by_invitation"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="block",
            index=models.Index(
                condition=models.Q(("block_list", None), ("lifted_at", None)),
                fields=["market", "channel", "id"],
                name="loose_blocks",
            ),
        ),
        migrations.AddIndex(
            model_name="block",
            index=models.Index(
                condition=models.Q(("block_list", None), ("lifted_at", None)),
                fields=["market", "channel", "kind", "id"],
                name="loose_blocks_of_a_kind",
            ),
        ),
        migrations.AddIndex(
            model_name="block",
            index=models.Index(
                condition=models.Q(("lifted_at", None)), fields=["block_list", "id"], name="blocks_of_a_list"
            ),
        ),
        migrations.AddIndex(
            model_name="block",
            index=models.Index(
                condition=models.Q(("ends_at__isnull", False), ("lifted_at", None)),
                fields=["ends_at"],
                name="blocks_that_end",
            ),
        ),
    ]

"""What waits too long is found channel by channel, since each has a limit of its own. The new index is made first."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q

PATIENT, AS_BEFORE = "SET statement_timeout = 0", "RESET statement_timeout"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("curation", "0022_keep_what_came_beside")]

    operations = [
        migrations.RunSQL(PATIENT, AS_BEFORE),
        AddIndexConcurrently(
            "candidate",
            models.Index(
                F("channel"), F("pending_since"), condition=Q(state="pending"), name="pending_by_age_in_channel"
            ),
        ),
        RemoveIndexConcurrently("candidate", "pending_by_age"),
        migrations.RunSQL(AS_BEFORE, PATIENT),
    ]

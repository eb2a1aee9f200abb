"""Each index that a new candidate enters costs ingest some microseconds. No reader loses one:

- tweet alone and (channel, tweet) become one (tweet, channel);
- pending ones by time stand in (channel, state, posted_at), as those of all other states do;
- who confirmed is listed only where somebody did.

All without holding up who reads or writes: the new ones are made first."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q

PATIENT, AS_BEFORE = "SET statement_timeout = 0", "RESET statement_timeout"


def one_candidate(*columns):
    """Puts the unique constraint of these columns in place of the one that is there."""
    return f"""
        DROP INDEX CONCURRENTLY IF EXISTS one_candidate_anew;
        CREATE UNIQUE INDEX CONCURRENTLY one_candidate_anew ON curation_candidate ({", ".join(columns)});
        ALTER TABLE curation_candidate DROP CONSTRAINT one_candidate_per_channel,
            ADD CONSTRAINT one_candidate_per_channel UNIQUE USING INDEX one_candidate_anew;
    """


def statements(text):
    """One by one, since CREATE INDEX CONCURRENTLY goes alone."""
    return [statement for statement in text.split(";") if statement.strip()]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("curation", "0011_read_the_log_by_time_and_verb"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(PATIENT, AS_BEFORE),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    statements(one_candidate("tweet_id", "channel_id")),
                    statements(one_candidate("channel_id", "tweet_id")),
                )
            ],
            state_operations=[
                migrations.RemoveConstraint("candidate", "one_candidate_per_channel"),
                migrations.AddConstraint(
                    "candidate",
                    models.UniqueConstraint(fields=["tweet", "channel"], name="one_candidate_per_channel"),
                ),
            ],
        ),
        AddIndexConcurrently(
            "candidate",
            models.Index(F("confirmed_by"), condition=Q(confirmed_by__isnull=False), name="confirmed_ones"),
        ),
        migrations.RenameIndex("candidate", new_name="each_state_by_time", old_name="decided_by_time"),
        RemoveIndexConcurrently("candidate", "queue_by_time"),
        migrations.AlterField(
            "candidate",
            "tweet",
            models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, to="curation.tweet"
            ),
        ),
        migrations.AlterField(
            "candidate",
            "confirmed_by",
            models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.RunSQL(AS_BEFORE, PATIENT),
    ]

"""The queue can be narrowed to what is held, offered, edited, sensitive, or waits for a second pair of eyes.

Each mark has an index of the few that wait and bear it, in the queue's order; what tweet and offer know is repeated
on the candidate for them. All without holding up who reads or writes."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F, Q

PATIENT, AS_BEFORE = "SET statement_timeout = 0", "RESET statement_timeout"
OF_TWEETS = """
UPDATE curation_candidate AS candidate
SET sensitive = tweet.sensitive, edited = tweet.current_id <> tweet.first_id
FROM curation_tweet AS tweet
WHERE tweet.id = candidate.tweet_id AND candidate.state = 'pending'
    AND (tweet.sensitive OR tweet.current_id <> tweet.first_id)
"""
OF_OFFERS = """
UPDATE curation_candidate AS candidate SET offered = true
FROM curation_offer AS offer WHERE offer.candidate_id = candidate.id
"""
MARKS = {
    "held": Q(held=True),
    "offered": Q(offered=True),
    "edited": Q(edited=True),
    "sensitive": Q(sensitive=True),
    "second": Q(confirmed_by__isnull=False),
}


def queue_of(name):
    return models.Index(
        F("channel"), F("rank").desc(), F("id").desc(), condition=Q(state="pending") & MARKS[name], name=f"queue_{name}"
    )


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("curation", "0017_drawn_posts_know_their_run")]

    operations = [
        migrations.RunSQL(PATIENT, AS_BEFORE),
        *(
            migrations.AddField("candidate", name, models.BooleanField(default=False, db_default=False))
            for name in ("offered", "edited", "sensitive")
        ),
        migrations.RunSQL(OF_TWEETS, migrations.RunSQL.noop),
        migrations.RunSQL(OF_OFFERS, migrations.RunSQL.noop),
        *(AddIndexConcurrently("candidate", queue_of(name)) for name in MARKS),
        migrations.RunSQL(AS_BEFORE, PATIENT),
    ]

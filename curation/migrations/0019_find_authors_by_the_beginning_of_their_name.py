"""The palette finds authors by how their @name begins, in either case."""

from django.contrib.postgres.indexes import OpClass
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper

PATIENT, AS_BEFORE = "SET statement_timeout = 0", "RESET statement_timeout"


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("curation", "0018_mark_what_the_queue_is_narrowed_to")]

    operations = [
        migrations.RunSQL(PATIENT, AS_BEFORE),
        AddIndexConcurrently(
            "author",
            models.Index(OpClass(Upper("username"), name="text_pattern_ops"), name="authors_by_beginning"),
        ),
        migrations.RunSQL(AS_BEFORE, PATIENT),
    ]

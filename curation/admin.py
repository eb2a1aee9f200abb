"""A look into rare rows, for chiefs. Nothing can be changed here: decisions are made on the desk and logged."""

from django.contrib import admin

from curation.models import Act, Author, Candidate, Decision, IngestRun, Quarantined, Tweet
from regions.admin import ReadOnly


@admin.register(Tweet)
class TweetAdmin(ReadOnly):
    list_display = ["current_id", "author", "lang", "created_at", "gone_at"]
    list_select_related = ["author"]


@admin.register(Author)
class AuthorAdmin(ReadOnly):
    list_display = ["username", "name", "followers", "protected"]
    search_fields = ["username"]


@admin.register(Candidate)
class CandidateAdmin(ReadOnly):
    list_display = ["id", "channel", "state", "version", "rank"]
    list_filter = ["state", "channel"]
    list_select_related = ["channel__market", "channel__category"]


@admin.register(Act)
class ActAdmin(ReadOnly):
    list_display = ["id", "verb", "by", "at"]


@admin.register(Decision)
class DecisionAdmin(ReadOnly):
    list_display = ["id", "verb", "by", "at", "market", "candidate", "version"]
    list_filter = ["verb", "market"]


@admin.register(IngestRun)
class IngestRunAdmin(ReadOnly):
    list_display = ["started_at", "source", "outcome", "read", "fresh", "candidates", "error"]
    list_filter = ["outcome", "market"]


@admin.register(Quarantined)
class QuarantinedAdmin(ReadOnly):
    list_display = ["at", "reason"]

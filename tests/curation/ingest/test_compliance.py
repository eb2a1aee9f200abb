"""Batch compliance: X goes through our posts, and what it tells is followed as a recheck is."""

import json
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from curation.config.settings import X_BATCH_COMPLIANCE, X_COMPLIANCE_HOSTS
from curation.ingest.rechecking import compliance
from curation.models import Candidate, ComplianceJob, Decision, IngestRun, Pause, Quarantined, Tweet
from curation.tasks import batch_compliance
from curation.x.client import Door, Page
from curation.x.compliance import Storage
from curation.x.outcomes import Unreachable
from curation.x.simulator import Simulator
from regions.models import Channel
from tests.cast import make_author, make_candidate, make_tweet

pytestmark = pytest.mark.django_db
TEXTS = ("Bleibt.", "Gelöscht.", "Geschützt.", "Gesperrt.")


@pytest.fixture
def x() -> Iterator[Simulator]:
    with Simulator(rate=0, catalogue=0, compliance_seconds=0.05) as simulator:
        for n in range(len(TEXTS)):
            simulator.account(f"blatt_{n}", category="politics", language="de")
        yield simulator


@pytest.fixture
def ask(x: Simulator) -> Door:
    return Door(x.base_url, x.token, read_seconds=2)


@pytest.fixture
def store(x: Simulator) -> Storage:
    return Storage([x.base_url])


@pytest.fixture
def posts(x: Simulator, de_politics: Channel) -> dict[str, Candidate]:
    """Four approved posts, of which three are not there any more."""
    found = {}
    for n, text in enumerate(TEXTS):
        account = x.world.account(f"blatt_{n}")
        assert account is not None
        number = int(x.post(account.username, text, at=timezone.now() - timedelta(minutes=20)))
        tweet = make_tweet(text, first_id=number, author=make_author(account.username, x_id=account.id))
        found[text] = make_candidate(de_politics, tweet=tweet, state="approved")
    x.delete(found["Gelöscht."].tweet.first_id)
    x.protect("blatt_2")
    x.suspend("blatt_3")
    return found


def collected(job: ComplianceJob, ask: Any, store: Any) -> IngestRun:
    for _ in range(100):
        if run := compliance.collect(job, timezone.now(), ask=ask, store=store):
            return run
        threading.Event().wait(0.05)
    raise AssertionError("the job does not end")


def test_what_X_says_is_gone_is_withdrawn(posts: dict[str, Candidate], ask: Door, store: Storage) -> None:
    job = compliance.hand_in(timezone.now(), ask=ask, store=store)
    assert job is not None
    assert job.asked == 4
    run = collected(job, ask, store)
    assert (run.kind, run.outcome, run.read, run.withdrawn, run.error) == ("compliance", "read", 3, 3, "")
    told = {text: Tweet.objects.get(pk=row.tweet_id).gone_cause for text, row in posts.items()}
    assert told == {"Bleibt.": "", "Gelöscht.": "deleted", "Geschützt.": "protected", "Gesperrt.": "suspended"}
    assert set(Tweet.objects.exclude(gone_at=None).values_list("text", "author")) == {("", None)}
    assert dict(Candidate.objects.values_list("state", "tweet__text")) == {"approved": "Bleibt.", "withdrawn": ""}
    job.refresh_from_db()
    assert (job.ended_at == run.started_at, job.run) == (True, run)


def test_nothing_is_taken_up_while_X_is_at_it(
    x: Simulator, posts: dict[str, Candidate], ask: Door, store: Storage
) -> None:
    x.compliance.seconds = 60
    job = compliance.hand_in(timezone.now(), ask=ask, store=store)
    assert job is not None
    assert compliance.collect(job, timezone.now(), ask=ask, store=store) is None
    assert IngestRun.objects.count() == 0


class Job:
    """A door whose job is complete, or what is given."""

    def __init__(self, **fields: Any) -> None:
        self.page = Page(raw=[{"id": "7", "status": "complete"} | fields])

    def begin_compliance_job(self, name: str) -> Page:
        return self.page

    def compliance_job(self, number: int) -> Page:
        return self.page


class Lines(Storage):
    """A storage that has these lines; `puts` counts what was put there."""

    def __init__(self, *lines: Any) -> None:
        super().__init__([])
        self.told = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]

    def lines(self, address: Any) -> Iterator[bytes]:
        yield from self.told


def line_of(candidate: Candidate, reason: str, **fields: Any) -> dict[str, Any]:
    return {"id": str(candidate.tweet.current_id), "action": "delete", "reason": reason} | fields


def job_there(**fields: Any) -> ComplianceJob:
    return ComplianceJob.objects.create(x_id=7, asked=4, **fields)


REASONS = [
    ("deleted", "deleted"), ("deactivated", "deleted"), ("bounced", "deleted"), ("protected", "protected"),
    ("suspended", "suspended"), ("scrub_geo", ""),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "cause"), REASONS)
def test_every_reason_has_its_outcome(reason: str, cause: str, posts: dict[str, Candidate]) -> None:
    row = posts["Bleibt."]
    run = compliance.collect(job_there(), timezone.now(), ask=Job(), store=Lines(line_of(row, reason)))
    assert run is not None
    assert (Tweet.objects.get(pk=row.tweet_id).gone_cause, run.withdrawn, run.quarantined) == (
        cause,
        int(bool(cause)),
        0,
    )


def test_lines_that_cannot_be_read_stop_no_other(posts: dict[str, Candidate]) -> None:
    row = posts["Bleibt."]
    lines = [b"{", b"\xff\x00", b"[1]", {"id": "x", "action": "delete"}, line_of(row, "unheard"), b"",
             line_of(row, "deleted", action="keep"), b"9" * 9_000, line_of(row, "deleted")]  # fmt: skip
    run = compliance.collect(job_there(), timezone.now(), ask=Job(), store=Lines(*lines))
    assert run is not None
    assert (run.outcome, run.withdrawn, run.read, run.quarantined) == ("read", 1, 8, 7)
    assert Quarantined.objects.count() == 7
    assert Decision.objects.get().reason == "deleted"


def test_what_was_checked_after_the_list_was_handed_in_stays(posts: dict[str, Candidate]) -> None:
    """A post that was protected for an hour, and was there again when a recheck looked."""
    row, other = posts["Bleibt."], posts["Geschützt."]
    job = job_there()
    Tweet.objects.filter(pk=row.tweet_id).update(checked_at=job.created_at)
    lines = Lines(line_of(row, "protected"), line_of(other, "protected"))
    run = compliance.collect(job, timezone.now(), ask=Job(), store=lines)
    assert run is not None
    assert (run.outcome, run.withdrawn) == ("read", 1)
    assert Tweet.objects.get(pk=row.tweet_id).gone_cause == ""


@pytest.mark.parametrize("cause", ["credits", "cap"])
def test_what_costs_nothing_ends_no_pause(cause: str, posts: dict[str, Candidate], ask: Door, store: Storage) -> None:
    before = timezone.now() - timedelta(minutes=20)
    Pause.objects.create(cause=cause, since=before, until=before + timedelta(minutes=15))
    job = compliance.hand_in(timezone.now(), ask=ask, store=store)
    assert job is not None
    assert collected(job, ask, store).outcome == "read"
    assert Pause.objects.get().ended_at is None


def test_the_one_try_of_a_pause_is_left_to_others(settings: Any, posts: dict[str, Candidate], x: Simulator) -> None:
    """While ingest pauses for everyone a list can wait, and who may read posts finds out whether that is over."""
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    before = timezone.now() - timedelta(minutes=20)
    pause = Pause.objects.create(cause="credits", since=before, until=before + timedelta(minutes=15))
    compliance.advance(timezone.now())
    job_there()
    compliance.advance(timezone.now())
    assert (Pause.objects.get().until, IngestRun.objects.count(), len(x.compliance.jobs)) == (pause.until, 0, 0)


def test_a_job_that_X_gave_up_ends(posts: dict[str, Candidate]) -> None:
    for page in (Job(status="failed"), Job(status="expired")):
        ComplianceJob.objects.all().delete()
        run = compliance.collect(job_there(), timezone.now(), ask=page, store=Lines())
        assert run is not None
        assert (run.outcome, run.error) == ("failed", "X gave the compliance job up.")
        assert ComplianceJob.objects.get().ended_at is not None


def test_a_result_that_breaks_off_is_taken_up_again(posts: dict[str, Candidate]) -> None:
    row = posts["Bleibt."]

    class Broken(Lines):
        def lines(self, address: Any) -> Iterator[bytes]:
            yield from self.told
            raise Unreachable("broke off")

    job = job_there()
    run = compliance.collect(job, timezone.now(), ask=Job(), store=Broken(line_of(row, "deleted")))
    job.refresh_from_db()
    assert run is not None
    assert (run.outcome, run.error, job.ended_at) == ("failed", "broke off", None)
    again = compliance.collect(job, timezone.now(), ask=Job(), store=Lines(line_of(row, "deleted")))
    assert again is not None
    assert again.outcome == "read"


def test_a_bad_token_pauses_everyone(x: Simulator, posts: dict[str, Candidate], store: Storage) -> None:
    assert compliance.hand_in(timezone.now(), ask=Door(x.base_url, "falsch"), store=store) is None
    run = IngestRun.objects.get()
    assert (run.outcome, Pause.objects.get().cause) == ("failed", "token")


def test_it_is_off_unless_it_is_switched_on(settings: Any, posts: dict[str, Candidate], x: Simulator) -> None:
    assert (X_BATCH_COMPLIANCE, X_COMPLIANCE_HOSTS) == (False, ["storage.googleapis.com"])
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    settings.X_COMPLIANCE_HOSTS = [x.base_url]
    batch_compliance()
    assert (ComplianceJob.objects.count(), len(x.compliance.jobs)) == (0, 0)
    with pytest.raises(CommandError, match="X_BATCH_COMPLIANCE"):
        call_command("compliance")
    settings.X_BATCH_COMPLIANCE = True
    batch_compliance()
    threading.Event().wait(0.1)
    batch_compliance()
    assert Candidate.objects.filter(state="withdrawn").count() == 3
    batch_compliance()
    assert ComplianceJob.objects.count() == 1
    ComplianceJob.objects.update(created_at=timezone.now() - timedelta(hours=25))
    batch_compliance()
    assert ComplianceJob.objects.count() == 2


def test_the_command_waits_and_tells(settings: Any, posts: dict[str, Candidate], x: Simulator) -> None:
    settings.X_API_BASE_URL, settings.X_BEARER_TOKEN = x.base_url, x.token
    settings.X_COMPLIANCE_HOSTS, settings.X_BATCH_COMPLIANCE = [x.base_url], True
    out = StringIO()
    call_command("compliance", wait=0.3, stdout=out)
    assert out.getvalue().splitlines()[-1] == "3 read, 3 withdrawn"


# The storage


class Kept(BaseHTTPRequestHandler):
    """Notes what is sent; answers as the server's `answers` say: status, headers, body."""

    def do_GET(self) -> None:
        server: Any = self.server
        length = int(self.headers.get("content-length") or 0)
        server.seen.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        status, headers, body = server.answer
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_PUT = do_GET

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def host() -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Kept)
    server.seen, server.answer = [], (200, {}, b"")
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_ids_are_put_one_a_line_without_the_token(host: Any) -> None:
    Storage([host.url]).put(f"{host.url}/submission?signature=s", [1, 22])
    ((method, path, headers, body),) = host.seen
    assert (method, path, body) == ("PUT", "/submission?signature=s", b"1\n22\n")
    assert headers["Content-Type"] == "text/plain"
    assert {name.lower() for name in headers} & {"authorization", "cookie"} == set()


ADDRESSES: list[Callable[[str], Any]] = [
    lambda url: "https://evil.example/a",
    lambda url: url.replace("http://", "http://storage@"),
    lambda url: url.replace("http://", "https://"),
    lambda url: url.replace("127.0.0.1", "localhost"),
    lambda url: "http://127.0.0.1:1/a",
    lambda url: "file:///etc/passwd",
    lambda url: "//127.0.0.1/a",
    lambda url: "http://[broken",
    lambda url: "http://127.0.0.1:port/",
    lambda url: None,
    lambda url: 7,
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_only_allowed_hosts_are_asked(address: Callable[[str], Any], host: Any) -> None:
    with pytest.raises(Unreachable, match="not allowed"):
        Storage([host.url]).put(address(host.url), [1])
    assert host.seen == []


def test_a_bare_name_means_https() -> None:
    assert Storage(["storage.example"]).allowed == {("https", "storage.example", 443)}
    assert Storage(["http://storage.example:8080"]).allowed == {("http", "storage.example", 8080)}


def test_no_redirect_is_followed_and_no_address_told(host: Any) -> None:
    host.answer = (302, {"location": f"{host.url}/other"}, b"")
    with pytest.raises(Unreachable) as refused:
        list(Storage([host.url]).lines(f"{host.url}/delivery?signature=s"))
    assert str(refused.value) == "X's storage for compliance answered 302."
    assert [path for _method, path, _headers, _body in host.seen] == ["/delivery?signature=s"]


def test_lines_come_whole_and_bounded(host: Any) -> None:
    host.answer = (200, {}, b"eins\r\nzwei\n" + b"x" * 200_000 + b"\nende")
    lines = list(Storage([host.url]).lines(host.url))
    assert [len(line) for line in lines] == [4, 4, 10_000, 4]
    assert (lines[0], lines[3]) == (b"eins", b"ende")
    with pytest.raises(Unreachable, match="too long"):
        list(Storage([host.url], largest=100_000).lines(host.url))


def test_silence_ends(host: Any) -> None:
    host.answer = (200, {"content-length": "50"}, b"eins\n")
    with pytest.raises(Unreachable, match="broke off"):
        list(Storage([host.url], read_seconds=0.2).lines(host.url))

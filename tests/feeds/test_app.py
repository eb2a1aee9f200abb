"""The ticker's page and what makes an app of it: whose, in which language, under which policy, kept by what."""

import json
import re
import struct
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.staticfiles import finders
from django.core.files.storage import FileSystemStorage
from django.core.management import CommandError, call_command
from pytest_django import Settings

from curation.config.storage import Hashed
from feeds import installing
from feeds.models import Consumer, Mode
from feeds.module import integrity, served
from regions.models import Channel

pytestmark = pytest.mark.django_db
ROOT = django_settings.BASE_DIR


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    """The ticker's files as collectstatic leaves them."""
    storage = Hashed(location=tmp_path, base_url="/static/")
    source = ROOT / "static"
    names = [str(path.relative_to(source)) for path in (source / "feeds").rglob("*") if path.is_file()]
    paths: dict[str, Any] = {name: (FileSystemStorage(location=source), name) for name in names}
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((source / name).read_bytes())
    assert [error for *_names, error in storage.post_process(paths) if isinstance(error, Exception)] == []
    return tmp_path


def test_documented_tag_is_true(collected: Path) -> None:
    """The name that collectstatic gives, and the hash of the very bytes under it."""
    said = (ROOT / "docs/ticker.md").read_text()
    names = {path.name: path.read_bytes() for path in collected.glob("feeds/ticker.*.js")}
    [(name, told)] = re.findall(r'src="[^"]*/static/feeds/(ticker\.[0-9a-f]{12}\.js)"\s+integrity="([^"]+)"', said)
    assert {name: told} == {kept: integrity(body) for kept, body in names.items()}
    assert names[name] == (ROOT / "static/feeds/ticker.js").read_bytes()


def test_command_prints_the_tags(de_politics: Channel, settings: Settings) -> None:
    out = StringIO()
    settings.PUBLIC_FEED_URL, settings.PICTURE_BASE = "https://ticker.example/api/v1/feeds/", "/pictures/"
    call_command("ticker_tag", "de", "politics", key="k" * 16, stdout=out)
    script, element, _blank, policy = out.getvalue().strip().split("\n")
    assert script == (
        '<script type="module" src="https://ticker.example/static/feeds/ticker.js"'
        f' integrity="{integrity(served("feeds/ticker.js"))}" crossorigin="anonymous"></script>'
    )
    assert element == (
        '<telekom-ticker market="de" category="politics" key="kkkkkkkkkkkkkkkk"'
        ' feed-base="https://ticker.example/api/v1/feeds" media-base="https://ticker.example/pictures/"></telekom-ticker>'
    )
    assert policy.split(": ", 1)[1] == (
        "script-src https://ticker.example; connect-src https://ticker.example; img-src https://ticker.example"
    )


@pytest.mark.parametrize(
    ("base", "mark", "images"),
    [
        ("", "", "https://pbs.twimg.com https://video.twimg.com"),
        ("none", ' media-base="none"', "'none'"),
        ("https://pictures.example/x/", ' media-base="https://pictures.example/x/"', "https://pictures.example"),
    ],
)
def test_command_prints_what_shows_pictures_here(
    de_politics: Channel, settings: Settings, base: str, mark: str, images: str
) -> None:
    """Only nginx answers /pictures/: without it the command must not name it."""
    out = StringIO()
    settings.PICTURE_BASE = base
    call_command("ticker_tag", "de", stdout=out)
    _script, element, _blank, policy, *more = out.getvalue().strip().split("\n")
    assert element.split("/api/v1/feeds")[1] == f'"{mark}></telekom-ticker>'
    assert policy.split("img-src ")[1] == images
    assert ("PICTURE_BASE=/pictures/" in " ".join(more)) == (not base)


@pytest.mark.parametrize("place", [("xx",), ("de", "nothing")])
def test_command_knows_no_such_place(place: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("ticker_tag", *place)


def test_page_is_the_markets_under_a_policy_of_its_own(browse: Any, de_politics: Channel, settings: Settings) -> None:
    consumer = Consumer.objects.create(name="App", mode=Mode.FULL)
    settings.PICTURE_BASE = "/pictures/"
    answer = browse().get("/ticker/de/politics/", headers={"accept-language": "nl"})
    page = answer.content.decode()
    assert '<html lang="de">' in page and answer["Content-Language"] == "de"
    assert f'key="{consumer.key}" heading="Politik" media-base="/pictures/"' in page
    assert f'integrity="{integrity(served("feeds/ticker.js"))}"' in page
    tabs = re.findall(r'<a href="(/ticker/[^"]*)"( aria-current="page")?>([^<]+)</a>', page)
    assert tabs[:2] == [("/ticker/de/", "", "Alle"), ("/ticker/de/politics/", ' aria-current="page"', "Politik")]
    assert len(tabs) == 1 + Channel.objects.active().filter(market__code="de").count()
    policy = dict(line.strip().split(" ", 1) for line in answer["Content-Security-Policy"].split(";"))
    hosts = " ".join(settings.PICTURE_HOSTS)
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "connect-src": "'self'",
        "img-src": f"'self' {hosts}", "manifest-src": "'self'", "worker-src": "'self'", "base-uri": "'none'",
        "form-action": "'none'", "frame-ancestors": "'none'",
    }  # fmt: skip


def test_manifest_is_of_the_page(browse: Any, de_politics: Channel) -> None:
    answer = browse().get("/ticker/de/politics/app.webmanifest")
    assert answer["Content-Type"] == "application/manifest+json"
    told = answer.json()
    assert (told["id"], told["start_url"], told["scope"]) == ("/ticker/de/politics/",) * 2 + ("/ticker/de/",)
    assert (told["name"], told["short_name"], told["lang"]) == ("Ticker · Politik", "Politik", "de")
    for icon in told["icons"]:
        body = Path(finders.find(icon["src"].removeprefix("/static/")) or "").read_bytes()
        if icon["type"] == "image/png":
            assert "{}x{}".format(*struct.unpack(">II", body[16:24])) == icon["sizes"]
    assert browse().get("/ticker/de/app.webmanifest").json()["start_url"] == "/ticker/de/"


@pytest.mark.parametrize("path", ["xx/", "de/nothing/", "xx/app.webmanifest", "de/nothing/app.webmanifest"])
def test_nothing_of_what_is_not_there(browse: Any, path: str) -> None:
    assert browse().get(f"/ticker/{path}").status_code == 404


def test_worker_is_confined_and_changes_with_what_it_keeps(browse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = browse().get("/ticker/worker.js")
    assert answer["Content-Type"].startswith("text/javascript") and answer["Cache-Control"] == "no-cache"
    assert "Service-Worker-Allowed" not in answer
    kept = json.loads(answer.content.decode().split("\n")[0].removeprefix("self.KEPT = ").rstrip(";"))
    assert kept["shell"] == [f"/static/{name}" for name in installing.SHELL]
    renewed = {name: served(name) + b"\n" for name in ("feeds/ticker.js",)}
    monkeypatch.setattr(installing, "served", lambda name: renewed.get(name) or served(name))
    assert kept["version"] not in installing.worker()

"""One's own page: what it shows, what it keeps, what it refuses; and which columns are folded."""

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from curation.keyboard import ACTS, DEFAULTS, bindings
from curation.preferences import fold
from regions.models import Channel, User

PAGE, LAYOUT = "/profile/", "/profile/layout/"
KEYS = {f"key_{act}": key for act, key in DEFAULTS.items()}
PLAIN = {"language": "", "time_zone": "", "theme": "system", **KEYS}


def errors_in(html: str) -> dict[str, str]:
    """Field -> the sentence at it."""
    return dict(re.findall(r'<p class="danger" id="id_(\w+)_error">(.*?)</p>', html))


def value_in(html: str, name: str) -> str:
    return re.findall(rf'<input[^>]* name="{name}"[^>]*?(?: value="([^"]*)")?[^>]*>', html)[0]


def test_the_page_shows_who_one_is_and_what_one_chose(browse: Any, anna: User) -> None:
    anna.language, anna.time_zone, anna.theme, anna.keys = "en", "Europe/Athens", "dark", {"own": {"pin": "Shift+p"}}
    anna.save()
    html = browse(anna).get(PAGE).content.decode()
    assert re.findall(r"<p><bdi>(.*?)</bdi> · (.*?) · (.*?) · <a", html) == [("Anna Amsel", "anna", "DE editor")]
    assert re.findall(r'<option value="([^"]+)" selected>', html) == ["en", "Europe/Athens", "dark"]
    assert [value_in(html, f"key_{act}") for act in ("approve", "pin", "block_reason")] == ["a", "Shift+p", "Shift+b"]
    assert html.count('class="key-field"') == len(ACTS)


def test_what_is_sent_is_kept(browse: Any, anna: User) -> None:
    client = browse(anna)
    sent = PLAIN | {
        "language": "de",
        "time_zone": "Europe/Bucharest",
        "theme": "light",
        "key_approve": "Y",
        "off": "on",
    }
    response = client.post(PAGE, sent)
    assert (response.status_code, response.url) == (302, PAGE)
    anna.refresh_from_db()
    assert (anna.language, anna.time_zone, anna.theme) == ("de", "Europe/Bucharest", "light")
    assert anna.keys == {"off": True, "own": {"approve": "y"}}
    assert '<html lang="de" data-theme="light"' in client.get(PAGE).content.decode()


def test_times_are_shown_in_the_zone_one_chose(browse: Any, anna: User, de_politics: Channel) -> None:
    browse(anna).post(PAGE, PLAIN | {"time_zone": "Pacific/Auckland"})
    assert "Pacific/Auckland" in browse(anna).get("/my/decisions/").content.decode()


REFUSED = [
    ({"time_zone": "Europe/Atlantis"}, {"time_zone": "There is no such time zone."}),
    ({"time_zone": "../../etc/passwd"}, {"time_zone": "There is no such time zone."}),
    ({"key_pin": "a"}, {
        "key_approve": "“pin” has this key too.", "key_pin": "“approve” has this key too.",
    }),
    ({"key_pin": "3"}, {"key_pin": "Digits change the category."}),
    ({"key_pin": "pp"}, {"key_pin": "One character, or Shift+ and a letter."}),
    ({"key_pin": "p" * 500}, {"key_pin": "One character, or Shift+ and a letter."}),
    ({"key_pin": "Shift+?"}, {"key_pin": "Shift+ goes with a letter from A to Z."}),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "told"), REFUSED, ids=[str(sent)[:40] for sent, _told in REFUSED])
def test_what_is_refused_is_told_at_its_field_and_nothing_is_lost(
    browse: Any, anna: User, sent: dict[str, str], told: dict[str, str]
) -> None:
    wish = PLAIN | {"language": "en", "theme": "dark", "key_skip": "ö", "off": "on"} | sent
    response = browse(anna).post(PAGE, wish)
    html = response.content.decode()
    assert (response.status_code, errors_in(html)) == (422, told)
    assert {name: value_in(html, name) for name in wish if name.startswith("key_")} == {
        name: value for name, value in wish.items() if name.startswith("key_")
    }
    assert re.search(r'<input type="checkbox" name="off"[^>]* checked', html)
    assert '<option value="dark" selected>' in html
    for name in told:
        assert re.search(rf'name="{name}"[^>]* aria-invalid="true"[^>]*aria-describedby="id_{name}_error"', html)
    anna.refresh_from_db()
    assert (anna.language, anna.theme, anna.keys) == ("", "system", {})


def test_languages_and_themes_are_those_there_are(browse: Any, anna: User) -> None:
    response = browse(anna).post(PAGE, PLAIN | {"language": "tlh", "theme": "neon"})
    assert (response.status_code, set(errors_in(response.content.decode()))) == (422, {"language", "theme"})


def test_the_usual_keys_come_back_with_the_rest_kept(browse: Any, anna: User) -> None:
    anna.keys = {"own": {"pin": "y"}}
    anna.save()
    browse(anna).post(PAGE, PLAIN | {"theme": "dark", "key_pin": "a", "defaults": "1"})
    anna.refresh_from_db()
    assert (anna.keys, anna.theme, bindings(anna)) == ({}, "dark", DEFAULTS)


def test_a_zone_of_an_old_name_stays(browse: Any, anna: User) -> None:
    anna.time_zone = "Etc/GMT-2"
    anna.save()
    assert browse(anna).post(PAGE, PLAIN | {"time_zone": "Etc/GMT-2"}).status_code == 302


def test_as_the_browser_forgets_the_language_chosen_before(browse: Any, anna: User) -> None:
    client = browse(anna)
    client.post("/language/", {"language": "de", "next": "/"})
    client.post(PAGE, PLAIN)
    assert '<html lang="nl"' in client.get(PAGE, headers={"Accept-Language": "nl"}).content.decode()


def test_the_ways_to_the_account_are_there(browse: Any, anna: User) -> None:
    html = browse(anna).get(PAGE).content.decode()
    ways = re.findall(r'<a class="button button--small" href="(/accounts/[^"]*)"', html)
    assert ways == ["/accounts/password/change/", "/accounts/2fa/totp/activate/", "/accounts/2fa/webauthn/add/",
                    "/accounts/sessions/"]  # fmt: skip
    for kind in ("totp", "webauthn", "recovery_codes"):
        Authenticator.objects.create(user=anna, type=kind, data={})
    html = browse(anna).get(PAGE).content.decode()
    ways = re.findall(r'<a class="button button--small" href="(/accounts/[^"]*)"', html)
    assert ways == ["/accounts/password/change/", "/accounts/2fa/totp/deactivate/", "/accounts/2fa/webauthn/",
                    "/accounts/2fa/recovery-codes/", "/accounts/sessions/"]  # fmt: skip
    assert "1 passkey<" in html


def test_every_page_leads_to_the_profile(browse: Any, anna: User, de_politics: Channel) -> None:
    for path in ("/desk/de/", "/my/decisions/", PAGE):
        assert f'href="{PAGE}"' in browse(anna).get(path).content.decode()


def test_strangers_log_in_first_and_guests_have_a_profile_too(browse: Any, guest: User) -> None:
    assert browse().get(PAGE).status_code == 302
    assert browse().post(LAYOUT, {"column": "live"}).status_code == 302
    assert browse(guest).get(PAGE).status_code == 200


def test_a_forged_profile_is_refused(anna: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna, backend="django.contrib.auth.backends.ModelBackend")
    assert [client.post(path, PLAIN).status_code for path in (PAGE, LAYOUT)] == [403, 403]


def body_classes(html: str) -> list[str]:
    return re.findall(r'<body\b[^>]* class="([^"]*)"', html)[0].split()


def test_folded_columns_are_remembered(browse: Any, anna: User, de_politics: Channel) -> None:
    client = browse(anna)
    for column, folded in (("live", "1"), ("phone", "true"), ("phone", "0"), ("rail", "")):
        assert client.post(LAYOUT, {"column": column, "folded": folded}).status_code == 204
    anna.refresh_from_db()
    assert anna.layout == {"live": True, "phone": False, "rail": False}
    assert body_classes(client.get("/desk/de/").content.decode()) == ["shell", "desk", "is-live-folded"]


def test_two_columns_folded_at_a_time_both_stay(anna: User) -> None:
    stale = User.objects.get(pk=anna.pk)
    fold(anna, "live", folded=True)
    fold(stale, "rail", folded=True)
    anna.refresh_from_db()
    assert anna.layout == {"live": True, "rail": True}


def test_a_plain_form_leads_back_and_only_to_the_house(browse: Any, anna: User) -> None:
    sent = {"column": "live", "folded": "1"}
    assert browse(anna).post(LAYOUT, sent | {"next": "/desk/de/"}).url == "/desk/de/"
    assert browse(anna).post(LAYOUT, sent | {"next": "//evil.example/"}).status_code == 204


@pytest.mark.parametrize(
    ("column", "folded"), [("", "1"), ("main", "1"), ("live phone", "1"), ("x" * 10_000, "1"), ("live", "perhaps")]
)
def test_what_is_no_column_is_refused(browse: Any, anna: User, column: str, folded: str) -> None:
    assert browse(anna).post(LAYOUT, {"column": column, "folded": folded}).status_code == 400
    anna.refresh_from_db()
    assert anna.layout == {}


@pytest.mark.parametrize("layout", [[], "live", None, {"live": "yes"}])
def test_a_layout_that_is_none_folds_nothing(layout: Any) -> None:
    assert User(layout=layout).folded == []

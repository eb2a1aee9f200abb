"""Erasing an author: leads and the chief alone, by POST alone, the name typed; foreign markets show only numbers."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from curation import operations
from curation.models import Author, Candidate, ErasedAuthor, State, Tweet
from regions.models import Change, Channel, Source, User
from tests.cast import make_author, make_block, make_candidate, make_tweet
from tests.curation.test_desk import text_of

FIND, ERASE = "/erase/de/", "/erase/de/author/"


@pytest.fixture
def author(de_politics: Channel, nl_politics: Channel) -> Author:
    """Three posts: live in DE and in NL, and one that waits."""
    author = make_author("stadtblatt", name="Das Stadtblatt")
    for channel, state in ((de_politics, "approved"), (nl_politics, "approved"), (de_politics, "pending")):
        make_candidate(channel, tweet=make_tweet(author=author), state=state)
    return author


@pytest.mark.parametrize("asked", ["@stadtblatt", "StadtBlatt", "id"])
def test_what_is_known_is_shown_first(browse: Any, lena: User, author: Author, asked: str) -> None:
    given = str(author.x_id) if asked == "id" else asked
    said = text_of(browse(lena).post(FIND, {"author": given}))
    for words in ("@stadtblatt", "Posts stored 3", "Approved in DE Politics 1", "Approved in other markets 1",
                  "Type stadtblatt to erase this author", "What stays: the numbers of the posts",
                  "A block of the account stays too, by its number at X."):  # fmt: skip
        assert words in said
    assert "NL" not in said.split("Posts stored")[1]
    assert Tweet.objects.filter(author=author).count() == 3


def test_sources_and_words_of_other_markets_are_only_numbers(
    browse: Any, lena: User, author: Author, de_politics: Channel, nl_politics: Channel
) -> None:
    for channel in (de_politics, nl_politics):
        Source.objects.create(kind="account", value="stadtblatt", channel=channel)
        Source.objects.create(kind="search", value=f"from:stadtblatt {channel.market.code}word", channel=channel)
    make_block("stadtblatt", "author")
    said = text_of(browse(lena).post(FIND, {"author": "stadtblatt"}))
    assert "Source that is paused for good" in said
    assert "Sources in other markets that are paused for good 1" in said
    assert "Blocks of this author, which go on by the id 1" in said
    assert ("deword" in said, "nlword" in said, "(1 in other markets)" in said) == (True, False, True)


def test_the_name_typed_erases(browse: Any, lena: User, author: Author) -> None:
    client = browse(lena)
    sent = {"author": author.x_id, "typed": " @Stadtblatt "}
    assert client.post(ERASE, sent).url == FIND
    assert ErasedAuthor.objects.count() == 1
    assert not Author.objects.filter(pk=author.pk).exists()
    assert set(Tweet.objects.values_list("text", "gone_cause")) == {("", "erased")}
    assert set(Candidate.objects.values_list("state", flat=True)) == {State.WITHDRAWN}
    assert Change.objects.get(verb="erase").by == lena
    said = text_of(client.get(FIND))
    assert "Erased: 3 posts. 2 approved ones left their feeds. Nothing of this author is read again." in said
    assert "stadtblatt" not in said


def test_sources_that_end_with_it_are_told(browse: Any, lena: User, author: Author, de_politics: Channel) -> None:
    Source.objects.create(kind="account", value="stadtblatt", channel=de_politics)
    answer = browse(lena).post(ERASE, {"author": author.x_id, "typed": "stadtblatt"}, follow=True)
    assert "1 source is paused for good. Nothing of this author is read again." in text_of(answer)


@pytest.mark.parametrize("typed", ["", "stadt", "stadtblatt2", "Das Stadtblatt"])
def test_another_name_typed_erases_nothing(browse: Any, lena: User, author: Author, typed: str) -> None:
    response = browse(lena).post(ERASE, {"author": author.x_id, "typed": typed})
    assert response.status_code == 422
    assert "Nothing was erased." in text_of(response)
    assert Tweet.objects.exclude(text="").count() == 3


def test_one_never_seen_is_erased_by_id(browse: Any, lena: User, db: None) -> None:
    client = browse(lena)
    said = text_of(client.post(FIND, {"author": "77"}))
    assert "Nothing of theirs is stored." in said
    client.post(ERASE, {"author": "77", "typed": "77"})
    assert ErasedAuthor.objects.count() == 1


def test_a_name_alone_is_something_stored(browse: Any, lena: User, db: None) -> None:
    make_author("stadtblatt")
    said = text_of(browse(lena).post(FIND, {"author": "stadtblatt"}))
    assert ("Posts stored 0" in said, "Nothing of theirs is stored." in said) == (True, False)


@pytest.mark.parametrize("given", ["nobody", "@", "0", "9" * 30, "x" * 61, "a\0b", ""])
def test_an_unknown_author_is_told(browse: Any, lena: User, db: None, given: str) -> None:
    response = browse(lena).post(FIND, {"author": given})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"author": ""}, "Type the author's name at X, or the id."),
        ({"author": "  "}, "Type the author's name at X, or the id."),
        ({}, "Type the author's name at X, or the id."),
        ({"author": "x" * 61}, "No author of that name is known here."),
    ],
)
def test_without_a_name_one_is_asked_for_it(browse: Any, lena: User, sent: dict[str, str], sentence: str) -> None:
    for address in (FIND, ERASE):
        answer = browse(lena).post(address, sent)
        html = answer.content.decode()
        assert (answer.status_code, sentence in text_of(answer).replace("&#x27;", "'")) == (422, True)
        assert 'aria-invalid="true" aria-describedby="author-told"' in html


@pytest.mark.parametrize(("language", "misleading"), [("de", "Account löschen"), ("el", "Διαγραφή λογαριασμού")])
def test_no_page_offers_to_erase_an_account(browse: Any, lena: User, language: str, misleading: str) -> None:
    """What is stored of it goes; the account itself stands at X."""
    User.objects.filter(pk=lena.pk).update(language=language)
    said = text_of(browse(User.objects.get(pk=lena.pk)).get(FIND))
    assert f'lang="{language}"' in browse(User.objects.get(pk=lena.pk)).get(FIND).content.decode()
    assert misleading not in said


def test_nothing_is_erased_by_get(browse: Any, lena: User, author: Author) -> None:
    assert browse(lena).get(ERASE, {"author": author.x_id, "typed": "stadtblatt"}).status_code == 405
    assert browse(lena).get(FIND, {"author": "stadtblatt"}).status_code == 200
    assert not ErasedAuthor.objects.exists()


def test_only_leads_and_the_chief_may(
    browse: Any, anna: User, vera: User, bram: User, eleni: User, chief: User, author: Author
) -> None:
    sent = {"author": author.x_id, "typed": "stadtblatt"}
    for user, status in ((anna, 403), (vera, 403), (bram, 404), (eleni, 404)):
        answers = [browse(user).get(FIND), browse(user).post(FIND, sent), browse(user).post(ERASE, sent)]
        assert [answer.status_code for answer in answers] == [status] * 3
    assert browse().post(ERASE, sent).status_code == 302
    assert not ErasedAuthor.objects.exists()
    assert browse(chief).post(ERASE, sent).status_code == 302
    assert ErasedAuthor.objects.count() == 1


def test_a_forged_form_erases_nothing(lena: User, author: Author) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(lena, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post(ERASE, {"author": author.x_id, "typed": "stadtblatt"}).status_code == 403
    assert not ErasedAuthor.objects.exists()


def test_leads_find_the_way_and_editors_do_not(browse: Any, lena: User, anna: User, db: None) -> None:
    for path in ("/", "/desk/de/politics/"):
        assert f'href="{FIND}"' in browse(lena).get(path).content.decode()
    assert FIND not in browse(anna).get("/desk/de/politics/").content.decode()


def test_an_erased_post_shows_no_name_on_the_desk(
    browse: Any, anna: User, lena: User, author: Author, de_politics: Channel
) -> None:
    operations.erase_author(author.x_id, by=lena, now=timezone.now())
    seen = {"decision": 0, "candidate": 0}
    said = text_of(browse(anna).get("/desk/de/politics/changes/", seen, headers={"HX-Request": "true"}))
    assert "Its author asked to be erased" in said
    assert "Stadtblatt" not in said

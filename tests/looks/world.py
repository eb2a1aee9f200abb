"""A market on a busy day: of each state that the desk draws at least one. People, accounts and posts are invented."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils import timezone
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData, CollectedClientData

from curation import operations
from curation.models import Act, Candidate, Hit, IngestRun, Offer, Pause, Quarantined, Verb
from feeds.holding import BLANK, hold
from feeds.models import Consumer
from feeds.operations import publish
from feeds.vitals import note
from regions.invitations import invite
from regions.models import Block, BlockList, Market, Role, Source, SourceExemption, User
from tests.cast import channel_of, make_author, make_block, make_candidate, make_tweet, make_user

PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
PICTURES = [
    {"type": "photo", "url": PIXEL, "alt": "Die Brücke über die Linde im Morgennebel, davor zwei Kähne."},
    {"type": "video", "preview_url": PIXEL, "alt": ""},
]
AUTHOR = "verkehrsverbund_mittelmark_nord"
LONG = (
    "Der Landtag hat den Nachtragshaushalt mit 84 zu 61 Stimmen beschlossen. 412 Mio. Euro gehen an Kommunen für "
    "Kita-Plätze und Brücken. Abstimmung nach Fraktionen: https://ltweserland.example/haushalt #Nachtragshaushalt"
)
PARTS = {"source": 30.2, "freshness": 22.1, "engagement": 18.4, "author": 14.0, "language": 10.0, "similar": -2.0}


@dataclass(frozen=True)
class World:
    """`values` fill the addresses of sights."""

    people: dict[str, User]
    values: dict[str, str]

    def session(self, name: str) -> str:
        """Logged in with the password a moment ago, as what guards an account asks."""
        client = Client()
        person = self.people[name]
        locks = list(Authenticator.objects.filter(user=person))
        Authenticator.objects.filter(user=person).delete()
        client.post("/accounts/login/", {"login": name, "password": name})
        client.post("/accounts/reauthenticate/", {"password": name})
        for lock in locks:
            lock.save(force_insert=True)
        return client.cookies["sessionid"].value

    def speak(self, language: str) -> None:
        User.objects.update(language=language)


def busy() -> World:
    people = cast()
    politics, market = channel_of("de", "politics"), Market.objects.get(code="de")
    wire = {"entities": {"hashtags": []}, "refs": [], "edit_ids": ["1"], "media": PICTURES}
    quoted = make_tweet("Erste Zahlen aus Lindmark ab 18 Uhr.", author=make_author("wahlamt_lindmark"))
    wire |= {"refs": [{"type": "quoted", "id": str(quoted.current_id)}, {"type": "replied_to", "id": "77"}]}
    wire |= {"poll": {"options": [{"label": "ja", "votes": 3}, {"label": "nein", "votes": 1}]}}
    author = make_author(AUTHOR, name="Verkehrsverbund Mittelmark und Oberes Weserland")
    first = make_candidate(politics, tweet=make_tweet(LONG, wire=wire, author=author), rank=90, rank_parts=PARTS)
    make_candidate(politics, "Stau auf der Brücke, Fassung eins", rank=20, hidden=True, group=first)
    waiting(people, first)
    on_air(people)
    past(people)
    pause = Pause.Cause.DAY
    Pause.objects.create(market=market, cause=pause, until=timezone.now() + timedelta(hours=3))
    Consumer.objects.create(name="App")
    for code in ("de", "gr"):
        publish(Market.objects.get(code=code).pk)
    held = channel_of("gr", "celebrity")
    hold(held.market, held, BLANK, reason="Eine Richtigstellung wird abgewartet.", by=people["mila"])
    _offered, token = invite(market, Role.EDITOR, by=people["mila"], now=timezone.now())
    note(timezone.now())
    source = listed(people)
    run = IngestRun.objects.create(
        market=market, source=source, outcome="read", read=40, fresh=9, known=30, quarantined=1
    )
    told = {"id": "77", "text": LONG, "author_id": str(author.pk), "created_at": "2026-11-22T10:00:00Z"}
    aside = Quarantined.objects.create(run=run, reason="the post names no author", payload=told, beside={"users": []})
    lock = Authenticator.objects.get(type="webauthn", user=people["tara"])
    return World(
        people,
        {
            "first": str(first.pk),
            "post": str(first.tweet.current_id),
            "passkey": str(lock.pk),
            "source": str(source.pk),
            "token": token,
            "aside": str(aside.pk),
            "block": str(Block.objects.latest("pk").pk),
            "block_list": str(BlockList.objects.latest("pk").pk),
        },
    )


def cast() -> dict[str, User]:
    """Mila leads two markets, edits a third; Ben edits; Vera looks; Gus belongs nowhere; Tara has every second step."""
    lead = {"de": Role.LEAD, "gr": Role.LEAD, "nl": Role.EDITOR}
    people = {
        "mila": make_user("mila", lead, first_name="Katharina Wilhelmine", last_name="Sommerau-Lindenberg"),
        "ben": make_user("ben", {"de": Role.EDITOR}, first_name="Ben", last_name="Buche"),
        "vera": make_user("vera", {"de": Role.VIEWER}, first_name="Vera", last_name="Veilchen"),
        "gus": make_user("gus"),
        "cleo": make_user("cleo", is_superuser=True, is_staff=True),
        "fay": make_user("fay", {"de": Role.EDITOR}, layout=dict.fromkeys(("rail", "live", "phone"), True)),
        "tara": make_user("tara", {"de": Role.EDITOR}),
        "toni": make_user("toni", {"de": Role.EDITOR}),
    }
    locks = {"webauthn": {"name": "Diensthandy", "credential": passkey()}}
    locks |= {"recovery_codes": {"seed": "a" * 40, "used_mask": 0}}
    for kind, told in locks.items():
        Authenticator.objects.create(user=people["tara"], type=kind, data=told)
    return people


def passkey() -> dict[str, object]:
    """A credential as a browser tells it; nobody holds its private half."""
    public = ES256({1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32})
    held = AttestedCredentialData.create(Aaguid.NONE, name := b"passkey-of-tara-", public)
    flags = AuthenticatorData.FLAG.AT | AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV
    told = AttestationObject.create("none", AuthenticatorData.create(b"r" * 32, flags, 1, held), {})
    asked = CollectedClientData.create("webauthn.create", b"c" * 16, "http://localhost")
    return {
        "id": websafe_encode(name), "rawId": websafe_encode(name), "type": "public-key", "clientExtensionResults": {},
        "response": {"clientDataJSON": websafe_encode(asked), "attestationObject": websafe_encode(told)},
    }  # fmt: skip


def waiting(people: dict[str, User], first: Candidate) -> None:
    """In the queue below the first: held with its word, offered, edited and sensitive, approved once."""
    politics = first.channel
    words = "Demo für mehr Busse: Zwei warfen Böller, die Polizei nahm Personalien auf."
    held = make_candidate(politics, words, rank=80)
    listed = BlockList.objects.create(name="Gewalt", market=politics.market)
    block = make_block("böller", block_list=listed, effect="hold", market=politics.market, created_by=people["mila"])
    Hit.objects.create(candidate=held, block=block, start=words.index("Böller"), end=words.index("Böller") + 6)
    Candidate.objects.filter(pk=held.pk).update(held=True)
    act = Act.objects.create(verb=Verb.OFFER, by=people["mila"])
    offered = make_candidate(politics, "Ab 1. Dezember gilt das Pendlerticket.", rank=70, brought_by=act, offered=True)
    note = "Bei uns Thema Nr. 1, betrifft auch eure Pendler."
    nl = Market.objects.get(code="nl")
    Offer.objects.create(candidate=offered, origin_market=nl, by=people["mila"], note=note)
    edited = make_tweet("Die Pressekonferenz beginnt um 10.30 Uhr.", sensitive=True, first_id=8, current_id=9)
    make_candidate(politics, tweet=edited, rank=60)
    make_candidate(politics, "Bund der Gemeinden: Zahl des Tages.", rank=50, confirmed_by=people["ben"])
    for rank in range(40, 30, -1):
        make_candidate(politics, f"Stadtrat Oberhagen: Sondersitzung zum Nahverkehr, Teil {rank}.", rank=rank)
    for category in ("sport", "economy"):
        make_candidate(channel_of("gr", category), "Σύνοδος για τις γέφυρες: κράτος και περιφέρειες συμφώνησαν.")
    make_candidate(channel_of("nl", "politics"), offered=True)


def listed(people: dict[str, User]) -> Source:
    """Sources of each origin: one that reads, one that fails, one that could go, a global one that is left out."""
    market, now, mila = Market.objects.get(code="de"), timezone.now(), people["mila"]
    made = Source.objects.create
    query = "landtag (abstimmung OR haushalt OR nachtragshaushalt) lang:de -is:retweet"
    reads = made(kind="search", value=query, name="Landtag", channel=channel_of("de", "politics"), created_by=mila)
    fails = made(kind="list", value="1500000000000000000", name="Regionale Verwaltungen", market=market)
    gone = made(kind="account", value="statistik_wl", name="Amt für Statistik", market=market, created_by=mila)
    Source.objects.filter(pk=gone.pk).update(paused_at=now, paused_reason="Could not find user.")
    wide = made(kind="stream", value="(eilmeldung OR breaking) lang:de", name="Eilmeldung")
    SourceExemption.objects.create(source=wide, market=market, reason="Zu viel aus dem Ausland.", created_by=mila)
    for source, outcome, read in ((reads, "read", 1840), (fails, "failed", 0), (gone, "refused", 0), (wide, "read", 9)):
        told = {"outcome": outcome, "read": read, "fresh": read, "charged": read}
        IngestRun.objects.create(source=source, error="X answered 503." if not read else "", **told)
    return reads


def on_air(people: dict[str, User]) -> None:
    """Live: all slots but one pinned, one with a line of the editors, one that ends soon."""
    politics, mila, soon = channel_of("de", "politics"), people["mila"], timezone.now() + timedelta(hours=2)
    said = {"context": "Heute wird in Lindmark der Landrat gewählt. Erste Zahlen ab 18 Uhr hier.", "label": "Anzeige"}
    for n in range(2):
        pinned = make_candidate(politics, tweet=make_tweet(f"Stichwahl in Lindmark, Teil {n}", wire=pictured()), rank=5)
        operations.pin(pinned, by=mila, version=1, until=soon, **said)
    for n in range(3):
        one = make_candidate(politics, f"Brückengipfel in Oberhagen: Land und Bund wollen Talbrücken ersetzen, {n}.")
        operations.schedule(one, by=mila, version=1, expire_at=soon)
    operations.approve(make_candidate(channel_of("gr", "sport"), "Πρωινός Τύπος"), by=mila, version=1)


def pictured() -> dict[str, object]:
    return {"entities": {}, "refs": [], "edit_ids": ["1"], "media": PICTURES[:1]}


def past(people: dict[str, User]) -> None:
    """Decided today by several, one act of many, one taken back."""
    politics = channel_of("de", "politics")
    made = [make_candidate(politics, f"Wochenquiz, Frage {n}", rank=-n) for n in range(4)]
    operations.decide_many("approve", {one.pk: 1 for one in made[:3]}, by=people["ben"], note="Alle drei geprüft.")
    blocked = operations.block(made[3], by=people["mila"], version=1, reason="legal", note="Die Frist läuft noch.")
    operations.undo(blocked.act, by=people["mila"])

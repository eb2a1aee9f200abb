"""Short sentences that fit any post: replies, words above a quoted post, corrections."""

from __future__ import annotations

REPLIES = {
    "de": (
        "Danke für die Einordnung.",
        "Gibt es dazu eine Quelle?",
        "Wird es einen Livestream geben?",
        "Endlich mal eine klare Aussage.",
        "Das sehe ich anders, aber gut erklärt.",
    ),
    "nl": (
        "Dank voor de uitleg.",
        "Is hier een bron van?",
        "Komt hier nog een vervolg op?",
        "Eindelijk duidelijkheid.",
        "Ik kijk er anders naar, maar goed verwoord.",
    ),
    "el": (
        "Ευχαριστούμε για την ενημέρωση.",
        "Υπάρχει κάποια πηγή;",
        "Θα υπάρξει συνέχεια;",
        "Επιτέλους μια καθαρή απάντηση.",
        "Διαφωνώ, αλλά τα εξηγείτε καλά.",
    ),
    "ro": (
        "Mulțumim pentru explicații.",
        "Există o sursă?",
        "Vor urma și alte detalii?",
        "În sfârșit un răspuns clar.",
        "Nu sunt de acord, dar e bine explicat.",
    ),
    "hr": (
        "Hvala na pojašnjenju.",
        "Postoji li izvor?",
        "Hoće li biti nastavka?",
        "Napokon jasan odgovor.",
        "Ne slažem se, ali dobro objašnjeno.",
    ),
}
QUOTES = {
    "de": (
        "Lesenswert:",
        "Das sollte man wissen.",
        "Wichtig für alle, die heute unterwegs sind.",
        "Bemerkenswert.",
        "Dazu später mehr bei uns.",
    ),
    "nl": (
        "Lezenswaardig:",
        "Goed om te weten.",
        "Belangrijk voor wie vandaag op pad gaat.",
        "Opmerkelijk.",
        "Hierover later meer bij ons.",
    ),
    "el": (
        "Αξίζει να το διαβάσετε:",
        "Καλό είναι να το ξέρουμε.",
        "Σημαντικό για όσους κινούνται σήμερα.",
        "Αξιοσημείωτο.",
        "Περισσότερα σε λίγο.",
    ),
    "ro": (
        "Merită citit:",
        "Bine de știut.",
        "Important pentru cine e azi pe drum.",
        "Remarcabil.",
        "Revenim cu detalii.",
    ),
    "hr": (
        "Vrijedi pročitati:",
        "Dobro je znati.",
        "Važno za sve koji su danas na putu.",
        "Zanimljivo.",
        "Više o tome uskoro.",
    ),
}
CORRECTIONS = {
    "de": "Korrigiert:",
    "nl": "Gecorrigeerd:",
    "el": "Διόρθωση:",
    "ro": "Corectat:",
    "hr": "Ispravljeno:",
}
COUNTRIES = {"de": "DE", "nl": "NL", "el": "GR", "ro": "RO", "hr": "HR"}

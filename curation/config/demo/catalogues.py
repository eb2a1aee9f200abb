"""`python -m curation.config.demo.catalogues`: compiles the translations that changed; gettext is not needed."""

from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from curation.config.demo.options import ROOT
from curation.config.demo.trouble import Trouble


def compile_changed(locales: Path) -> list[Path]:
    """Writes the .mo beside every .po that is newer. Texts marked fuzzy stay out, as with msgfmt."""
    stale = [po for po in sorted(locales.glob("*/LC_MESSAGES/*.po")) if is_stale(po, po.with_suffix(".mo"))]
    for po in stale:
        compile_one(po)
    return stale


def is_stale(po: Path, mo: Path) -> bool:
    return not mo.exists() or mo.stat().st_mtime_ns < po.stat().st_mtime_ns


def compile_one(po: Path) -> None:
    """Written beside its place and then moved, so that nobody reads half of it."""
    try:
        with po.open("rb") as text:
            catalogue = read_po(text, locale=po.parts[-3], abort_invalid=True)
    except (PoFileError, ValueError) as error:
        raise Trouble(f"The translation {po} is not valid: {error}.") from error
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    new = po.with_suffix(".mo.new")
    new.write_bytes(compiled.getvalue())
    new.replace(po.with_suffix(".mo"))


if __name__ == "__main__":
    try:
        compile_changed(ROOT / "locale")
    except Trouble as trouble:
        raise SystemExit(str(trouble)) from None

"""A made-up language that brackets every translated text, and what a page says outside of the brackets."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path

import polib
from django.conf import settings
from django.test import override_settings
from django.utils import translation

MARKED = "eo"  # a code that Django knows; what it says is not Esperanto
LANGUAGES = [*settings.LANGUAGES, (MARKED, "Marked")]
OPEN, CLOSE = "⟦", "⟧"
CATALOGUES = Path(settings.LOCALE_PATHS[0])

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
SAID = {
    "alt",
    "aria-description",
    "aria-label",
    "aria-roledescription",
    "aria-valuetext",
    "label",
    "placeholder",
    "title",
}
# Their content is no text of a language.
SILENT = {"code", "kbd", "pre", "samp", "script", "style", "var"}
# Names and signs that are the same in every language. ``translate="no"`` on an element says so of a whole text.
SAME = re.compile(
    r"Convoscope|VGG|Wide ResNet|LeNet(-5)?|AlexNet|ResNet|WRN|CutMix|ReLU|VNNI|OpenVINO|TensorFlow|"
    r"\.png\b|JSON|CSV|CIFAR-100|API|PNG|JPEG|https?://\S+|[\w.+-]+@[\w.-]+|"
    r"\b(px|ms|s|kB|MB|GB|×|UTC)\b|\b[A-Za-z]\b|\b\d[\w.]*\b"
)
LETTERS = re.compile(r"[^\W\d_]{2,}")


def marked(text: str) -> str:
    """The text in brackets; with the line breaks at its ends that gettext wants to be the same."""
    inner = text.strip("\n")
    before, after = text[: len(text) - len(text.lstrip("\n"))], text[len(text.rstrip("\n")) :]
    return f"{before}{OPEN}{inner}{CLOSE}{after}" if inner else text


@contextmanager
def spoken(folder: Path) -> Iterator[None]:
    """The site offers the made-up language, whose catalogues are written under ``folder``."""
    target = folder / MARKED / "LC_MESSAGES"
    target.mkdir(parents=True)
    for domain in ("django", "djangojs"):
        catalogue = polib.pofile(str(CATALOGUES / "en" / "LC_MESSAGES" / f"{domain}.po"))
        catalogue.metadata = {
            "Content-Type": "text/plain; charset=UTF-8",
            "Plural-Forms": "nplurals=2; plural=(n != 1);",
        }
        for entry in catalogue:
            if entry.msgid_plural:
                entry.msgstr_plural = {0: marked(entry.msgid), 1: marked(entry.msgid_plural)}
            elif "date format" not in (entry.msgctxt or ""):
                entry.msgstr = marked(entry.msgid)
        catalogue.save_as_mofile(str(target / f"{domain}.mo"))
    with override_settings(LANGUAGES=LANGUAGES, LOCALE_PATHS=[str(folder), *settings.LOCALE_PATHS]):
        try:
            yield
        finally:
            translation.activate(settings.LANGUAGE_CODE)


class Page(HTMLParser):
    """What a page says, and the tags it consists of."""

    def __init__(self, html: str, names: Collection[str] = ()) -> None:
        """``names``: what nobody translates, such as what the people of the test called their things."""
        super().__init__(convert_charrefs=True)
        self.names = (
            re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in names)) if names else None
        )
        self.stack: list[tuple[str, bool]] = []
        self.depth = 0
        self.untranslated: list[str] = []
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.feed(html)

    @property
    def silent(self) -> bool:
        return bool(self.stack) and self.stack[-1][1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        quiet = self.silent or tag in SILENT or values.get("translate") == "no"
        if not quiet:
            for name in SAID & values.keys():
                self._note(values[name] or "", inside=0)
        if tag not in VOID:
            self.stack.append((tag, quiet))
        self.tags.append((tag, tuple(sorted((name, value) for name, value in attrs if name not in SAID))))

    def handle_endtag(self, tag: str) -> None:
        for i in range(len(self.stack) - 1, -1, -1):
            if self.stack[i][0] == tag:
                del self.stack[i:]
                return

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.depth = self._note(data, inside=self.depth)

    def _note(self, text: str, *, inside: int) -> int:
        outside = []
        for char in text:
            if char == OPEN:
                inside += 1
                outside.append(" ")
            elif char == CLOSE:
                inside -= 1
            elif inside == 0:
                outside.append(char)
        left = "".join(outside)
        for pattern in (self.names, SAME):
            left = pattern.sub(" ", left) if pattern else left
        if LETTERS.search(left):
            self.untranslated.append(" ".join(left.split()))
        return inside

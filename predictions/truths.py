"""What a student says is on the pictures of a batch: read from a table, or from the names of folders."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from ml.labels import display
from predictions.images import display_name
from predictions.models import Batch, Label, Upload

MAX_TEXT = 1_000_000
# Rows by which it is judged what parts the columns.
SAMPLE = 200
# Rows that match nothing which are offered to be corrected.
MOST_LEFT = 500
EXAMPLES = 3
DELIMITERS = (",", ";", "\t")
# How columns are called in tables that people bring, the surest names first.
FILE_HEADS = ("file name", "filename", "file", "picture", "image", "name")
LABEL_HEADS = ("true label", "true class", "truth", "label", "class")

TOO_LONG = gettext_lazy("This is too long. Send only file names and labels, at most 1 MB.")


class TruthsUnreadable(Exception):
    """What was sent is no table of file names and classes; the message says what to do."""


class Named(NamedTuple):
    """A picture of a batch as a table may name it."""

    name: str  # its own among the batch's, as in the files that are downloaded
    filename: str
    upload: Upload | None  # None of a rejected one, which has a name all the same


@dataclass
class Reading:
    """What a table said: pictures with their class, and the rows that match nothing, as they were."""

    found: dict[str, str] = field(default_factory=dict)
    no_picture: list[tuple[str, str]] = field(default_factory=list)
    no_class: list[tuple[str, str]] = field(default_factory=list)
    # Rows whose file name is that of several pictures, and lines that are no rows at all.
    several: list[tuple[str, str]] = field(default_factory=list)
    unread: list[tuple[str]] = field(default_factory=list)

    @property
    def left(self) -> str:
        """The rows that match nothing, to be corrected and sent again."""
        rows = [*self.no_class, *self.several, *self.no_picture, *self.unread]
        return as_text(rows[:MOST_LEFT])

    @property
    def sentence(self) -> str:
        """What was matched and what was not, with examples."""
        said = [
            ngettext("%(count)d picture has its true label.", "%(count)d pictures have their true label.", n)
            % {"count": n}
            if (n := len(self.found))
            else _("No picture was given a true label.")
        ]
        if n := len(self.no_picture):
            rows = ngettext(
                "%(count)d row names no picture of this batch: %(examples)s.",
                "%(count)d rows name no picture of this batch: %(examples)s.",
                n,
            )
            said.append(rows % {"count": n, "examples": _examples(name for name, _label in self.no_picture)})
        if n := len(self.no_class):
            rows = ngettext(
                "%(count)d row names no class of these networks: %(examples)s.",
                "%(count)d rows name no class of these networks: %(examples)s.",
                n,
            )
            said.append(rows % {"count": n, "examples": _examples(label for _name, label in self.no_class)})
        if n := len(self.several):
            rows = ngettext(
                "%(count)d row names several pictures at once: %(examples)s. Name each as in the file to download.",
                "%(count)d rows name several pictures at once: %(examples)s. Name each as in the file to download.",
                n,
            )
            said.append(rows % {"count": n, "examples": _examples(name for name, _label in self.several)})
        if n := len(self.unread):
            rows = ngettext(
                "%(count)d line has no file name and label: %(examples)s.",
                "%(count)d lines have no file name and label: %(examples)s.",
                n,
            )
            said.append(rows % {"count": n, "examples": _examples(line for (line,) in self.unread)})
        if self.left:
            said.append(_("Correct them below and send them again."))
        return " ".join(said)


def as_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows of a table as they may be pasted again."""
    return "\n".join(",".join(_quoted(cell) for cell in row) for row in rows)


def _examples(values: Iterable[str]) -> str:
    names = list(dict.fromkeys(values))
    shown = ", ".join(_("“%(value)s”") % {"value": name[:60]} for name in names[:EXAMPLES])
    return f"{shown}, …" if len(names) > EXAMPLES else shown


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if re.search(r'[",;\t\n\r]', cell) else cell


# --- names --------------------------------------------------------------------------------------------------


def folded(name: str) -> str:
    """A name as it is compared: letters of either case, spaces, underscores and hyphens are alike."""
    return " ".join(re.sub(r"[\s_\-]+", " ", unicodedata.normalize("NFKC", name)).casefold().split())


def classes_of(networks: Iterable[str]) -> dict[str, str]:
    """Every way of writing a class of these networks -> its own name, in the reader's language too."""
    found: dict[str, str] = {}
    names = list(Label.objects.filter(network__in=list(networks)).values_list("name", flat=True))
    # First the own names: a translation must not take another class's name away.
    for name in names:
        found.setdefault(folded(name), name)
    for name in names:
        found.setdefault(folded(_(display(name))), name)
    return found


def class_of(label: str, classes: dict[str, str]) -> str | None:
    """The class that a label names, as `classes_of` has them; a file's cell may begin with an apostrophe."""
    return classes.get(folded(label.removeprefix("'")))


def keys_of(name: str) -> list[str]:
    """How a file name that was sent may stand among a batch's, folded: the likeliest first."""
    # A file that was downloaded from here has an apostrophe where a spreadsheet would see a formula.
    written = (name, name.removeprefix("'"))
    return [key.casefold() for one in written for key in (one, display_name(one))]


def unique_names(names: Sequence[str]) -> list[str]:
    """The names in their order, each once whatever the case of its letters: a second ``a.png`` is ``a (2).png``."""
    taken = {name.casefold() for name in names}
    seen: set[str] = set()
    found = []
    for name in names:
        if name.casefold() in seen:
            stem, dot, extension = name.rpartition(".")
            if not stem:
                stem, dot, extension = name, "", ""
            number = 2
            while (other := f"{stem} ({number}){dot}{extension}").casefold() in taken:
                number += 1
            name = other  # noqa: PLW2901 - the name under which it is listed
            taken.add(name.casefold())
        seen.add(name.casefold())
        found.append(name)
    return found


# --- tables -------------------------------------------------------------------------------------------------


def decoded(data: bytes) -> str:
    """The text of a file that a spreadsheet wrote. Raises TruthsUnreadable when there is more of it than is read."""
    if len(data) > MAX_TEXT:
        raise TruthsUnreadable(TOO_LONG)
    for mark, encoding in ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def read(text: str, pictures: Sequence[Named], classes: dict[str, str]) -> Reading:
    """Matches a table of file names and classes to pictures. Raises TruthsUnreadable.

    ``pictures`` are those of the batch in the order sent, and ``classes`` comes from `classes_of`. Columns may be
    parted by commas, semicolons or tabulators; whichever matches most is meant.
    """
    if len(text) > MAX_TEXT:
        raise TruthsUnreadable(TOO_LONG)
    tables = [_pairs(text.removeprefix("\ufeff"), delimiter) for delimiter in DELIMITERS]

    def fits(table: tuple[list[tuple[str, str]], list[tuple[str]]]) -> tuple[int, int]:
        return len(_match(table[0][:SAMPLE], pictures, classes).found), len(table[0])

    rows, unread = max(tables, key=fits)
    if not rows:
        raise TruthsUnreadable(
            _(
                "There are no file names with labels in this. Write one picture a line: "
                "its file name, a comma, its label."
            )
        )
    reading = _match(rows, pictures, classes)
    reading.unread = unread
    return reading


def _pairs(text: str, delimiter: str) -> tuple[list[tuple[str, str]], list[tuple[str]]]:
    """(file name, label) of each row that has both, and the lines that have not.

    A head may name the columns in any order; below it a row without a label says nothing, and is no mistake.
    """
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
        ]
    except csv.Error:
        return [], []
    rows = [row for row in rows if any(row)]
    columns = _columns(rows[0]) if rows else None
    name_at, label_at = columns or (0, 1)
    last = max(name_at, label_at)
    pairs: list[tuple[str, str]] = []
    unread: list[tuple[str]] = []
    for row in rows[1:] if columns else rows:
        if len(row) > last and row[name_at] and row[label_at]:
            pairs.append((row[name_at], row[label_at]))
        elif not columns:
            unread.append((delimiter.join(row),))
    return pairs, unread


def _columns(head: list[str]) -> tuple[int, int] | None:
    """Where the file name and the label stand, when this row is the head of a table."""
    names = [folded(cell) for cell in head]
    file = next((names.index(name) for name in FILE_HEADS if name in names), None)
    label = next((names.index(name) for name in LABEL_HEADS if name in names), None)
    return (file, label) if file is not None and label is not None and file != label else None


def _match(rows: list[tuple[str, str]], pictures: Sequence[Named], classes: dict[str, str]) -> Reading:
    reading = Reading()
    numbered = {picture.name.casefold(): picture for picture in pictures}
    same: dict[str, list[Named]] = {}
    for picture in pictures:
        same.setdefault(picture.filename.casefold(), []).append(picture)
    by_name: dict[str, list[tuple[str, str, str]]] = {}
    for place, (name, label) in enumerate(rows):
        key = next((one for one in keys_of(name) if one in same or one in numbered), None)
        taken = key and any(picture.upload for picture in same.get(key) or [numbered[key]])
        own = class_of(label, classes)
        if key and taken and own and key in same:
            by_name.setdefault(key, []).append((name, label, own))
        elif key and taken and own:
            reading.found[_id(numbered[key])] = own
        elif key and taken:
            reading.no_class.append((name, label))
        elif own or place or len(rows) == 1:
            reading.no_picture.append((name, label))
        # What is left is the head of a table, in words that are not known here.
    for key, given in by_name.items():
        _hand_out(reading, same[key], given)
    return reading


def _id(picture: Named) -> str:
    return str(picture.upload.pk) if picture.upload else ""


def _hand_out(reading: Reading, pictures: list[Named], given: list[tuple[str, str, str]]) -> None:
    """The rows of one file name to its pictures, one by one; a single row for several pictures is not used.

    A table with as many rows as were sent has one for each rejected picture too.
    """
    if len(given) == 1:
        # Those that were named by their own names are known already.
        meant = [picture for picture in pictures if picture.upload and _id(picture) not in reading.found]
        if len(meant) > 1:
            reading.several.append(given[0][:2])
        for picture in meant if len(meant) == 1 else []:
            reading.found[_id(picture)] = given[0][2]
        return
    if len(given) != len(pictures):
        pictures = [picture for picture in pictures if picture.upload]
    for picture, (_name, _label, own) in zip(pictures, given, strict=False):
        if picture.upload:
            reading.found[_id(picture)] = own
    reading.no_picture += [(name, label) for name, label, _own in given[len(pictures) :]]


# --- keeping ------------------------------------------------------------------------------------------------


def keep(batch: Batch, found: dict[str, str]) -> None:
    """Adds true classes to those that the batch has: the later word counts."""
    with transaction.atomic():
        row = Batch.objects.select_for_update().only("truths").get(pk=batch.pk)
        Batch.objects.filter(pk=batch.pk).update(truths={**row.truths, **found})


def clear(batch: Batch) -> None:
    Batch.objects.filter(pk=batch.pk).update(truths={})


def truths_from_folders(batch: Batch, uploads: Sequence[Upload], folders: Sequence[str]) -> int:
    """Takes the folders that pictures came from for their classes, where they are called like one; returns how many.

    ``folders`` stand in the order of the pictures; of a path the last folder counts.
    """
    named = {
        str(upload.pk): last
        for upload, folder in zip(uploads, folders, strict=False)
        if (last := folder.replace("\\", "/").rstrip("/").rpartition("/")[2].strip())
    }
    if not named or batch.truths:
        return 0
    classes = classes_of(batch.predictions.values_list("model_id", flat=True).distinct())
    found = {pk: own for pk, name in named.items() if (own := classes.get(folded(name)))}
    if found:
        keep(batch, found)
    return len(found)

"""What a student says is on the pictures of a batch: read from a table, or from the names of folders."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

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


@dataclass
class Reading:
    """What a table said: pictures with their class, and the rows that match nothing, as they were."""

    found: dict[str, str] = field(default_factory=dict)
    no_picture: list[tuple[str, str]] = field(default_factory=list)
    no_class: list[tuple[str, str]] = field(default_factory=list)

    @property
    def left(self) -> str:
        """The rows that match nothing, to be corrected and sent again."""
        rows = [*self.no_class, *self.no_picture][:MOST_LEFT]
        return "\n".join(";".join(_quoted(cell) for cell in row) for row in rows)

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
        if self.no_picture or self.no_class:
            said.append(_("Correct them below and send them again."))
        return " ".join(said)


def _examples(values: Iterable[str]) -> str:
    names = list(dict.fromkeys(values))
    shown = ", ".join(f"“{name[:60]}”" for name in names[:EXAMPLES])
    return f"{shown}, …" if len(names) > EXAMPLES else shown


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if re.search(r'[";\n\r]', cell) else cell


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


def unique_names(names: Sequence[str]) -> list[str]:
    """The names in their order, each once: a second ``a.png`` is ``a (2).png``."""
    taken = set(names)
    seen: set[str] = set()
    found = []
    for name in names:
        if name in seen:
            stem, dot, extension = name.rpartition(".")
            if not stem:
                stem, dot, extension = name, "", ""
            number = 2
            while (other := f"{stem} ({number}){dot}{extension}") in taken:
                number += 1
            name = other  # noqa: PLW2901 - the name under which it is listed
            taken.add(name)
        seen.add(name)
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


def read(text: str, uploads: Sequence[Upload], classes: dict[str, str]) -> Reading:
    """Matches a table of file names and classes to pictures. Raises TruthsUnreadable.

    ``uploads`` are those of the batch in the order sent, and ``classes`` comes from `classes_of`. Columns may be parted
    by commas, semicolons or tabulators; whichever matches most is meant.
    """
    if len(text) > MAX_TEXT:
        raise TruthsUnreadable(TOO_LONG)
    tables = [_pairs(text.removeprefix("\ufeff"), delimiter) for delimiter in DELIMITERS]

    def fits(rows: list[tuple[str, str]]) -> tuple[int, int]:
        return len(_match(rows[:SAMPLE], uploads, classes).found), len(rows)

    rows = max(tables, key=fits)
    if not rows:
        raise TruthsUnreadable(
            _(
                "There are no file names with labels in this. Write one picture a line: "
                "its file name, a comma, its label."
            )
        )
    return _match(rows, uploads, classes)


def _pairs(text: str, delimiter: str) -> list[tuple[str, str]]:
    """(file name, label) of each row that has both; without the head, which may name the columns in any order."""
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
        ]
    except csv.Error:
        return []
    rows = [row for row in rows if any(row)]
    name_at, label_at = 0, 1
    if rows and (columns := _columns(rows[0])):
        name_at, label_at = columns
        rows = rows[1:]
    last = max(name_at, label_at)
    pairs = [(row[name_at], row[label_at]) for row in rows if len(row) > last]
    return [(name, label) for name, label in pairs if name and label]


def _columns(head: list[str]) -> tuple[int, int] | None:
    """Where the file name and the label stand, when this row is the head of a table."""
    names = [folded(cell) for cell in head]
    file = next((names.index(name) for name in FILE_HEADS if name in names), None)
    label = next((names.index(name) for name in LABEL_HEADS if name in names), None)
    return (file, label) if file is not None and label is not None and file != label else None


def _match(rows: list[tuple[str, str]], uploads: Sequence[Upload], classes: dict[str, str]) -> Reading:
    reading = Reading()
    names = [upload.filename for upload in uploads]
    numbered = {
        name.casefold(): str(upload.pk) for name, upload in zip(unique_names(names), uploads, strict=True)
    }
    same: dict[str, list[str]] = {}
    for name, upload in zip(names, uploads, strict=True):
        same.setdefault(name.casefold(), []).append(str(upload.pk))
    by_name: dict[str, list[tuple[str, str, str]]] = {}
    for place, (name, label) in enumerate(rows):
        # A file that was downloaded from here has an apostrophe where a spreadsheet would see a formula.
        keys = (display_name(one).casefold() for one in (name, name.removeprefix("'")))
        key = next((one for one in keys if one in same or one in numbered), None)
        own = classes.get(folded(label.removeprefix("'")))
        if key and own and key in same:
            by_name.setdefault(key, []).append((name, label, own))
        elif key and own:
            reading.found[numbered[key]] = own
        elif key:
            reading.no_class.append((name, label))
        elif own or place or len(rows) == 1:
            reading.no_picture.append((name, label))
        # What is left is the head of a table, in words that are not known here.
    for key, given in by_name.items():
        _hand_out(reading, same[key], given)
    return reading


def _hand_out(reading: Reading, pictures: list[str], given: list[tuple[str, str, str]]) -> None:
    """The rows of one file name to its pictures: a single row to all of them, several rows one by one."""
    if len(given) == 1:
        for picture in pictures:
            reading.found.setdefault(picture, given[0][2])
        return
    for picture, (_name, _label, own) in zip(pictures, given, strict=False):
        reading.found[picture] = own
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

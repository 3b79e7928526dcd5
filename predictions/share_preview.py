"""The picture that stands for a link where it is passed on: the picture with its bars, and the first answers in words.

Drawn with the font that Pillow brings along, which has the letters of English only; so its words are English.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.utils import translation
from PIL import Image, ImageColor, ImageDraw, ImageFont

from ml.labels import display
from predictions.batch_table import BatchTable
from predictions.corruption import apply_bars, parse_bars
from predictions.crop import WHOLE, stored
from predictions.groups import Group
from predictions.images import open_prepared
from predictions.models import Prediction, Share, Upload
from predictions.sharing import Shown
from predictions.templatetags.prediction_format import percent

# What the services that show links ask for.
WIDTH, HEIGHT = 1200, 630
MARGIN = 60
# Change it whenever the same would be drawn differently: it is part of what browsers keep the picture by.
DRAWING = 1
PAPER, SUNK, INK, SOFT, ACCENT, MARK = "#f7f8f6", "#e3e8e4", "#18201c", "#4b5650", "#0b6b4d", "#a3bfb2"
COLUMN = 640
MOST_ANSWERS = 3
MOST_PICTURES = 6
# Of the pictures; the rest of a palette belongs to the words.
COLOURS = 220
SHADES = 8


class Box(NamedTuple):
    left: int
    top: int
    width: int
    height: int


class Line(NamedTuple):
    """Who says what: a small line, and a large one with a number."""

    who: str
    says: str
    number: str = ""


def name_of(shown: Shown) -> str:
    """Another one whenever the drawing would look different."""
    runs = shown.runs.order_by("pk").values_list("pk", "status", "top1", "probability1", "upload__expired")
    state = repr((DRAWING, shown.share.pk, list(runs)))
    return f"preview-{hashlib.sha256(state.encode()).hexdigest()[:24]}"


def draw(shown: Shown) -> Image.Image:
    """The preview of what a link shows now."""
    canvas = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    with translation.override("en"):
        if shown.share.kind == Share.Kind.COMPARISON:
            _draw_comparison(canvas, shown.sides())
        elif shown.share.kind == Share.Kind.BATCH:
            _draw_batch(canvas, shown.table())
        else:
            _draw_group(canvas, shown.group())
        _sign(canvas)
    return _thrifty(canvas)


def _thrifty(canvas: Image.Image) -> Image.Image:
    """The same with a palette: a third of the size, because what passes links on takes no large pictures."""
    entries = canvas.quantize(COLOURS, method=Image.Quantize.MEDIANCUT).getpalette() or []
    paper = ImageColor.getrgb(PAPER)
    for colour in map(ImageColor.getrgb, (INK, SOFT, ACCENT, MARK)):
        for step in range(1, SHADES + 1):
            entries += [a + (b - a) * step // SHADES for a, b in zip(paper, colour, strict=True)]
    palette = Image.new("P", (1, 1))
    palette.putpalette(entries)
    return canvas.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


# --- the three kinds ------------------------------------------------------------------------------------------


def _draw_group(canvas: Image.Image, group: Group | None) -> None:
    if group is None:
        return
    _place(canvas, Box(MARGIN, MARGIN, COLUMN - 2 * MARGIN, HEIGHT - 2 * MARGIN), group.runs[0])
    lines = [_line_of(run) for run in group.runs]
    notes = []
    if group.bars:
        covered = percent(group.hidden_share)
        notes.append(f"Black bars cover {covered} of the picture")
    if any(result.person for result in group.results):
        notes.append("It knows nothing about the person")
    _column(canvas, lines, notes)


def _draw_comparison(canvas: Image.Image, runs: Sequence[Prediction]) -> None:
    width = (WIDTH - 3 * MARGIN) // 2
    for number, run in enumerate(runs):
        left = MARGIN + number * (width + MARGIN)
        _place(canvas, Box(left, MARGIN, width, 300), run, centred=False)
        line = _line_of(run)
        pen = ImageDraw.Draw(canvas)
        covered = ", with black bars" if run.covered else ""
        pen.text(
            (left, 384),
            _plain(f"{'AB'[number]}: {line.who}{covered}"),
            SOFT,
            _font(26, width, line.who + covered),
        )
        _says(pen, left, 420, width, line, 48)


def _draw_batch(canvas: Image.Image, table: BatchTable | None) -> None:
    if table is None:
        return
    rows = [row for row in table.rows if row.run][:MOST_PICTURES]
    across = 1 if len(rows) == 1 else 2
    down = -(-len(rows) // across)
    width = (COLUMN - 2 * MARGIN - 12 * (across - 1)) // across
    height = (HEIGHT - 2 * MARGIN - 12 * (down - 1)) // down
    for number, row in enumerate(rows):
        left, top = MARGIN + number % across * (width + 12), MARGIN + number // across * (height + 12)
        assert row.run is not None
        _place(canvas, Box(left, top, width, height), row.run)
    pictures = table.counts["pictures"]
    lines = [Line("Shown to the networks", f"{pictures} {'picture' if pictures == 1 else 'pictures'}")]
    if table.agreement["of"]:
        lines.append(Line("The networks agree on", f"{table.agreement['same']} of {table.agreement['of']}"))
    for total in table.totals:
        # What was said once was not said often.
        if total.labels and total.labels[0][1] > 1:
            label, count = total.labels[0]
            lines.append(Line(f"{total.network.title} says most often", display(label), f"{count} times"))
    _column(canvas, lines, [])


# --- pieces ---------------------------------------------------------------------------------------------------


def _line_of(run: Prediction) -> Line:
    who = f"{run.model.title} says"
    if run.top1 and run.probability1 is not None:
        return Line(who, display(run.top1.name), percent(run.probability1))
    return Line(run.model.title, "no answer yet" if not run.is_final else "no answer")


def _column(canvas: Image.Image, lines: Sequence[Line], notes: Sequence[str]) -> None:
    """The right half: answers below one another, and what else is to be known in small."""
    pen = ImageDraw.Draw(canvas)
    width = WIDTH - COLUMN - MARGIN
    # A third answer takes the room of the notes.
    lines = lines[: MOST_ANSWERS - bool(notes)]
    few = len(lines) < MOST_ANSWERS
    top = MARGIN - 6
    for line in lines:
        pen.text((COLUMN, top), _plain(line.who), SOFT, _font(28, width, line.who))
        _says(pen, COLUMN, top + 38, width, line, 64 if few else 50)
        top += 188 if few else 160
    for note in notes:
        pen.text((COLUMN, top), _plain(note), SOFT, _font(26, width, note))
        top += 38


def _says(pen: ImageDraw.ImageDraw, left: int, top: int, width: int, line: Line, size: int) -> None:
    """The large line, and its number under it."""
    pen.text((left, top), _plain(line.says), INK, _font(size, width, line.says))
    if line.number:
        pen.text((left, top + size + 12), _plain(line.number), ACCENT, _font(34, width, line.number))


def _sign(canvas: Image.Image) -> None:
    """The site's mark and name in the lower right corner."""
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(30)
    left = WIDTH - MARGIN - round(pen.textlength("Convoscope", font))
    pen.text((left, HEIGHT - MARGIN), "Convoscope", INK, font, anchor="ls")
    corner, side = (left - 46, HEIGHT - MARGIN - 26), 8
    for row in range(3):
        for column in range(3):
            x, y = corner[0] + column * (side + 2), corner[1] + row * (side + 2)
            middle = row == column == 1
            pen.rectangle((x, y, x + side - 1, y + side - 1), ACCENT if middle else MARK)


def _place(canvas: Image.Image, box: Box, run: Prediction, *, centred: bool = True) -> None:
    """The picture of a run with its bars in a box of the canvas, what is outside its square darkened."""
    picture = _picture(run.upload, box)
    if picture is None:
        pen = ImageDraw.Draw(canvas)
        pen.rectangle((box.left, box.top, box.left + box.width - 1, box.top + box.height - 1), SUNK)
        words = "This picture is not kept any more"
        middle = (box.left + box.width // 2, box.top + box.height // 2)
        pen.text(middle, words, SOFT, _font(24, box.width - 20, words), anchor="mm")
        return
    picture = apply_bars(picture, parse_bars(run.bars))
    crop = stored(run.crop)
    if crop and crop != WHOLE:
        x, y = round(crop.x * picture.width), round(crop.y * picture.height)
        right, bottom = x + round(crop.width * picture.width), y + round(crop.height * picture.height)
        inside = picture.crop((x, y, right, bottom))
        picture = Image.blend(picture, Image.new("RGB", picture.size), 0.55)
        picture.paste(inside, (x, y))
        ImageDraw.Draw(picture).rectangle((x, y, right - 1, bottom - 1), outline="white", width=2)
    left = (box.width - picture.width) // 2 if centred else 0
    canvas.paste(picture, (box.left + left, box.top + (box.height - picture.height) // 2))


def _picture(upload: Upload, box: Box) -> Image.Image | None:
    """The upload's picture as large as the box allows; None where its file is gone."""
    if upload.expired:
        return None
    try:
        with upload.file.open("rb") as file:
            picture = open_prepared(file.read())
    except FileNotFoundError:
        return None
    scale = min(box.width / picture.width, box.height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _font(size: int, width: int, words: str) -> Any:
    """The font in a size in which the words fit."""
    font = ImageFont.load_default(size)
    while size > 16 and font.getlength(_plain(words)) > width:
        size -= 2
        font = ImageFont.load_default(size)
    return font


def _plain(words: str) -> str:
    """As much of the words as the font has letters for."""
    return unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode()

"""Painters of text and of drawings for ``ml.outliers``, with Pillow's pen and the font that it carries.

Every painter takes a generator of random numbers and a size (width, height) in pixels and returns an RGB picture.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw, ImageFont

from ml.outlier_fields import Painter, Size, colours

Point = tuple[float, float]
Colour = tuple[int, int, int]

SYLLABLES = "ba ke lo mi nu ra se ti vo wa pel kor dan mis ter fon gal hep jur lim".split()  # noqa: SIM905
WORDS = (  # noqa: SIM905 - a quoted list would hide that it is prose
    "the light of early morning fell on papers that nobody had read since the meeting and the minutes of it "
    "were kept in order under numbers that a later clerk could follow without asking anyone"
).split()


def colour(rng: Generator) -> Colour:
    """One colour of any hue."""
    red, green, blue = (int(value) for value in colours(rng, 1)[0])
    return red, green, blue


def paper_and_ink(rng: Generator) -> tuple[Colour, Colour]:
    """Two colours that can be told apart: mostly dark on light, sometimes light on dark, sometimes coloured."""
    light: Colour = (255, 255, 255) if rng.random() < 0.5 else _shade(rng, 215, 255)
    dark: Colour = (0, 0, 0) if rng.random() < 0.4 else _shade(rng, 0, 110)
    return (light, dark) if rng.random() < 0.8 else (dark, light)


def _shade(rng: Generator, low: int, high: int) -> Colour:
    red, green, blue = (int(value) for value in rng.integers(low, high + 1, 3))
    return red, green, blue


def _font(height: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(max(5.0, height))


def _sheet(rng: Generator, size: Size) -> tuple[Image.Image, ImageDraw.ImageDraw, Colour]:
    paper, ink = paper_and_ink(rng)
    picture = Image.new("RGB", size, paper)
    return picture, ImageDraw.Draw(picture), ink


def _line(rng: Generator, words: list[str], count: int) -> str:
    return " ".join(str(word) for word in rng.choice(words, count))


def _invented(rng: Generator) -> str:
    return "".join(rng.choice(SYLLABLES, int(rng.integers(1, 4))))


# -- text: development -------------------------------------------------------------------------------


def page(rng: Generator, size: Size) -> Image.Image:
    """Lines of invented words from edge to edge, as a page of a book."""
    picture, pen, ink = _sheet(rng, size)
    height = min(size) / rng.uniform(8, 30)
    y = margin = min(size) * rng.uniform(0.02, 0.1)
    words = [_invented(rng) for _ in range(60)]
    while y < size[1] - margin:
        pen.text((margin, y), _line(rng, words, 40), ink, _font(height))
        y += height * (2.6 if rng.random() < 0.1 else 1.35)
    pen.rectangle((size[0] - margin, 0, *size), picture.getpixel((0, 0)))
    return picture


def sign(rng: Generator, size: Size) -> Image.Image:
    """One or two invented words, as large as they fit."""
    picture, pen, ink = _sheet(rng, size)
    lines = [
        _invented(rng).upper() if rng.random() < 0.5 else _invented(rng) for _ in range(rng.integers(1, 3))
    ]
    height = min(size[0] / max(len(line) for line in lines) * 1.6, size[1] / len(lines) * 0.7)
    where = (size[0] / 2, size[1] / 2)
    pen.multiline_text(where, "\n".join(lines), ink, _font(height), anchor="mm", align="center")
    return picture


def strewn_words(rng: Generator, size: Size) -> Image.Image:
    """Invented words of several sizes and colours, anywhere."""
    picture, pen, ink = _sheet(rng, size)
    for _ in range(int(rng.integers(6, 40))):
        place = (rng.uniform(-0.1, 0.9) * size[0], rng.uniform(-0.05, 0.95) * size[1])
        fill = ink if rng.random() < 0.6 else colour(rng)
        pen.text(place, _invented(rng), fill, _font(min(size) / rng.uniform(5, 20)))
    return picture


# -- text: test --------------------------------------------------------------------------------------


def columns(rng: Generator, size: Size) -> Image.Image:
    """A newspaper: a headline and columns of real words."""
    picture, pen, ink = _sheet(rng, size)
    count, margin = int(rng.integers(2, 4)), min(size) * 0.04
    headline = min(size) / rng.uniform(5, 10)
    pen.text((margin, margin), _line(rng, WORDS, 3).title(), ink, _font(headline))
    height, each = min(size) / rng.uniform(16, 34), (size[0] - margin) / count
    for column in range(count):
        left, y = margin + column * each, margin + headline * 1.5
        while y < size[1] - margin:
            pen.text((left, y), _line(rng, WORDS, 12)[: int(1.8 * each / height)], ink, _font(height))
            y += height * 1.3
    return picture


def figures_table(rng: Generator, size: Size) -> Image.Image:
    """A table of numbers, ruled or not."""
    picture, pen, ink = _sheet(rng, size)
    rows, across = int(rng.integers(4, 14)), int(rng.integers(2, 7))
    cell = (size[0] / across, size[1] / rows)
    font, ruled = _font(min(cell[1] * 0.65, cell[0] / 4)), rng.random() < 0.6
    for row in range(rows):
        for column in range(across):
            text = f"{rng.uniform(0, 10 ** rng.integers(1, 4)):.{rng.integers(0, 3)}f}"
            pen.text(((column + 0.9) * cell[0], (row + 0.5) * cell[1]), text, ink, font, anchor="rm")
        if ruled:
            pen.line((0, row * cell[1], size[0], row * cell[1]), ink, max(1, min(size) // 160))
    return picture


def program(rng: Generator, size: Size) -> Image.Image:
    """A listing: indented lines in a few colours, mostly on a dark ground."""
    picture = Image.new("RGB", size, _shade(rng, 10, 50) if rng.random() < 0.7 else (250, 250, 245))
    dark = int(np.asarray(picture)[0, 0].sum()) < 384
    inks = [_shade(rng, 150, 255) if dark else _shade(rng, 0, 130) for _ in range(4)]
    pen = ImageDraw.Draw(picture)
    height, y, depth = min(size) / rng.uniform(9, 24), 0.0, 0
    while y < size[1]:
        depth = int(np.clip(depth + rng.integers(-1, 2), 0, 4))
        x = height * (0.6 + 1.6 * depth)
        for _ in range(int(rng.integers(0, 6))):
            word = str(rng.choice(WORDS)) + str(rng.choice(["(", ")", " =", ":", ".", ""]))
            pen.text((x, y), word, inks[int(rng.integers(4))], _font(height))
            x += height * 0.55 * (len(word) + 1)
        y += height * 1.3
    return picture


def poster(rng: Generator, size: Size) -> Image.Image:
    """Real words in several sizes and colours, centred, on a coloured ground."""
    picture = Image.new("RGB", size, colour(rng))
    pen, y = ImageDraw.Draw(picture), size[1] * 0.05
    while y < size[1] * 0.9:
        word = str(rng.choice(WORDS)).upper()
        height = min(size[0] / len(word) * rng.uniform(0.6, 1.5), size[1] * rng.uniform(0.1, 0.4))
        pen.text((size[0] / 2, y), word, colour(rng), _font(height), anchor="ma")
        y += height * 1.25
    return picture


def slanted(rng: Generator, size: Size) -> Image.Image:
    """Handbills photographed askew: lines of real words, turned."""
    paper, ink = paper_and_ink(rng)
    side = int(math.hypot(*size)) + 1
    sheet = Image.new("RGB", (side, side), paper)
    pen, height, y = ImageDraw.Draw(sheet), min(size) / rng.uniform(4, 16), 0.0
    while y < side:
        pen.text((0, y), _line(rng, WORDS, 30), ink, _font(height))
        y += height * rng.uniform(1.2, 1.8)
    turned = sheet.rotate(rng.uniform(0, 360), Image.Resampling.BICUBIC, fillcolor=paper)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return turned.crop((left, top, left + size[0], top + size[1]))


# -- drawings: development ---------------------------------------------------------------------------


def _width(rng: Generator, size: Size) -> int:
    return max(1, round(min(size) * rng.uniform(0.006, 0.035)))


def _somewhere(rng: Generator, size: Size) -> Point:
    return float(rng.uniform(0.03, 0.97) * size[0]), float(rng.uniform(0.03, 0.97) * size[1])


def _regular(middle: Point, radius: float, corners: int, turn: float) -> list[Point]:
    angles = [turn + 2 * math.pi * i / corners for i in range(corners)]
    return [(middle[0] + radius * math.cos(a), middle[1] + radius * math.sin(a)) for a in angles]


def _curve(rng: Generator, size: Size, bends: int) -> list[Point]:
    """A smooth line through ``bends`` random points (Catmull-Rom)."""
    knots = np.array([_somewhere(rng, size) for _ in range(bends + 3)])
    t = np.linspace(0, 1, 16)[:, None]
    parts = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        cubic = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
        parts.append(cubic / 2)
    return [(float(x), float(y)) for x, y in np.concatenate(parts)]


def shapes(rng: Generator, size: Size) -> Image.Image:
    """Circles, triangles and boxes, filled or in outline."""
    picture, pen, ink = _sheet(rng, size)
    width, filled = _width(rng, size), rng.random() < 0.5
    for _ in range(int(rng.integers(1, 9))):
        radius = min(size) * rng.uniform(0.06, 0.35)
        corners = int(rng.choice([3, 4, 4, 6, 40]))
        points = _regular(_somewhere(rng, size), radius, corners, rng.uniform(0, 6))
        pen.polygon(points, colour(rng) if filled else None, ink, width)
    return picture


def scribble(rng: Generator, size: Size) -> Image.Image:
    """A few smooth lines that cross themselves."""
    picture, pen, ink = _sheet(rng, size)
    for _ in range(int(rng.integers(1, 5))):
        fill = ink if rng.random() < 0.6 else colour(rng)
        pen.line(_curve(rng, size, int(rng.integers(2, 14))), fill, _width(rng, size), joint="curve")
    return picture


def bar_chart(rng: Generator, size: Size) -> Image.Image:
    """Bars on two axes."""
    picture, pen, ink = _sheet(rng, size)
    left, bottom, count = size[0] * 0.1, size[1] * 0.9, int(rng.integers(3, 12))
    each = size[0] * 0.85 / count
    one = colour(rng)
    for i in range(count):
        top = bottom - rng.uniform(0.05, 0.8) * size[1]
        fill = one if rng.random() < 0.7 else colour(rng)
        pen.rectangle((left + i * each + 0.15 * each, top, left + (i + 0.85) * each, bottom), fill)
    pen.line([(left, size[1] * 0.05), (left, bottom), (size[0] * 0.97, bottom)], ink, _width(rng, size))
    return picture


def flow_chart(rng: Generator, size: Size) -> Image.Image:
    """Boxes in rows, joined by lines."""
    picture, pen, ink = _sheet(rng, size)
    rows, across = int(rng.integers(2, 5)), int(rng.integers(1, 4))
    cell, width, fill = (size[0] / across, size[1] / rows), _width(rng, size), colour(rng)
    for row in range(rows):
        for column in range(across):
            x, y = (column + 0.5) * cell[0], (row + 0.5) * cell[1]
            if row:
                pen.line((x, y, x, y - cell[1]), ink, width)
            if column and rng.random() < 0.6:
                pen.line((x, y, x - cell[0], y), ink, width)
    for row in range(rows):
        for column in range(across):
            x, y = column * cell[0], row * cell[1]
            box = (x + 0.2 * cell[0], y + 0.28 * cell[1], x + 0.8 * cell[0], y + 0.72 * cell[1])
            pen.rounded_rectangle(box, 0.1 * min(cell), fill, ink, width)
    return picture


# -- drawings: test ----------------------------------------------------------------------------------


def line_chart(rng: Generator, size: Size) -> Image.Image:
    """Random walks over grid lines."""
    picture, pen, ink = _sheet(rng, size)
    left, bottom, width = size[0] * 0.1, size[1] * 0.9, _width(rng, size)
    for i in range(1, int(rng.integers(1, 7))):
        pen.line((left, bottom - i * 0.13 * size[1], size[0], bottom - i * 0.13 * size[1]), (190, 190, 190))
    for _ in range(int(rng.integers(1, 5))):
        walk = np.cumsum(rng.normal(0, 1, int(rng.integers(6, 40))))
        walk = (walk - walk.min()) / max(np.ptp(walk), 1e-9)
        xs = np.linspace(left, size[0] * 0.97, len(walk))
        pen.line([(float(x), float(bottom - v * 0.8 * size[1])) for x, v in zip(xs, walk, strict=True)],
                 colour(rng), width)  # fmt: skip
    pen.line([(left, size[1] * 0.05), (left, bottom), (size[0] * 0.97, bottom)], ink, width)
    return picture


def pie_chart(rng: Generator, size: Size) -> Image.Image:
    """A pie of three to eight slices."""
    picture, pen, ink = _sheet(rng, size)
    radius = min(size) * rng.uniform(0.25, 0.45)
    x, y = size[0] * rng.uniform(0.4, 0.6), size[1] / 2
    shares = np.cumsum(rng.dirichlet(np.full(int(rng.integers(3, 9)), 2.0))) * 360
    start = 0.0
    for end in shares:
        pen.pieslice((x - radius, y - radius, x + radius, y + radius), start, end, colour(rng), ink,
                     max(1, _width(rng, size) // 2))  # fmt: skip
        start = float(end)
    return picture


def node_graph(rng: Generator, size: Size) -> Image.Image:
    """Circles joined by straight lines."""
    picture, pen, ink = _sheet(rng, size)
    places = [_somewhere(rng, size) for _ in range(int(rng.integers(4, 22)))]
    width, radius, fill = _width(rng, size), min(size) * rng.uniform(0.02, 0.06), colour(rng)
    for i, place in enumerate(places):
        for other in rng.integers(0, len(places), int(rng.integers(1, 4))):
            pen.line([place, places[int(other)]], ink, max(1, width // 2))
        pen.circle(place, radius * (1 + i % 2), fill, ink, width)
    return picture


def spirograph(rng: Generator, size: Size) -> Image.Image:
    """A curve that a wheel draws inside a ring."""
    picture, pen, ink = _sheet(rng, size)
    t = np.linspace(0, 2 * np.pi * 12, 1500)
    small, reach = rng.uniform(0.1, 0.8), rng.uniform(0.3, 1.2)
    turn = (1 - small) / small * t
    x = (1 - small) * np.cos(t) + reach * small * np.cos(turn)
    y = (1 - small) * np.sin(t) - reach * small * np.sin(turn)
    scale = min(size) * 0.45 / max(np.hypot(x, y).max(), 1e-9)
    points = [
        (float(size[0] / 2 + scale * a), float(size[1] / 2 + scale * b)) for a, b in zip(x, y, strict=True)
    ]
    pen.line(
        points, ink if rng.random() < 0.5 else colour(rng), max(1, _width(rng, size) // 2), joint="curve"
    )
    return picture


def maze(rng: Generator, size: Size) -> Image.Image:
    """Walls on a grid, each drawn or left out; floor plans and circuit boards look much the same."""
    picture, pen, ink = _sheet(rng, size)
    cell, width = min(size) / int(rng.integers(4, 16)), _width(rng, size)
    for x in np.arange(0, size[0], cell):
        for y in np.arange(0, size[1], cell):
            if rng.random() < 0.5:
                pen.line((x, y, x + cell, y), ink, width)
            if rng.random() < 0.5:
                pen.line((x, y, x, y + cell), ink, width)
    return picture


def stick_figures(rng: Generator, size: Size) -> Image.Image:
    """One to four people of five strokes and a circle."""
    picture, pen, ink = _sheet(rng, size)
    width, count = _width(rng, size), int(rng.integers(1, 5))
    for i in range(count):
        x, tall = size[0] * (i + 0.5) / count, size[1] * rng.uniform(0.5, 0.9)
        top, head = (size[1] - tall) / 2, tall * rng.uniform(0.09, 0.14)
        hip, span = top + 0.6 * tall, tall * rng.uniform(0.1, 0.22)
        pen.circle((x, top + head), head, None, ink, width)
        pen.line((x, top + 2 * head, x, hip), ink, width)
        arms = top + tall * rng.uniform(0.25, 0.5)
        pen.line([(x - span, arms), (x, top + 0.32 * tall), (x + span, arms)], ink, width)
        pen.line([(x - span, top + tall), (x, hip), (x + span, top + tall)], ink, width)
    return picture


def hatching(rng: Generator, size: Size) -> Image.Image:
    """Bundles of short parallel strokes, as a pencil shades."""
    picture, pen, ink = _sheet(rng, size)
    for _ in range(int(rng.integers(3, 14))):
        (x, y), angle = _somewhere(rng, size), rng.uniform(0, math.pi)
        length, gap = min(size) * rng.uniform(0.08, 0.4), min(size) * rng.uniform(0.012, 0.05)
        along = (math.cos(angle) * length, math.sin(angle) * length)
        for i in range(int(rng.integers(4, 16))):
            start = (x - math.sin(angle) * gap * i, y + math.cos(angle) * gap * i)
            pen.line([start, (start[0] + along[0], start[1] + along[1])], ink, max(1, _width(rng, size) // 2))
    return picture


TEXT: dict[str, tuple[Painter, ...]] = {
    "development": (page, sign, strewn_words),
    "test": (columns, figures_table, program, poster, slanted),
}
DRAWINGS: dict[str, tuple[Painter, ...]] = {
    "development": (shapes, scribble, bar_chart, flow_chart),
    "test": (line_chart, pie_chart, node_graph, spirograph, maze, stick_figures, hatching),
}

"""A picture of two halves, and the boxes that take one of them."""

from __future__ import annotations

from PIL import Image

LEFT_HALF = [0.0, 0.0, 0.5, 1.0]
RIGHT_HALF = [0.5, 0.0, 0.5, 1.0]


def halves(width: int = 200, height: int = 100) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), "red")
    image.paste((0, 0, 255), (width // 2, 0, width, height))
    return image

"""Picture files made in memory: every format the site takes, odd ones, and what it must refuse.

Each builder returns bytes, the same ones at every call. `ACCEPTED` and `REJECTED` list them for tests that
want all of a kind.
"""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

from PIL import Image, ImageCms, ImageDraw, ImageFilter, PngImagePlugin

SIZE = (320, 240)

# Texts hidden in the metadata of `jpeg_with_metadata` and its like: none may survive.
MARKERS = (
    b"MARKER-GPS-AREA",
    b"MARKER-COMMENT",
    b"MARKER-XMP",
    b"MARKER-CAMERA",
    b"MARKER-USER-COMMENT",
    b"MARKER-TEXT",
)
XMP = b"<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/'>MARKER-XMP</x:xmpmeta><?xpacket end='w'?>"


@cache
def _scene(width: int, height: int) -> Image.Image:
    sky = Image.linear_gradient("L").resize((width, height))
    glow = Image.radial_gradient("L").resize((width, height))
    image = Image.merge("RGB", (glow.point(lambda v: 255 - v // 2), sky.point(lambda v: 90 + v // 2), sky))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 0.7, width, height), fill=(60, 110, 50))
    draw.ellipse((width * 0.35, height * 0.35, width * 0.65, height * 0.85), fill=(200, 60, 40))
    draw.ellipse((width * 0.1, height * 0.1, width * 0.25, height * 0.3), fill=(250, 230, 120))
    image = image.filter(ImageFilter.GaussianBlur(max(1, width // 200)))
    grain = Image.frombytes("L", (width, height), random.Random(7).randbytes(width * height))
    return Image.blend(image, Image.merge("RGB", (grain, grain, grain)), 0.04)


def scene(width: int = SIZE[0], height: int = SIZE[1]) -> Image.Image:
    """A photo-like picture: sky, meadow, a red ball right of the middle, a sun top left, some grain."""
    return _scene(width, height).copy()


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def jpeg(width: int = SIZE[0], height: int = SIZE[1], **options: Any) -> bytes:
    return encoded(scene(width, height), "JPEG", **{"quality": 90, **options})


def png(width: int = SIZE[0], height: int = SIZE[1], **options: Any) -> bytes:
    return encoded(scene(width, height), "PNG", **options)


def webp(width: int = SIZE[0], height: int = SIZE[1], **options: Any) -> bytes:
    return encoded(scene(width, height), "WEBP", **options)


def gif(width: int = SIZE[0], height: int = SIZE[1]) -> bytes:
    return encoded(scene(width, height).quantize(64), "GIF")


def avif(width: int = SIZE[0], height: int = SIZE[1]) -> bytes:
    return encoded(scene(width, height), "AVIF", quality=80, max_threads=1)


def heic(width: int = SIZE[0], height: int = SIZE[1], **options: Any) -> bytes:
    """As an iPhone writes it. The encoder is a development package."""
    import pillow_heif

    out = io.BytesIO()
    pillow_heif.from_pillow(scene(width, height)).save(out, quality=80, **options)
    return out.getvalue()


def mpo() -> bytes:
    """A phone's JPEG that holds a second picture (here a green one) after the first."""
    second = Image.new("RGB", SIZE, "green")
    return encoded(scene(), "MPO", save_all=True, append_images=[second], quality=90)


def _frames() -> list[Image.Image]:
    return [scene(), *(Image.new("RGB", SIZE, colour) for colour in ("green", "blue"))]


def animated_gif() -> bytes:
    first, *others = (frame.quantize(64) for frame in _frames())
    return encoded(first, "GIF", save_all=True, append_images=others, duration=100)


def animated_webp() -> bytes:
    first, *others = _frames()
    return encoded(first, "WEBP", save_all=True, append_images=others, duration=100)


def animated_png() -> bytes:
    first, *others = _frames()
    return encoded(first, "PNG", save_all=True, append_images=others, duration=100)


def grey_jpeg() -> bytes:
    return encoded(scene().convert("L"), "JPEG", quality=90)


def cmyk_jpeg() -> bytes:
    return encoded(scene().convert("CMYK"), "JPEG", quality=95)


def grey_16_bit_png(width: int = 256, height: int = 64) -> bytes:
    """A ramp from black to white in 16 bits: clipped instead of scaled, nearly all of it would be white."""
    row = b"".join(struct.pack("<H", x * 65535 // (width - 1)) for x in range(width))
    return encoded(Image.frombytes("I;16", (width, height), row * height), "PNG")


def colour_16_bit_png(width: int = 256, height: int = 64) -> bytes:
    """A ramp in red, 16 bits a channel, which Pillow cannot write."""
    row = b"".join(struct.pack(">HHH", x * 65535 // (width - 1), 0, 65535) for x in range(width))
    return raw_png(width, height, bits=16, colour=2, rows=(b"\0" + row) * height)


def transparent_png() -> bytes:
    """The left half clear (over a hidden red), the right half blue."""
    image = Image.new("RGBA", SIZE, (255, 0, 0, 0))
    image.paste((0, 0, 255, 255), (SIZE[0] // 2, 0, *SIZE))
    return encoded(image, "PNG")


def transparent_palette_png() -> bytes:
    """As `transparent_png`, in a palette whose entries have their own opacity."""
    image = Image.new("P", SIZE, 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (SIZE[0] // 2, 0, *SIZE))
    return encoded(image, "PNG", transparency=b"\x00\xff")


def transparent_gif() -> bytes:
    image = Image.new("P", SIZE, 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.paste(1, (SIZE[0] // 2, 0, *SIZE))
    return encoded(image, "GIF", transparency=0)


def transparent_webp() -> bytes:
    return encoded(Image.open(io.BytesIO(transparent_png())), "WEBP", lossless=True)


def two_colour_png() -> bytes:
    return encoded(scene().convert("1"), "PNG")


def _exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "MARKER-CAMERA"
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0MARKER-USER-COMMENT"
    gps = exif.get_ifd(0x8825)
    gps.update(
        {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0), 28: b"ASCII\0\0\0MARKER-GPS-AREA"}
    )
    return exif


def _appear(image: Image.Image, orientation: int) -> Image.Image:
    """The pixels as a camera held that way stores them: upright again once the orientation is applied."""
    # Pillow's numbers for mirror, half turn, flip, transpose, quarter turn left, transverse, turn right.
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    return image.transpose(Image.Transpose(turns[orientation])) if orientation in turns else image


def jpeg_with_metadata(orientation: int = 1, width: int = SIZE[0], height: int = SIZE[1]) -> bytes:
    """A photo with camera, GPS position, comments and XMP; `scene` once turned upright."""
    image = _appear(scene(width, height), orientation)
    return encoded(image, "JPEG", quality=95, exif=_exif(orientation), xmp=XMP, comment=b"MARKER-COMMENT")


def rotated_heic() -> bytes:
    """A HEIC photo lying on its side, with the box that turns it and the EXIF that repeats it."""
    import pillow_heif

    image = _appear(scene(), 6)
    out = io.BytesIO()
    pillow_heif.from_pillow(image).save(out, quality=80, exif=_exif(6).tobytes())
    return out.getvalue()


def rotated_avif() -> bytes:
    return encoded(_appear(scene(), 6), "AVIF", quality=80, max_threads=1, exif=_exif(6))


def png_with_metadata() -> bytes:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "MARKER-COMMENT")
    texts.add_itxt("Title", "MARKER-TEXT", zip=False)
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return encoded(scene(), "PNG", pnginfo=texts, exif=_exif())


def webp_with_metadata() -> bytes:
    return encoded(scene(), "WEBP", exif=_exif(), xmp=XMP)


def heic_with_metadata() -> bytes:
    return heic(exif=_exif().tobytes(), xmp=XMP)


def crashing_heic() -> bytes:
    """A HEIC file that ends pi-heif 1.4.0 with a segmentation fault: one byte of a content type is not ASCII.

    Found by fuzzing. Never decode it in the process of the tests.
    """
    return heic_with_metadata().replace(b"application/rdf+xml", b"\xffpplication/rdf+xml")


def gif_with_comment() -> bytes:
    return encoded(scene().quantize(64), "GIF", comment=b"MARKER-COMMENT")


def swapped_profile_png() -> bytes:
    """A red picture whose profile (RGB with red and green swapped) makes it green on a managed screen."""
    return encoded(Image.new("RGB", SIZE, (255, 0, 0)), "PNG", icc_profile=_swapped_profile())


@cache
def _swapped_profile() -> bytes:
    """sRGB with the tags of its red and green primaries exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ", 128), profile.index(b"gXYZ", 128)
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def jpeg_with_zip() -> bytes:
    """A picture and a ZIP archive at once."""
    import zipfile

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr(zipfile.ZipInfo("MARKER-ARCHIVE.txt"), "MARKER-ARCHIVE")
    return jpeg() + archive.getvalue()


def jpeg_with_php() -> bytes:
    return jpeg(comment=b"<?php system($_GET['MARKER-PHP']); ?>")


def gif_with_script() -> bytes:
    """A picture and JavaScript at once: the bytes of its width, 10,799, open a comment."""
    return (
        gif(int.from_bytes(b"/*", "little"), 8)
        + b"*/=1;alert('MARKER-SCRIPT');//<script>alert('MARKER-SCRIPT')</script>"
    )


def tiny() -> bytes:
    return encoded(Image.new("RGB", (1, 1), (10, 200, 30)), "PNG")


def thin() -> bytes:
    """1 x 10000."""
    return encoded(Image.linear_gradient("L").resize((1, 10000)).convert("RGB"), "PNG")


def raw_png(width: int, height: int, bits: int, colour: int, rows: bytes) -> bytes:
    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


@cache
def pixel_bomb() -> bytes:
    """60 million pixels in a few kilobytes."""
    return raw_png(10000, 6000, bits=1, colour=0, rows=bytes((1 + 1250) * 6000))


def raw_gif(width: int, height: int, frames: int) -> bytes:
    """Frames of one pixel on a canvas of any size."""
    header = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\x00\x00\x00\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return header + frame * frames + b"\x3b"


def frame_bomb() -> bytes:
    """60 frames of a million pixels each."""
    return raw_gif(1000, 1000, 60)


def canvas_bomb() -> bytes:
    """A WebP of a few hundred bytes that asks for a canvas of 16,000 x 16,000."""
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "green")]
    data = bytearray(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]))
    data[24:30] = (15999).to_bytes(3, "little") * 2
    return bytes(data)


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def eleven_megabytes() -> bytes:
    """A good picture with so much after it that the file is too large."""
    return jpeg().ljust(11 * 1024 * 1024, b"\0")


def text() -> bytes:
    return b"I am not a picture, whatever my name says.\n" * 20


def html() -> bytes:
    return b"<!doctype html><html><script>alert('MARKER-SCRIPT')</script></html>"


def svg() -> bytes:
    return (
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9">'
        b"<script>alert(1)</script></svg>"
    )


ACCEPTED: dict[str, Callable[[], bytes]] = {
    "photo.jpg": jpeg,
    "phone.jpg": mpo,
    "drawing.png": png,
    "web.webp": webp,
    "picture.gif": gif,
    "iphone.heic": heic,
    "small.avif": avif,
    "animated.gif": animated_gif,
    "animated.webp": animated_webp,
    "animated.png": animated_png,
    "grey.jpg": grey_jpeg,
    "print.jpg": cmyk_jpeg,
    "16-bit-grey.png": grey_16_bit_png,
    "16-bit-colour.png": colour_16_bit_png,
    "transparent.png": transparent_png,
    "transparent-palette.png": transparent_palette_png,
    "transparent.gif": transparent_gif,
    "transparent.webp": transparent_webp,
    "two-colours.png": two_colour_png,
    "with-metadata.jpg": jpeg_with_metadata,
    "with-metadata.png": png_with_metadata,
    "with-metadata.webp": webp_with_metadata,
    "with-metadata.heic": heic_with_metadata,
    "with-comment.gif": gif_with_comment,
    "profile.png": swapped_profile_png,
    "broken-profile.jpg": lambda: jpeg(icc_profile=b"this is no colour profile" * 10),
    "archive.jpg": jpeg_with_zip,
    "server-code.jpg": jpeg_with_php,
    "script.gif": gif_with_script,
    "tiny.png": tiny,
    "thin.png": thin,
}

# Name, builder and the code of the refusal.
REJECTED: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.jpg": (bytes, "empty"),
    "large.jpg": (eleven_megabytes, "too_large"),
    "text.jpg": (text, "not_a_picture"),
    "page.png": (html, "not_a_picture"),
    "server-code.gif": (lambda: b"<?php system(1); ?>", "not_a_picture"),
    "vector.svg": (svg, "unsupported_format"),
    "scan.tiff": (lambda: encoded(scene(), "TIFF"), "unsupported_format"),
    "paint.bmp": (lambda: encoded(scene(), "BMP"), "unsupported_format"),
    "pixels.png": (pixel_bomb, "too_many_pixels"),
    "frames.gif": (frame_bomb, "too_many_pixels"),
    "canvas.webp": (canvas_bomb, "too_many_pixels"),
    "truncated.jpg": (lambda: half(jpeg()), "truncated"),
    "truncated.png": (lambda: half(png()), "truncated"),
    "truncated.webp": (lambda: half(webp()), "truncated"),
    "truncated.gif": (lambda: half(gif()), "truncated"),
    "truncated.heic": (lambda: half(heic()), "truncated"),
    "truncated.avif": (lambda: half(avif()), "truncated"),
}

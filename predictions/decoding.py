"""Decodes one untrusted picture: bytes in, a small clean picture out.

Nothing here imports Django: `decoder_pool` runs this module in a process of its own, which must start fast
and may die without harm. What comes out was encoded again from the bare pixels, so no byte of the original
(EXIF, GPS, XMP, comments, profiles, appended archives) survives. The same bytes always give the same result.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageChops,
    ImageCms,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
LONG_SIDE, SHORT_SIDE = 1500, 1000
PNG_BYTES = 1_500_000
JPEG_QUALITY = 92
FULL_COLOUR = 0
GREY_SIDE = 32

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
AVIF_BRANDS = {b"avif", b"avis"}

# Only for a helpful sentence: formats that people do send and that are deliberately not decoded.
OTHER_FORMATS = (
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"8BPS", "PSD"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "EPS"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\x00\x00\x01\x00", "ICO"),
)

# The classes themselves, not Image.open(): nothing else can be chosen, and a phone's JPEG with several frames
# (MPO) is read as the plain JPEG it starts with, instead of failing where its frame index is malformed.
OPENERS: dict[str, Callable[[io.BytesIO], Image.Image]] = {
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "WEBP": WebPImagePlugin.WebPImageFile,
    "AVIF": AvifImagePlugin.AvifImageFile,
}

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
LYING = {UPRIGHT[5], UPRIGHT[6], UPRIGHT[7], UPRIGHT[8]}


class DecodeRejected(Exception):
    """The picture cannot be taken: a code, and the name of the format where the code is about one."""

    def __init__(self, code: str, kind: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.kind = kind


class Decoded(NamedTuple):
    """A clean picture; the source's size is that of the upright original."""

    data: bytes
    extension: str
    width: int
    height: int
    source_width: int
    source_height: int
    # What `grey` makes of it.
    grey: bytes = b""


def decode(data: bytes) -> Decoded:
    """The clean form of a picture, or DecodeRejected; never any other exception."""
    if not data:
        raise DecodeRejected("empty")
    if len(data) > MAX_BYTES:
        raise DecodeRejected("too_large")
    kind = sniff(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", DeprecationWarning)
            return _decode(data, kind)
    except DecodeRejected:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DecodeRejected("too_many_pixels") from error
    except MemoryError as error:
        raise DecodeRejected("too_complex") from error
    except Exception as error:
        # Decoders raise almost anything on damaged input: OSError, ValueError, SyntaxError, IndexError, ...
        raise DecodeRejected("truncated") from error


def sniff(data: bytes) -> str:
    """The accepted format that the content, not the name, declares."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(PNG_SIGNATURE):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _sniff_container(data)
    for signature, name in OTHER_FORMATS:
        if data.startswith(signature):
            raise DecodeRejected("unsupported_format", name)
    if data.startswith(b"BM") and data[6:10] == b"\0\0\0\0":
        raise DecodeRejected("unsupported_format", "BMP")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and b"<svg" in data[:1024].lower():
        raise DecodeRejected("unsupported_format", "SVG")
    raise DecodeRejected("not_a_picture")


def _sniff_container(data: bytes) -> str:
    """HEIF and AVIF share their container with films: the brands in the first box tell them apart."""
    length = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12]} | {data[start : start + 4] for start in range(16, length, 4)}
    if brands & AVIF_BRANDS:
        return "AVIF"
    if brands & HEIF_BRANDS:
        return "HEIF"
    raise DecodeRejected("unsupported_format", "QuickTime" if data[8:12] == b"qt  " else "MP4")


def _decode(data: bytes, kind: str) -> Decoded:
    image = _open_heif(data) if kind == "HEIF" else OPENERS[kind](io.BytesIO(data))
    width, height = image.size
    frames = _gif_frames(data) if kind == "GIF" else getattr(image, "n_frames", 1)
    _check_pixels(width * height * max(1, frames))
    size = bounded_size(width, height)
    box = None
    if kind == "JPEG":
        # Lets the decoder skip detail that the shrinking would throw away: much faster for phone photos.
        drafted = image.draft(None, (2 * size[0], 2 * size[1]))
        box = drafted[1] if drafted else None
    # What came with half the colours' resolution has no more to keep; what is shrunk has it again.
    sampling = JpegImagePlugin.get_sampling(image) if kind == "JPEG" and size == image.size else FULL_COLOUR
    image.load()
    transpose = UPRIGHT.get(_orientation(image))
    profile = image.info.get("icc_profile")
    image = _flatten(image)
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    if transpose is not None:
        image = image.transpose(transpose)
        if transpose in LYING:
            width, height = height, width
    image = _to_srgb(image, profile)
    encoded, extension = _encode(image, lossless=kind in ("PNG", "GIF"), sampling=sampling)
    return Decoded(encoded, extension, *image.size, width, height, grey(image))


def grey(image: Image.Image) -> bytes:
    """The whole picture in GREY_SIDE x GREY_SIDE greys, row by row: all that `fingerprint` needs of it.

    What shrinks and what computes are apart so that this process needs no numpy, which doubles its start.
    """
    small = image.convert("L").resize((GREY_SIDE, GREY_SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return small.tobytes()


def bounded_size(width: int, height: int) -> tuple[int, int]:
    """The size that fits 1500 x 1000 (1000 x 1500 upright), shape kept, never enlarged, at least 1 x 1."""
    scale = min(1.0, LONG_SIDE / max(width, height), SHORT_SIDE / min(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _check_pixels(pixels: int) -> None:
    if pixels > MAX_PIXELS:
        raise DecodeRejected("too_many_pixels")


def _open_heif(data: bytes) -> Image.Image:
    """The main picture of a HEIF file, upright already: libheif turns it by the file's own boxes."""
    import pi_heif

    container = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    _check_pixels(sum(frame.size[0] * frame.size[1] for frame in container))
    image = container.to_pillow()
    image.info.pop("exif", None)
    image.info.pop("xmp", None)
    return image


def _gif_frames(data: bytes) -> int:
    """How many frames a GIF has, by its block structure alone: Pillow's own count has no bound in time."""

    def colours(flags: int) -> int:
        return 3 << ((flags & 7) + 1) if flags & 0x80 else 0

    position = 13 + colours(data[10])
    frames = 0
    while position < len(data):
        block = data[position]
        if block == 0x2C:
            frames += 1
            position += 11 + colours(data[position + 9] if position + 9 < len(data) else 0)
        elif block == 0x21:
            position += 2
        elif block == 0x3B:
            break
        else:
            position += 1
            continue
        while position < len(data) and data[position]:
            position += data[position] + 1
        position += 1
    return frames


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; a broken EXIF block is no reason to refuse a picture."""
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:
        return 1


def _flatten(image: Image.Image) -> Image.Image:
    """8 bits a channel, one of L, RGB and CMYK, and whatever was transparent on white."""
    if image.mode.startswith("I;16"):
        return _from_16_bit(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return _on_white(image, image)
    if image.mode in ("RGB", "L", "CMYK"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _on_white(image: Image.Image, mask: Image.Image) -> Image.Image:
    mode = "L" if image.mode == "L" else "RGB"
    background = Image.new(mode, image.size, "white")
    background.paste(image, mask=mask)
    return background


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Keeps the high byte of each 16-bit grey; Pillow's conversion clips everything above 255 to white."""
    raw = image.tobytes()
    little = not image.mode.endswith("B")
    high = Image.frombytes("L", image.size, raw[1::2] if little else raw[0::2])
    clear: Any = image.info.get("transparency")
    if not isinstance(clear, int):
        return high
    low = Image.frombytes("L", image.size, raw[0::2] if little else raw[1::2])
    same = [
        part.point([255 * (grey == byte) for grey in range(256)])
        for part, byte in ((high, clear >> 8), (low, clear & 255))
    ]
    return _on_white(high, ImageChops.invert(ImageChops.darker(*same)))


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB as screens show it; an embedded profile that does not fit the picture or is broken is ignored."""
    try:
        managed = _apply_profile(image, profile) if profile else None
    except Exception:
        managed = None
    return managed or (image if image.mode == "RGB" else image.convert("RGB"))


def _apply_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    mode = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}[source.profile.xcolor_space.strip()]
    if (image.mode, mode) == ("L", "RGB"):
        image = image.convert("RGB")
    if image.mode != mode:
        return None
    return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")


def _encode(image: Image.Image, lossless: bool, sampling: int) -> tuple[bytes, str]:
    # A new image carries none of the old one's info, which Pillow would write into the file.
    clean = Image.new("RGB", image.size)
    clean.paste(image)
    out = io.BytesIO()
    if lossless:
        # Level 3 takes a fifth of the default level's time and gives 4% more bytes.
        clean.save(out, "PNG", compress_level=3)
        if out.tell() < PNG_BYTES:
            return out.getvalue(), "png"
        out = io.BytesIO()
    # 2 is Pillow's number of half the resolution across and down. It takes a third less time than full colour.
    clean.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=2 if sampling == 2 else FULL_COLOUR)
    return out.getvalue(), "jpg"

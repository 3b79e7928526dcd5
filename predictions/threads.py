"""Several pictures at a time: decoders and codecs work outside of Python's lock, and storage is mostly waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.utils import translation

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = 2


def each(action: Callable[[Item], Result], items: Sequence[Item], threads: int = THREADS) -> list[Result]:
    """``action`` of every item, in their order; the first error ends it when what has begun is done.

    The action must not ask the database: a connection belongs to its thread. The reader's language goes along.
    """
    if len(items) < 2:
        return [action(item) for item in items]
    language = translation.get_language()

    def said(item: Item) -> Result:
        with translation.override(language):
            return action(item)

    with ThreadPoolExecutor(threads) as pool:
        begun = [pool.submit(said, item) for item in items]
        try:
            return [future.result() for future in begun]
        except BaseException:
            for future in begun:
                future.cancel()
            raise

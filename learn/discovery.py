"""What a package's modules offer, found by looking, so that adding a module edits no list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

T = TypeVar("T")


def discover(
    package: ModuleType, attribute: str, of: type[T], key: Callable[[T], str], twice: str
) -> dict[str, T]:
    """The ``attribute`` of every module of a package, by its key, in the order of the modules' names.

    Raises ValueError when a module offers none, or, with the sentence ``twice`` (with ``%r`` for the key), when two
    have one key.
    """
    found: dict[str, T] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{module_info.name}")
        offered = getattr(module, attribute, None)
        if not isinstance(offered, of):
            raise ValueError(f"{module.__name__} offers no `{attribute}`.")
        if key(offered) in found:
            raise ValueError(twice % key(offered))
        found[key(offered)] = offered
    return found

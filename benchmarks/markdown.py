"""Tables as Markdown writes them."""

from __future__ import annotations


def table(head: str, lines: list[str]) -> str:
    """A Markdown table; ``head`` is its first line."""
    return "\n".join([head, "|---" * (head.count("|") - 1) + "|", *lines])

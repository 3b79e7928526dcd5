"""The tables of README.md about the workshop, its history and its pages."""

from __future__ import annotations

from typing import Any

from benchmarks.markdown import table

PARTS_OF_THE_SITE = {
    "web": "gunicorn",
    "decoders": "decoders of pictures, gunicorn's children",
    "worker": "the worker",
    "database": "PostgreSQL",
    "redis": "Redis",
}


def workshop(rows: list[dict[str, Any]], source: str) -> list[str]:
    lines = [f"| {row['what']} | {row['to_reach']} | {row['reached']} |" for row in rows]
    (busy,) = [row for row in rows if "cpu_ms" in row]
    parts = [f"| {PARTS_OF_THE_SITE[part]} | {spent:.1f} ms |" for part, spent in busy["cpu_ms"].items()]
    steps = [f"| {step} | {spent:.2f} ms |" for step, spent in busy["steps_ms"].items()]
    whole = sum(busy["cpu_ms"].values())
    title = (
        "Many pictures, with PostgreSQL, Redis, the Procfile's gunicorn and one worker on one machine, pictures of "
        f"800 x 600 and up to 80 kB; a picture's time is that of the POST plus `finished - created` ({source}):"
    )
    where = (
        f"Where the time goes: a picture costs {whole:.1f} ms of processor time on this way when both cores are busy "
        "(Wide ResNet, 50 pictures a POST), by process:"
    )
    inside = (
        "The heavier steps within, each measured alone; the rest is HTTP, forms, files, rows and waiting for the "
        "other core:"
    )
    return [
        title,
        table("| what | to reach | reached |", lines),
        where,
        table("| process | a picture |", parts),
        inside,
        table("| step | processor time |", steps),
    ]


def live(rows: list[dict[str, Any]], source: str) -> list[str]:
    lines = [
        f"| {row['picture']} | {row['p50_ms']:.0f} ms | {row['p95_ms']:.0f} ms | {row['first_ms']} ms |"
        for row in rows
    ]
    title = (
        "Live answers of the small network while a bar is dragged, 200 questions one after the other, as the page asks "
        f"them; to reach: 300 ms, p95 ({source}):"
    )
    return [
        title,
        table("| picture | p50 | p95 | the first of a picture |", lines),
    ]


def history(rows: list[dict[str, Any]], source: str) -> list[str]:
    databases = {
        "postgresql": "PostgreSQL, 1,000,000 predictions of 1,000 users, one of them with 100,000: that user's history",
        "sqlite": "SQLite, 100,000 predictions of one user",
    }
    parts = [f"The history, time in the server with the page rendered ({source}):"]
    for name, title in databases.items():
        mine = [row for row in rows if row["database"] == name]
        lines = [
            f"| {row['what']} | {row['p50_ms']:.0f} ms | {row['p95_ms']:.0f} ms | {_limit(row)} | {row['queries']} |"
            for row in mine
        ]
        parts += [f"{title}:", table("| what | p50 | p95 | to reach, p95 | queries |", lines)]
    return parts


def admin(rows: list[dict[str, Any]], source: str) -> list[str]:
    lines = [
        f"| {row['what']} | {row['p50_ms']:.0f} ms | {row['p95_ms']:.0f} ms | {_limit(row)} | {row['queries']} |"
        for row in rows
    ]
    title = (
        "The admin with 100,000 uploads, 200,000 predictions and 2,000 reports of 1,000 accounts in PostgreSQL, "
        f"time in the server with the page rendered ({source}):"
    )
    return [title, table("| what | p50 | p95 | to reach, p95 | queries |", lines)]


def _limit(row: dict[str, Any]) -> str:
    return f"{row['limit_ms']} ms" if row.get("limit_ms") else ""


def pages(rows: list[dict[str, Any]], source: str) -> list[str]:
    lines = [
        f"| `{row['page']}` | {row['performance']} | {row['accessibility']} | {row['best_practices']} | {row['seo']} "
        f"| {row['kilobytes']} kB | {row['layout_shift']:.3f} |"
        for row in rows
    ]
    title = (
        f"Lighthouse {rows[0]['lighthouse']}, as on a phone, first visit; to reach: 95 and, for `/predict/`, 200 kB "
        f"(`python -m benchmarks pages`, which wants npx; {source.partition('; ')[2]}):"
    )
    return [
        title,
        table(
            "| page | performance | accessibility | best practices | search | transferred | layout shift |",
            lines,
        ),
    ]

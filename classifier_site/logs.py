"""One JSON object a line, for machines that collect logs; and what no line may hold."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

LINK = re.compile(r"(/s/[A-Za-z0-9_-]{6})[A-Za-z0-9_-]+")


class HideLinks(logging.Filter):
    """Django names the address of what it refused. Of a shared link it is the key: as much of it stays as the admin
    shows.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                LINK.sub(r"\1…", part) if isinstance(part, str) else part for part in record.args
            )
        return True


class JsonFormatter(logging.Formatter):
    """Writes only the fields named here: extras such as the request hold cookies and passwords."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        status = getattr(record, "status_code", None)
        if isinstance(status, int):
            line["status"] = str(status)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configuration(level: str, *, as_json: bool) -> dict[str, Any]:
    """What ``LOGGING`` says: everything from ``level`` on goes to the console, as text or as JSON."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "text": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s", "datefmt": "%H:%M:%S"},
            "json": {"()": JsonFormatter},
        },
        "filters": {"links": {"()": HideLinks}},
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "json" if as_json else "text",
                "filters": ["links"],
            }
        },
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django": {"level": level, "handlers": [], "propagate": True},
            # boto3 and urllib3 print requests, and with them credentials, at DEBUG.
            "botocore": {"level": "WARNING"},
            # What it was told when it asked for credentials; who asked for something says that there are none.
            "botocore.credentials": {"level": "ERROR"},
            "s3transfer": {"level": "WARNING"},
            "boto3": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            "PIL": {"level": "WARNING"},
            "axes": {"level": "WARNING"},
            "fido2": {"level": "WARNING"},
            "kombu": {"level": "ERROR"},
            # Lines for every try of every connection; requests say that the database is away.
            "psycopg.pool": {"level": "ERROR"},
            # A line a task is for those who look for something.
            "celery": {"level": level if level != "INFO" else "WARNING"},
        },
    }

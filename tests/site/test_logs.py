"""Production logs are one JSON object a line and hold nothing that was not meant for them."""

from __future__ import annotations

import json
import logging
import sys

from classifier_site.logs import JsonFormatter


def record(**extra) -> logging.LogRecord:
    found = logging.LogRecord("site", logging.WARNING, "file", 1, "Not found: %s", ("/x",), None)
    for name, value in extra.items():
        setattr(found, name, value)
    return found


def test_a_line_is_one_json_object():
    text = JsonFormatter().format(record(status_code=404))
    assert "\n" not in text
    line = json.loads(text)
    assert line["message"] == "Not found: /x"
    assert (line["level"], line["logger"], line["status"]) == ("WARNING", "site", "404")
    assert line["time"].endswith("+00:00")


def test_extras_such_as_the_request_stay_out():
    assert "hidden" not in JsonFormatter().format(record(request="cookie=hidden", password="hidden"))


def test_an_exception_is_kept_on_the_same_line():
    try:
        raise ValueError("why")
    except ValueError:
        failed = logging.LogRecord("site", logging.ERROR, "file", 1, "Failed", (), sys.exc_info())
    text = JsonFormatter().format(failed)
    assert "\n" not in text
    assert "ValueError: why" in json.loads(text)["exception"]

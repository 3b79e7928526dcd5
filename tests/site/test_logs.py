"""Production logs are one JSON object a line and hold nothing that was not meant for them."""

from __future__ import annotations

import io
import json
import logging
import sys

import pytest

from classifier_site.logs import HideLinks, JsonFormatter


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


@pytest.mark.django_db
def test_of_a_shared_link_no_line_holds_more_than_its_beginning(client, monkeypatch):
    (console,) = [
        one for one in logging.getLogger().handlers if any(isinstance(f, HideLinks) for f in one.filters)
    ]
    written = io.StringIO()
    monkeypatch.setattr(console, "stream", written)
    token = "Vb3nqk0uUqZxw1e8gTq5yQmF0c7H2rjL9sPdXaKoW4E"
    for address in (f"/s/{token}/", f"/s/{token}/preview.png", f"/s/{token}/report/"):
        assert client.get(address).status_code == 404
    assert written.getvalue().count("/s/Vb3nqk…/") == 3
    assert token[6:] not in written.getvalue()

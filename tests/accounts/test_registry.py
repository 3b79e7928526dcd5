from __future__ import annotations

import pytest

from accounts import registry


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch):
    monkeypatch.setattr(registry, "_exporters", {})
    monkeypatch.setattr(registry, "_erasers", {})
    monkeypatch.setattr(registry, "_mergers", {})
    monkeypatch.setattr(registry, "_counters", {})
    monkeypatch.setattr(registry, "_sections", {})
    monkeypatch.setattr(registry, "_first_sections", {})


def test_what_apps_register_is_found_by_name_and_in_order():
    def pictures(user):
        return [user]

    def progress(user):
        return {}

    registry.register_exporter("pictures", pictures)
    registry.register_exporter("progress", progress)
    registry.register_eraser("pictures", progress)
    registry.register_merger("pictures", pictures)
    assert list(registry.exporters().items()) == [("pictures", pictures), ("progress", progress)]
    assert dict(registry.erasers()) == {"pictures": progress}
    assert dict(registry.mergers()) == {"pictures": pictures}


def test_registering_the_same_again_changes_nothing():
    registry.register_exporter("pictures", repr)
    registry.register_exporter("pictures", repr)
    assert dict(registry.exporters()) == {"pictures": repr}


def test_two_apps_cannot_share_a_name():
    registry.register_eraser("pictures", repr)
    with pytest.raises(ValueError, match="pictures"):
        registry.register_eraser("pictures", str)
    assert dict(registry.erasers()) == {"pictures": repr}


def test_what_is_handed_out_cannot_be_written_to():
    with pytest.raises(TypeError):
        registry.exporters()["pictures"] = repr


def test_the_pictures_of_all_apps_are_counted_together():
    assert registry.pictures("somebody") == 0
    registry.register_counter("one", {"somebody": 2}.__getitem__)
    registry.register_counter("other", {"somebody": 3}.__getitem__)
    assert registry.pictures("somebody") == 5


def test_sections_of_the_account_page_are_those_that_have_something_to_show():
    registry.register_section("none", lambda request: None)
    registry.register_section("links", lambda request: ("links.html", {"of": request}))
    registry.register_section("notices", lambda request: ("notices.html", {}), first=True)
    assert registry.sections("a request") == [("links.html", {"of": "a request"})]
    assert registry.sections("a request", first=True) == [("notices.html", {})]

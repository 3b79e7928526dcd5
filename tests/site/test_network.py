"""The caller's address cannot be invented, and axes stands only at its two doors."""

from __future__ import annotations

import pytest

from classifier_site.network import client_ip, outside_axes


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "", "10.0.0.1"),
        (0, "6.6.6.6", "10.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1"),
        (1, "", "10.0.0.1"),
    ],
)
def test_only_what_trusted_proxies_wrote_counts(rf, settings, proxies, forwarded, expected):
    settings.TRUSTED_PROXY_COUNT = proxies
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    assert client_ip(rf.get("/", REMOTE_ADDR="10.0.0.1", headers=headers)) == expected


@pytest.mark.parametrize(
    ("address", "outside"),
    [("/admin/login/", False), ("/api/v1/token/", False), ("/accounts/login/", True), ("/", True)],
)
def test_axes_looks_at_the_admin_and_the_token_address(rf, address, outside):
    assert outside_axes(rf.post(address)) is outside


def test_a_login_without_a_request_is_no_matter_for_axes():
    assert outside_axes(None) is True

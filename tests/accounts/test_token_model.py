from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import KEY_PREFIX, ApiToken, digest_of

pytestmark = pytest.mark.django_db


def test_the_key_is_long_random_and_not_stored(user):
    token, key = ApiToken.objects.issue(user, "laptop")
    _other, other_key = ApiToken.objects.issue(user, "laptop")
    assert key != other_key
    assert len(key) - len(KEY_PREFIX) >= 43  # 32 bytes in base64
    stored = ApiToken.objects.filter(pk=token.pk).values_list().get()
    assert key not in map(str, stored)
    assert token.digest == digest_of(key)
    assert key.startswith(token.prefix)
    assert key not in str(token)
    assert token.prefix in str(token)


def test_a_token_is_found_by_its_whole_key_only(user):
    token, key = ApiToken.objects.issue(user, "laptop")
    assert ApiToken.objects.find(key) == token
    for wrong in (key[:-1], key + "x", key.swapcase(), token.digest, token.prefix, ""):
        assert ApiToken.objects.find(wrong) is None


def test_use_is_noted_at_most_once_a_minute(user, django_assert_num_queries):
    token, _key = ApiToken.objects.issue(user, "laptop")
    ApiToken.objects.touch(token)
    first = ApiToken.objects.get(pk=token.pk).last_used
    assert timezone.now() - first < timedelta(seconds=30)
    with django_assert_num_queries(0):
        ApiToken.objects.touch(token)
    ApiToken.objects.update(last_used=first - timedelta(seconds=90))
    token.refresh_from_db()
    ApiToken.objects.touch(token)
    token.refresh_from_db()
    assert token.last_used >= first


def test_tokens_go_with_their_owner(user):
    ApiToken.objects.issue(user, "laptop")
    user.delete()
    assert not ApiToken.objects.exists()

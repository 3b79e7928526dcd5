"""The lists of moderation in the admin: where they are, what is done there, and staff who may do some of it."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from tests.factories import make_user

QUEUE = "/admin/predictions/report/"
UPLOADS = "/admin/predictions/upload/"
LOG = "/admin/accounts/moderationentry/"


def make_staff(*permissions: str, **values: Any) -> User:
    staff = make_user(is_staff=True, **values)
    staff.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return staff


def act(client: Client, address: str, action: str, *rows: Any, **values: Any) -> Any:
    sent = {"action": action, "_selected_action": [str(row.pk) for row in rows], **values}
    return client.post(address, sent, follow=True)


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", response.content.decode())

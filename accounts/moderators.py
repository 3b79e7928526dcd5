"""The group "moderators", which a fresh database has with exactly the permissions that moderating needs.

It is made once, by the first ``migrate`` that finds no group of this name, and is the operator's from then on: who is
in it, and what was taken from it or added by hand, stays as it is. A permission that a later release wants moderators
to have is given by a migration of that release.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

NAME = "moderators"

_wanted: set[str] = set()


def register_permissions(*names: str) -> None:
    """What a moderator may do in an app, as ``"app.codename"``; called in its ``AppConfig.ready()``."""
    _wanted.update(names)


def permissions() -> frozenset[str]:
    """All that the group is made with."""
    return frozenset(_wanted)


def make_group(sender: Any, using: str, **details: Any) -> None:
    """Receives ``post_migrate``, once for every app: the group is made as soon as all its permissions are there."""
    from django.contrib.auth.models import Group, Permission

    if using != "default" or not _wanted or Group.objects.using(using).filter(name=NAME).exists():
        return
    there = {
        f"{one.content_type.app_label}.{one.codename}": one
        for one in Permission.objects.using(using).select_related("content_type")
    }
    if not _wanted <= there.keys():
        return
    with transaction.atomic(using=using):
        group, made = Group.objects.using(using).get_or_create(name=NAME)
        if made:
            group.permissions.set(there[name] for name in _wanted)

"""The group "moderators": what a member may do over the admin's own addresses, and what staff without it may not."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models.signals import post_migrate
from django.urls import reverse

from accounts import moderators
from accounts.models import ApiToken, ModerationEntry, User
from predictions.models import Report
from tests.factories import make_runs, make_user

PERMISSIONS = {
    "predictions.view_report",
    "predictions.moderate",
    "predictions.view_upload",
    "predictions.view_prediction",
    "accounts.view_user",
    "accounts.suspend_user",
    "accounts.view_moderationentry",
}

pytestmark = pytest.mark.django_db


def migrate() -> None:
    for config in apps.get_app_configs():
        post_migrate.send(sender=config, app_config=config, verbosity=0, interactive=False, using="default")


def names(group: Group) -> set[str]:
    return {f"{one.content_type.app_label}.{one.codename}" for one in group.permissions.all()}


@pytest.fixture
def member() -> User:
    made = make_user("moderator@example.com", is_staff=True)
    made.groups.add(Group.objects.get(name=moderators.NAME))
    return made


@pytest.fixture
def staff() -> User:
    return make_user("staff@example.com", is_staff=True)


@pytest.fixture
def report(user, small_networks, no_wake_ups) -> Report:
    upload = make_runs(user)[0].upload
    return Report.objects.create(upload=upload, account=user, reason=Report.Reason.PERSON)


def test_a_fresh_database_has_the_group_with_exactly_these_permissions():
    group = Group.objects.get(name="moderators")
    assert names(group) == PERMISSIONS == moderators.permissions()
    assert not group.user_set.exists()


def test_migrating_again_leaves_members_and_what_was_changed_by_hand(member):
    group = Group.objects.get(name=moderators.NAME)
    group.permissions.remove(Permission.objects.get(codename="suspend_user"))
    group.permissions.add(Permission.objects.get(codename="view_share"))
    migrate()
    assert names(group) == PERMISSIONS - {"accounts.suspend_user"} | {"predictions.view_share"}
    assert list(group.user_set.all()) == [member]


def test_a_database_without_it_gets_it_with_the_next_migration():
    Group.objects.all().delete()
    migrate()
    assert names(Group.objects.get()) == PERMISSIONS


def looked_at(user: User, report: Report) -> list[str]:
    """The addresses that a moderator's work leads to."""
    run = report.upload.predictions.first()
    return [
        reverse("admin:index"),
        reverse("admin:predictions_report_changelist"),
        reverse("admin:predictions_report_change", args=[report.pk]),
        reverse("admin:predictions_upload_changelist"),
        reverse("admin:predictions_upload_change", args=[report.upload_id]),
        reverse("admin:predictions_prediction_changelist"),
        reverse("admin:predictions_prediction_change", args=[run.pk]),
        reverse("admin:accounts_user_changelist"),
        reverse("admin:accounts_user_change", args=[user.pk]),
        reverse("admin:accounts_moderationentry_changelist"),
    ]


def test_a_member_sees_what_the_work_needs_and_staff_without_the_group_do_not(
    client, user, member, staff, report
):
    client.force_login(member)
    for address in looked_at(user, report):
        assert client.get(address).status_code == 200, address
    client.force_login(staff)
    for address in looked_at(user, report)[1:]:
        assert client.get(address).status_code in (302, 403), address


def test_a_member_can_do_no_more_than_that(client, user, member, report):
    _token, _key = ApiToken.objects.issue(user, "laptop")
    ModerationEntry.objects.create(actor=member, account=user, action="suspend")
    client.force_login(member)
    run = report.upload.predictions.first()
    for address in (
        reverse("admin:accounts_apitoken_changelist"),
        reverse("admin:accounts_user_add"),
        reverse("admin:accounts_user_delete", args=[user.pk]),
        reverse("admin:auth_user_password_change", args=[user.pk]),
        reverse("admin:auth_group_changelist"),
        reverse("admin:predictions_prediction_delete", args=[run.pk]),
        reverse("admin:predictions_report_add"),
    ):
        assert client.get(address).status_code in (302, 403), address
    address = reverse("admin:accounts_user_change", args=[user.pk])
    assert client.post(address, {"time_zone": "UTC", "is_active": "", "is_staff": "on"}).status_code == 403
    user.refresh_from_db()
    assert (user.is_active, user.is_staff) == (True, False)


def test_only_a_member_can_suspend(client, user, member, staff):
    staff.user_permissions.set(Permission.objects.filter(codename="view_user"))
    sent = {"action": "suspend", "_selected_action": [user.pk], "confirmed": "1", "reason": "Spam"}
    for who, suspended in ((staff, False), (member, True)):
        client.force_login(who)
        client.post(reverse("admin:accounts_user_changelist"), sent)
        user.refresh_from_db()
        assert (user.suspended is not None) is suspended

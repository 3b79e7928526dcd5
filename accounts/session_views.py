"""Ends one session of one's own; the list, and ending all others, are allauth's."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts.views import OwnRequest, only_get_and_post


@never_cache
@login_required
@only_get_and_post
def end_session(request: OwnRequest, pk: int) -> HttpResponse:
    """Logs one of one's own devices out; this one too, if that is the one."""
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    if request.method != "POST":
        return redirect("usersessions_list")
    if session.session_key == request.session.session_key:
        logout(request)
        return redirect("home")
    session.end()
    messages.success(request, _("That device is logged out."))
    return redirect("usersessions_list")

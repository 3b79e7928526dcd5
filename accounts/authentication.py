from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import APIException, AuthenticationFailed

from accounts import suspension
from accounts.models import ApiToken

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema
    from rest_framework.request import Request

    from accounts.models import User

KEYWORD = "Token"


class DeletionPending(APIException):
    """The account's owner has asked for it to be deleted, and may still keep it. The token is right: not 401."""

    status_code = status.HTTP_403_FORBIDDEN
    default_code = "account_deletion_pending"
    default_detail = _("This account is about to be deleted. To keep it, log in on the site.")


class AccountSuspended(AuthenticationFailed):
    """Moderators suspended the account; the message says why. The token works again when that is lifted."""

    default_code = suspension.CODE


class TokenAuthentication(BaseAuthentication):
    """``Authorization: Token KEY``, with a key from the account page or the token endpoint."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != KEYWORD.lower().encode():
            return None
        if len(parts) != 2:
            raise AuthenticationFailed(_("Send the header as: Authorization: Token KEY."))
        token = ApiToken.objects.find(parts[1].decode("latin-1"))
        if token is not None and token.owner.suspended is not None:
            raise AccountSuspended(suspension.says(token.owner))
        if token is None or not token.owner.is_active or token.owner.is_guest:
            raise AuthenticationFailed(_("This API token is not valid. Make a new one on your account page."))
        if token.owner.deletion_due is not None:
            raise DeletionPending
        ApiToken.objects.touch(token)
        return token.owner, token

    def authenticate_header(self, request: Request) -> str:
        """With this header an anonymous request is answered 401 instead of 403."""
        return KEYWORD


class TokenScheme(OpenApiAuthenticationExtension):
    """Tells the OpenAPI document about ``TokenAuthentication``."""

    target_class = TokenAuthentication
    name = "tokenAuth"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": str(_("The word Token, a space, and an API token: Token KEY")),
        }

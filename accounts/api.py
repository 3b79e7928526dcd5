from __future__ import annotations

from allauth.account import app_settings as allauth_settings
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.contrib.auth import authenticate
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import lockout, second_factor, suspension
from accounts.authentication import DeletionPending
from accounts.forms import has_all_tokens, too_many_tokens
from accounts.models import ApiToken, User
from accounts.schema import answer, errors, request_example


class WrongCredentials(APIException):
    # Not 401: there is no other way to authenticate here that a WWW-Authenticate header could name.
    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "wrong_credentials"
    default_detail = _("The e-mail address or the password is not right.")


class EmailNotConfirmed(APIException):
    status_code = status.HTTP_403_FORBIDDEN
    default_code = "email_not_confirmed"
    default_detail = _("Confirm your e-mail address first: log in on the site, and it sends you a message.")


class SecondFactorAsked(APIException):
    # A program that could give the second factor as well would keep both in one place, which makes them one.
    status_code = status.HTTP_403_FORBIDDEN
    default_code = "second_factor"
    default_detail = _(
        "This account has a second factor, so a password alone gets no token here. Make one on your account page."
    )


class AccountSuspended(APIException):
    status_code = status.HTTP_403_FORBIDDEN
    default_code = suspension.CODE


class TooManyTokens(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "too_many_tokens"


class CredentialsSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=4096, trim_whitespace=False, write_only=True)
    name = serializers.CharField(max_length=100, required=False, default="API")


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField()


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class TokenView(APIView):
    """Exchanges an e-mail address and a password for a new API token.

    The token is shown only in this answer. It works until it is revoked on the account page. For an account with a
    second factor tokens are made on that page only.
    """

    # The password is the authentication, so a cookie that a browser may send along means nothing here.
    authentication_classes = []
    permission_classes = [AllowAny]
    throttle_scope = "token"

    @extend_schema(
        operation_id="token_create",
        tags=["token"],
        summary="Get an API token",
        request=CredentialsSerializer,
        examples=[
            request_example({"email": "ada@example.com", "password": "...", "name": "my script"}, kind)
            for kind in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
        ],
        responses={
            200: answer(TokenSerializer, "The token. It is shown only now.", {"token": "KEY"}),
            **errors(
                400,
                403,
                409,
                413,
                415,
                429,
                e400=("wrong_credentials", "The e-mail address or the password is not right."),
                e403=("email_not_confirmed", "Confirm your e-mail address first."),
                e409=("too_many_tokens", "You have as many tokens as one may have. Revoke one first."),
            ),
        },
    )
    def post(self, request: Request) -> Response:
        form = CredentialsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = self._authenticate(request, form.validated_data["email"], form.validated_data["password"])
        if has_all_tokens(user):
            raise TooManyTokens(too_many_tokens())
        _token, key = ApiToken.objects.issue(user, form.validated_data["name"])
        return Response({"token": key})

    @staticmethod
    def _authenticate(request: Request, email: str, password: str) -> User:
        # axes keeps its notes on Django's request, and its middleware answers there who is locked out.
        AuthenticationBackend.unstash_authenticated_user()
        user = authenticate(request._request, email=email, password=password)
        if user is None:
            # The account, if nothing but its being inactive was in the way: the password was right.
            inactive = AuthenticationBackend.unstash_authenticated_user()
            if isinstance(inactive, User) and inactive.suspended is not None:
                raise AccountSuspended(suspension.says(inactive))
            raise WrongCredentials
        mandatory = allauth_settings.EmailVerificationMethod.MANDATORY
        if mandatory == allauth_settings.EMAIL_VERIFICATION and not _has_confirmed_email(user):
            raise EmailNotConfirmed
        if second_factor.is_set_up(user):
            raise SecondFactorAsked
        lockout.forget_failures(request._request, email)
        if user.deletion_due is not None:
            raise DeletionPending
        return user


def _has_confirmed_email(user: User) -> bool:
    return EmailAddress.objects.filter(user=user, verified=True).exists()

"""Every setting of the site. What each environment variable does is listed in docs/operations.md."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from csp.constants import NONCE, NONE, SELF

from classifier_site import backends, environment, logs
from classifier_site.secret_key import local_secret_key

env = environment.Environment()

BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = env.text("ENVIRONMENT", "local", choices=("local", "production"))
PRODUCTION = ENVIRONMENT == "production"
DATA_DIR = env.folder("DATA_DIR", "./var")
PORT = env.number("PORT", 8000, minimum=1, maximum=65535)
DEBUG = env.flag("DEBUG", False)
# What a machine of several is for; empty where every process is started by hand. deploy/bin/when_role asks too.
ROLE = env.text("ROLE", "", choices=("web", "worker", ""))
RATE_LIMITS = env.flag("RATE_LIMITS", True)
# Calendar months after which the picture of a prediction without a star is removed; 0 keeps it.
RETENTION_MONTHS = env.number("RETENTION_MONTHS", 12 if PRODUCTION else 0, minimum=0, maximum=1200)
# How many reverse proxies add to X-Forwarded-For before a request arrives here.
TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXY_COUNT", 1 if PRODUCTION else 0, minimum=0, maximum=10)

# The checks in classifier_site/checks.py refuse a production without a key of its own.
SECRET_KEY = env.text("SECRET_KEY") or local_secret_key(DATA_DIR)
SECRET_KEY_GIVEN = bool(env.text("SECRET_KEY"))
SECRET_KEY_FALLBACKS = env.names("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.names("CSRF_TRUSTED_ORIGINS")

# --- applications -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "predictions",
    "learn",
    "classifier_site",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    # First, because a load balancer asks by address and without HTTPS.
    "classifier_site.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "classifier_site.middleware.ResponseHeadersMiddleware",
    "classifier_site.middleware.BodyLimitMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.languages.LanguageMiddleware",
    "accounts.middleware.TimeZoneMiddleware",
    "accounts.suspension_views.SuspensionMiddleware",
    "accounts.middleware.DeletionPendingMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.middleware.LastSeenMiddleware",
    "classifier_site.middleware.ErrorShapeMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # Last, as its documentation asks.
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "classifier_site.urls"
WSGI_APPLICATION = "classifier_site.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "classifier_site.context_processors.csp_nonce",
                "accounts.context_processors.guest_offer",
            ]
        },
    }
]

# --- database, cache, queue -------------------------------------------------------------------------------

DATABASE_URL = env.url("DATABASE_URL", schemes=("postgres", "postgresql", "sqlite"))
# Connections that the threads of a process share; 0 lets each keep one of its own.
DATABASE_POOL = env.number("DATABASE_POOL", 0, minimum=0, maximum=64)
DATABASES = {"default": environment.database(DATABASE_URL, DATA_DIR / "convoscope.sqlite3", DATABASE_POOL)}

CELERY_BROKER_URL = env.url(
    "CELERY_BROKER_URL", "filesystem://", schemes=("redis", "rediss", "sqs", "filesystem")
)
CACHE_URL = env.url(
    "CACHE_URL", env.url("REDIS_URL", schemes=("redis", "rediss")), schemes=("redis", "rediss")
)

CACHES = {"default": backends.cache(CACHE_URL)}

# Where metrics of the queue are published, and the lifecycle hook that a machine answers before it is ended.
CLOUDWATCH_NAMESPACE = env.name("CLOUDWATCH_NAMESPACE", ".-_/#:", longest=255)
TERMINATION_HOOK = env.name("TERMINATION_HOOK", "-_/", longest=255)

# Rows are the truth and messages are wake-ups: nothing is kept of a task, and a lost message costs seconds.
CELERY_TASK_ALWAYS_EAGER = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_TIME_LIMIT = 55
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_DEFAULT_QUEUE = "predictions"
# Figures, and what may take minutes, have a worker of their own with a process for each.
CELERY_TASK_ROUTES = backends.ROUTES
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any]
globals().update(backends.queue(CELERY_BROKER_URL, DATA_DIR / "broker", env))

# --- files ------------------------------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "media"
MEDIA_URL = ""  # pictures leave only through views that ask for their owner
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]

AWS_STORAGE_BUCKET_NAME = env.text("AWS_STORAGE_BUCKET_NAME")
AWS_S3_REGION_NAME = env.text("AWS_S3_REGION_NAME")
AWS_S3_ENDPOINT_URL = env.url("AWS_S3_ENDPOINT_URL", schemes=("http", "https"))
# Bulk by bucket: the queue that tells of pictures put below inbox/, and the account that asks about them.
AWS_SQS_REGION_NAME = backends.sqs_region(env)
INBOX_QUEUE_URL, INBOX_OWNER = backends.inbox(env, AWS_STORAGE_BUCKET_NAME)
STORAGES: dict[str, dict[str, Any]] = {
    "default": backends.storage(AWS_STORAGE_BUCKET_NAME, AWS_S3_REGION_NAME, AWS_S3_ENDPOINT_URL),
    "staticfiles": {
        "BACKEND": "classifier_site.static.CompressedHashedStorage"
        if PRODUCTION
        else "classifier_site.static.HashedStorage"
    },
}

# --- requests ---------------------------------------------------------------------------------------------

MB = 1024 * 1024
BODY_LIMIT = 5 * MB // 2  # except where pictures arrive, one or many
BODY_LIMITS = {
    "/predict/": 250 * MB,
    "/api/v1/predictions/": 250 * MB,
    "/predict/draft/": 12 * MB,
    "/learn/own-classes/pictures/": 250 * MB,
    "/learn/own-classes/try/": 110 * MB,
}
DATA_UPLOAD_MAX_NUMBER_FILES = 210
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * MB

X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "classifier_site.errors.csrf_failure"
if PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Secure-csrftoken"
    if TRUSTED_PROXY_COUNT:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "blob:", "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "worker-src": [SELF, "blob:"],
        "media-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY = (
    "camera=(self), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=(), "
    "publickey-credentials-get=(self), publickey-credentials-create=(self)"
)

# --- accounts ---------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{VALIDATION}.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ["email"]}},
    {"NAME": f"{VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": f"{VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{VALIDATION}.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "predictions:predict"
LOGOUT_REDIRECT_URL = "home"

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.forms.LoginForm",
    "signup": "accounts.forms.SignupForm",
    "add_email": "accounts.forms.AddEmailForm",
    "change_password": "accounts.forms.ChangePasswordForm",
    "set_password": "accounts.forms.SetPasswordForm",
    "reset_password": "accounts.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.forms.ResetPasswordKeyForm",
    "reauthenticate": "accounts.forms.ReauthenticateForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if PRODUCTION else "optional"
ACCOUNT_EMAIL_SUBJECT_PREFIX = "Convoscope: "
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if PRODUCTION else "http"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
# An empty mapping means allauth's own limits, False means none.
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {} if RATE_LIMITS else False
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT

# The second factor: an authenticator app or a passkey, and recovery codes for the day when it is lost. A browser is
# never trusted to go without, and every change asks for the password or the factor again.
MFA_ADAPTER = "accounts.second_factor.Adapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "authenticate": "accounts.second_factor_forms.AuthenticateForm",
    "authenticate_webauthn": "accounts.second_factor_forms.AuthenticatePasskeyForm",
    "login_webauthn": "accounts.second_factor_forms.LoginPasskeyForm",
    "reauthenticate": "accounts.second_factor_forms.ReauthenticateForm",
    "reauthenticate_webauthn": "accounts.second_factor_forms.ReauthenticatePasskeyForm",
    "activate_totp": "accounts.second_factor_forms.ActivateAppForm",
    "add_webauthn": "accounts.second_factor_forms.AddPasskeyForm",
    "edit_webauthn": "accounts.second_factor_forms.RenamePasskeyForm",
}
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TRUST_ENABLED = False
MFA_TOTP_ISSUER = "Convoscope"
MFA_TOTP_TOLERANCE = 1
# Where an address need not be confirmed, waiting for its confirmation would be for ever.
MFA_ALLOW_UNVERIFIED_EMAIL = not PRODUCTION
MFA_RATE_LIMITS: dict[str, str] | bool = {} if RATE_LIMITS else False
# With it, staff reach the admin only with a second factor.
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR", False)

# allauth limits its own pages; axes guards the two doors that allauth does not stand at.
AXES_ENABLED = RATE_LIMITS
AXES_WHITELIST_CALLABLE = "classifier_site.network.outside_axes"
AXES_USERNAME_CALLABLE = "accounts.lockout.username"
AXES_CLIENT_IP_CALLABLE = "classifier_site.network.client_ip"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "classifier_site.errors.locked_out"
AXES_HTTP_RESPONSE_CODE = 429
AXES_DISABLE_ACCESS_LOG = True

EMAIL_URL = env.url(
    "EMAIL_URL", "" if PRODUCTION else "console:", schemes=("console", "smtp", "smtps", "ses")
)
globals().update(environment.mail(EMAIL_URL))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "" if PRODUCTION else "Convoscope <convoscope@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# Who answers for the site. The pages /privacy/ and /terms/ name them.
OPERATOR_NAME = env.text("OPERATOR_NAME")
OPERATOR_EMAIL = env.text("OPERATOR_EMAIL")
OPERATOR_ADDRESS = env.text("OPERATOR_ADDRESS")

# --- programming interface --------------------------------------------------------------------------------

REST_FRAMEWORK = {
    # The token class comes first because its WWW-Authenticate header turns "not logged in" into 401.
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": [
        "rest_framework.throttling.AnonRateThrottle",
        "rest_framework.throttling.UserRateThrottle",
        "rest_framework.throttling.ScopedRateThrottle",
    ],
    "DEFAULT_THROTTLE_RATES": {
        "anon": "60/min" if RATE_LIMITS else None,
        "user": "1200/min" if RATE_LIMITS else None,
        "predict": "120/min" if RATE_LIMITS else None,
        "explain": "60/min" if RATE_LIMITS else None,
        "export": "10/min" if RATE_LIMITS else None,
        "activity": "60/min" if RATE_LIMITS else None,
        "token": "10/min" if RATE_LIMITS else None,
    },
    "NUM_PROXIES": TRUSTED_PROXY_COUNT,
    "EXCEPTION_HANDLER": "classifier_site.api_errors.handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Convoscope",
    "DESCRIPTION": "Upload pictures, run the networks on them, and read five named probabilities for each.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.schema.retry_after",
        "accounts.schema.one_of_several",
    ],
}

# --- networks ---------------------------------------------------------------------------------------------

ML_ENGINE = env.text("ML_ENGINE", "openvino", choices=("openvino", "tensorflow", "tensorflow_serving"))
ML_THREADS = env.number("ML_THREADS", 0, minimum=0, maximum=256) or None  # None lets the engine choose

# --- the laboratory ---------------------------------------------------------------------------------------

# The sample pictures for which the figures are made with every release; "none" for none.
SAMPLES = ("apple", "clock", "cup", "keyboard", "mountain", "rocket")
LABORATORY_SAMPLES = [name for name in env.names("LABORATORY_SAMPLES", SAMPLES) if name != "none"]
# What is kept for an account, and for the sample pictures together; the least recently used makes room.
LABORATORY_QUOTA_MB = env.number("LABORATORY_QUOTA_MB", 500, minimum=64, maximum=100_000)
LABORATORY_SAMPLE_MB = env.number("LABORATORY_SAMPLE_MB", 1000, minimum=64, maximum=1_000_000)
# Weights unpacked once, for processes that read single kernels. ``ml.config`` asks the environment.
os.environ["ML_CACHE_DIR"] = env.text("ML_CACHE_DIR", str(DATA_DIR / "cache"))

# --- language and time ------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
# Each by its own name: whoever looks for theirs reads that one.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = PRODUCTION
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_TZ = True
TIME_ZONE = "UTC"

# --- logging ----------------------------------------------------------------------------------------------

LOG_LEVEL = env.text("LOG_LEVEL", "INFO", choices=("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = logs.configuration(LOG_LEVEL, as_json=PRODUCTION)

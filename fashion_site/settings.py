"""Settings, all from the environment; with an empty environment Toile runs for one person on this machine.

"Local" means that no ``TOILE_ALLOWED_HOSTS`` is given: only loopback names are answered, over plain HTTP.  Naming hosts
makes the site public: HTTPS only, secure cookies, HSTS, hashed static files (run ``collectstatic``), unless
``TOILE_HTTPS=0`` says that it is for a trusted network.  Behind a proxy that ends TLS set ``TOILE_BEHIND_PROXY=1``.
"""

from pathlib import Path

from environs import Env
from limits import RateLimitItem, parse_many

from .private import keep_private, made_private
from .s3 import s3_client
from .secret import secret_key

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
env.read_env(str(BASE_DIR / ".env"), recurse=False)

DATA_DIR = Path(env.str("TOILE_DATA_DIR", "") or BASE_DIR / "var").resolve()
keep_private(DATA_DIR)

# --- who may ask, and how -----------------------------------------------------------------------------------------

ALLOWED_HOSTS: list[str] = env.list("TOILE_ALLOWED_HOSTS", [])
LOCAL = not ALLOWED_HOSTS
if LOCAL:
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]

DEBUG = env.bool("TOILE_DEBUG", False)
SECRET_KEY = env.str("TOILE_SECRET_KEY", "") or secret_key(DATA_DIR / "secret-key")

HTTPS = env.bool("TOILE_HTTPS", not LOCAL)
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("TOILE_BEHIND_PROXY", False) else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 180 * 86_400
CSRF_COOKIE_SECURE = HTTPS
TRUSTED_PROXIES: list[str] = env.list("TOILE_TRUSTED_PROXIES", [])
"""Who may say in ``X-Forwarded-For`` where a request comes from: so many proxies, or their networks."""
CSRF_TRUSTED_ORIGINS: list[str] = env.list("TOILE_TRUSTED_ORIGINS", [])
X_FRAME_OPTIONS = "DENY"

SITE_URL = (
    env.str("TOILE_SITE_URL", "")
    or ("http://localhost:8000" if LOCAL else f"http{'s' * HTTPS}://{ALLOWED_HOSTS[0].lstrip('.')}")
).rstrip("/")
"""The site's own address, for what is read elsewhere: the code on a tech pack."""

C2PA_CERTIFICATE, C2PA_KEY = env.str("TOILE_C2PA_CERTIFICATE", ""), env.str("TOILE_C2PA_KEY", "")
"""Files (PEM) of the chain and the key (ECDSA, P-256) that sign print files; none unless set."""

# --- the application ----------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "studio",
    "studio.api",
    "patterns",
    "ml_backend",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "ninja",
]

MIDDLEWARE = [
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "fashion_site.compress.Compression",
    "fashion_site.csp.ContentSecurityPolicy",
    "studio.language.Language",
    "studio.api.middleware.JsonErrors",
    "studio.outside.ReadableText",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "studio.caching.KeptByNobody",
    "studio.account.visitors.Visitors",
    "studio.limits.Limited",
    "studio.store.StoreUnreachable",
]

ROOT_URLCONF = "fashion_site.urls"
ASGI_APPLICATION = "fashion_site.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "builtins": ["django.templatetags.i18n", "patterns.templatetags.words"],
        },
    },
]

AUTH_USER_MODEL = "studio.User"
# The second keeps sessions of before the first.
AUTHENTICATION_BACKENDS = ["studio.account.guesses.CountedGuesses", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français"), ("es", "Español"), ("zh-hans", "简体中文")]
"""Each by its own name; what they say stands in ``locale/``, see :mod:`patterns.phrasebook`."""
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_AGE = 365 * 86_400
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- rows ---------------------------------------------------------------------------------------------------------

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA_DIR / 'toile.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    if str(DATABASES["default"]["NAME"]).startswith("/"):  # others are in memory
        made_private(Path(DATABASES["default"]["NAME"]))
    # IMMEDIATE: a transaction that will write takes its lock at once and waits its turn, instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

if DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql":
    # A server that takes calls and says nothing, and a machine that is gone, are found out within seconds.
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 3,
        "tcp_user_timeout": 10_000,
        **DATABASES["default"].get("OPTIONS", {}),
    }

# --- how much in how much time ------------------------------------------------------------------------------------


def _limit(name: str, usual: str) -> list[RateLimitItem]:
    """``10/minute;100/hour``; empty is no limit."""
    text = env.str(f"TOILE_LIMIT_{name}", usual)
    return parse_many(text) if text.strip() else []


LIMITS = {
    "guests": _limit("GUESTS", "20/minute;120/hour"),
    "sign_ups": _limit("SIGN_UPS", "30/hour"),
    "jobs": _limit("JOBS", "120/minute;1200/hour"),
    "jobs_address": _limit("JOBS_ADDRESS", "600/minute;9000/hour"),
    "uploads": _limit("UPLOADS", "120/hour"),
    "uploads_address": _limit("UPLOADS_ADDRESS", "360/hour"),
    "masks": _limit("MASKS", "60/minute;1200/hour"),
    "decoding": _limit("DECODING", "60/5minute;300/hour"),
    "guesses": _limit("GUESSES", "10/15minute"),
    "guesses_name": _limit("GUESSES_NAME", "40/hour"),
    "guesses_address": _limit("GUESSES_ADDRESS", "60/15minute"),
    "tokens": _limit("TOKENS", "60/15minute"),
}
"""See :mod:`studio.limits`.  ``decoding`` counts seconds of computing, the others things."""

GUEST_QUOTA_BYTES = env.int("TOILE_GUEST_QUOTA_MB", 1024) * 1024 * 1024
MEMBER_QUOTA_BYTES = env.int("TOILE_MEMBER_QUOTA_MB", 10 * 1024) * 1024 * 1024
"""Files that one person may keep; 0 is no limit."""

# --- files --------------------------------------------------------------------------------------------------------

MEDIA_ROOT = DATA_DIR / "files"
STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("TOILE_STATIC_ROOT", "") or DATA_DIR / "static")
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = not HTTPS  # a start on this machine or in a home network needs no collectstatic
WHITENOISE_AUTOREFRESH = DEBUG

S3_BUCKET = env.str("TOILE_S3_BUCKET", "")
S3_ENDPOINT = env.str("TOILE_S3_ENDPOINT", "")
"""Address of an S3 server other than Amazon's."""
S3_SECONDS = env.float("TOILE_S3_SECONDS", 4.0)
"""How long the S3 server may be silent before it is taken to be away."""
STORAGES = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT or None,
            "region_name": env.str("TOILE_S3_REGION", None),
            "access_key": env.str("TOILE_S3_ACCESS_KEY", None),
            "secret_key": env.str("TOILE_S3_SECRET_KEY", None),
            "client_config": s3_client(env.str("TOILE_S3_ADDRESSING", None), S3_SECONDS) if S3_BUCKET else None,
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": 300,
            "file_overwrite": False,
            "max_memory_size": 16 * 1024 * 1024,  # larger files are read by way of the disk, models of gigabytes too
        },
    }
    if S3_BUCKET
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    },
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if HTTPS
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

MAX_UPLOAD_BYTES = 25 * 1024 * 1024
MAX_TEXT_BYTES = DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024
"""Of a body without files, and of the fields beside them: many times what any form or request here needs."""
MAX_PHOTO_PIXELS = 50_000_000
MAX_MODEL_BYTES = env.int("TOILE_MAX_MODEL_MB", 8 * 1024) * 1024 * 1024
"""Of a model file that staff upload in parts."""
PHOTO_RETENTION_DAYS = env.int("TOILE_PHOTO_RETENTION_DAYS", 0)
"""Private photos unused for so many days are deleted; 0 keeps them."""
FRESH_DAYS = env.int("TOILE_FRESH_DAYS", 7)
"""New fabrics that nobody keeps go after so many days; 0 keeps all."""

SAFETY_CHECKER = env.str("TOILE_SAFETY_CHECKER", "")
"""Dotted path of what looks at finished pictures, see :mod:`ml_backend.serving.safety`; none unless set."""

ENDPOINT_HOSTS: list[str] = env.list("TOILE_ENDPOINT_HOSTS", [])
"""Hosts that models may be served at over plain HTTP, or inside a private network; ``*``: all."""

CLIP_FOLDER = env.str("TOILE_CLIP", "")
"""A CLIP in transformers' format: the fabric engine then reads words that are like those it knows."""

# --- jobs ---------------------------------------------------------------------------------------------------------

MAX_ACTIVE_JOBS = env.int("TOILE_MAX_ACTIVE_JOBS", 64)
MODEL_QUEUE = env.str("TOILE_MODEL_QUEUE", "default")
"""Queue of the jobs that run a network; ``gpu`` where a GPU worker listens."""
JOB_LEASE_SECONDS = env.float("TOILE_LEASE_SECONDS", 30.0)
JOB_MAX_SECONDS = env.float("TOILE_JOB_SECONDS", 900.0)
"""A job of the default or gpu queue that works longer is taken for hung."""
JOB_SWEEP_SECONDS = env.float("TOILE_SWEEP_SECONDS", 10.0)
JOB_RING_SECONDS = env.float("TOILE_RING_SECONDS", 45.0)
"""A job queued for so long without a start has its doorbell rung again."""
JOB_OUTAGE_SECONDS = env.float("TOILE_OUTAGE_SECONDS", 900.0)
"""How long, in pauses, a job waits for a store or database that is away before it fails and says so."""
JOB_KEEP_DAYS = 30
WORKER_WARM_UP = env.bool("TOILE_WARM_UP", True)
"""Load the models when a worker starts; off for workers that run none."""

WORKER_NICE = env.int("TOILE_WORKER_NICE", 15)
"""How far workers step back before everything else on their machine; 0 where they have it to themselves."""

TRAINING_NICE = env.int("TOILE_TRAINING_NICE", 19)
"""How far what trains models steps back; hours of it are nobody's hurry."""

RUN_COPY_BYTES = env.int("TOILE_RUN_COPY_MB", 1024 if S3_BUCKET else 0) * 1024 * 1024
"""Checkpoints of training runs up to this size are copied to the storage; 0 copies none."""

BROKER_URL = env.str("TOILE_BROKER_URL", "") or f"sqla+sqlite:///{made_private(DATA_DIR / 'broker.sqlite3')}"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("TOILE_LOG_LEVEL", "INFO")},
}

"""Settings, all from the environment; with an empty environment Toile runs for one person on this machine.

"Local" means that no ``TOILE_ALLOWED_HOSTS`` is given: only loopback names are answered, over plain HTTP.  Naming hosts
makes the site public: HTTPS only, secure cookies, HSTS, hashed static files (run ``collectstatic``), unless
``TOILE_HTTPS=0`` says that it is for a trusted network.  Behind a proxy that ends TLS set ``TOILE_BEHIND_PROXY=1``.
"""

from pathlib import Path

from environs import Env

from .s3 import s3_client
from .secret import secret_key

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
env.read_env(str(BASE_DIR / ".env"), recurse=False)

DATA_DIR = Path(env.str("TOILE_DATA_DIR", "") or BASE_DIR / "var").resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)

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
CSRF_TRUSTED_ORIGINS: list[str] = env.list("TOILE_TRUSTED_ORIGINS", [])
X_FRAME_OPTIONS = "DENY"

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
    "django.middleware.security.SecurityMiddleware",
    "fashion_site.compress.Compression",
    "fashion_site.csp.ContentSecurityPolicy",
    "studio.api.middleware.JsonErrors",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
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
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

AUTH_USER_MODEL = "studio.User"
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
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- rows ---------------------------------------------------------------------------------------------------------

DATABASES = {"default": env.dj_db_url("DATABASE_URL", f"sqlite:///{DATA_DIR / 'toile.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a transaction that will write takes its lock at once and waits its turn, instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }

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
STORAGES = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": S3_ENDPOINT or None,
            "region_name": env.str("TOILE_S3_REGION", None),
            "access_key": env.str("TOILE_S3_ACCESS_KEY", None),
            "secret_key": env.str("TOILE_S3_SECRET_KEY", None),
            "client_config": s3_client(env.str("TOILE_S3_ADDRESSING", None)) if S3_BUCKET else None,
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": 300,
            "file_overwrite": False,
            "max_memory_size": 16 * 1024 * 1024,  # larger files are read by way of the disk, models of gigabytes too
        },
    }
    if S3_BUCKET
    else {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if HTTPS
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

MAX_UPLOAD_BYTES = 25 * 1024 * 1024
MAX_PHOTO_PIXELS = 50_000_000
PHOTO_RETENTION_DAYS = env.int("TOILE_PHOTO_RETENTION_DAYS", 0)
"""Private photos unused for so many days are deleted; 0 keeps them."""

SAFETY_CHECKER = env.str("TOILE_SAFETY_CHECKER", "")
"""Dotted path of what looks at finished pictures, see :mod:`ml_backend.safety`; none unless set."""

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
JOB_KEEP_DAYS = 30
WORKER_WARM_UP = env.bool("TOILE_WARM_UP", True)
"""Load the models when a worker starts; off for workers that run none."""

BROKER_URL = env.str("TOILE_BROKER_URL", f"sqla+sqlite:///{DATA_DIR / 'broker.sqlite3'}")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("TOILE_LOG_LEVEL", "INFO")},
}

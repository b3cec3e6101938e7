from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class MlBackendConfig(AppConfig):
    name = "ml_backend"
    verbose_name = "Workshop"

    def ready(self) -> None:
        """Load every app's ``jobs`` module, whose job handlers register themselves."""
        from .serving import curation  # noqa: F401  (it connects its receiver)

        autodiscover_modules("jobs")

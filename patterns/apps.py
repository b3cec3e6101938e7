from django.apps import AppConfig


class PatternsConfig(AppConfig):
    name = "patterns"

    def ready(self) -> None:
        from . import cleanup  # noqa: F401  (connects its receivers)

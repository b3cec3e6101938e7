from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "studio"

    def ready(self) -> None:
        from . import cleanup  # noqa: F401  (connects its receivers)

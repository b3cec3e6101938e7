from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "studio"

    def ready(self) -> None:
        from ml_backend.serving import jobs

        from . import checks, limits  # noqa: F401  (it connects its checks)
        from .account import guesses  # noqa: F401  (it connects its receiver)
        from .trends import services  # noqa: F401  (it connects its receiver)

        jobs.gate(limits.new_job)

from django.apps import AppConfig


class StudioConfig(AppConfig):
    name = "studio"

    def ready(self) -> None:
        from ml_backend.serving import jobs

        from . import checks, cleanup, guesses, limits  # noqa: F401  (they connect their checks and receivers)

        jobs.gate(limits.new_job)

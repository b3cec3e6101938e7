"""Model curation.  People's jobs are nobody else's to see and are not registered here."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from . import registry
from .models import ModelVersion, TrainingRun


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "version", "capability", "serving", "reference", "created_at")
    list_filter = ("capability", "serving")
    readonly_fields = ("name", "version", "capability", "sha256", "manifest", "card", "serving", "created_at")
    actions = ("serve", "withdraw")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Packages come in through ``manage.py add_model``, which verifies them."""
        return False

    @admin.action(description="Serve with the selected model")
    def serve(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        for version in versions:
            registry.serve(version)
            self.message_user(request, f"{version} now serves {version.capability}.")

    @admin.action(description="Let the starter model serve instead")
    def withdraw(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        for version in versions:
            registry.withdraw(version)
            self.message_user(request, f"{version} no longer serves.")


@admin.register(TrainingRun)
class TrainingRunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("recipe", "created_at", "result")
    readonly_fields = ("job", "recipe", "config", "run_dir", "result", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Runs are started by a recipe, not by a form."""
        return False

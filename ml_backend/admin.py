"""Model curation.  People's jobs are nobody else's to see and are not registered here."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from . import registry
from .errors import BadPackage
from .models import ModelVersion, TrainingRun


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("name", "version", "serves", "serving", "megabytes", "licence", "source", "created_at")
    list_filter = ("capability", "serving")
    search_fields = ("name", "source", "sha256")
    fields = (
        "name",
        "reference",
        "serves",
        "serving",
        "licence",
        "source",
        "megabytes",
        "version",
        "sha256",
        "notes",
        "card",
        "manifest",
        "created_at",
    )
    readonly_fields = tuple(name for name in fields if name != "notes")
    actions = ("serve", "withdraw")

    @admin.display(description="can serve")
    def serves(self, version: ModelVersion) -> str:
        return ", ".join(version.capabilities)

    @admin.display(description="size", ordering="size")
    def megabytes(self, version: ModelVersion) -> str:
        return f"{version.size / 1e6:,.1f} MB"

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Packages come in through ``manage.py models pull`` and ``add_model``, which verify them."""
        return False

    @admin.action(description="Serve with the selected model")
    def serve(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        for version in versions:
            try:
                registry.serve(version)
                self.message_user(request, f"{version} now serves {version.capability}.")
            except BadPackage as error:
                self.message_user(request, str(error), messages.ERROR)

    @admin.action(description="Let the starter model serve instead")
    def withdraw(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        for version in versions:
            registry.withdraw(version)
            self.message_user(request, f"{version} no longer serves.")

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        """A model that serves stays until another does."""
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.serving)

    def delete_model(self, request: HttpRequest, obj: ModelVersion) -> None:
        """The files go with the row."""
        try:
            registry.remove(obj)
        except BadPackage as error:
            self.message_user(request, str(error), messages.ERROR)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        for version in queryset:
            self.delete_model(request, version)


@admin.register(TrainingRun)
class TrainingRunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("recipe", "created_at", "result")
    readonly_fields = ("job", "recipe", "config", "run_dir", "result", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Runs are started by a recipe, not by a form."""
        return False

"""Model curation.  People's jobs are nobody else's to see and are not registered here."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import admin, messages
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import QuerySet
from django.http import HttpRequest

from .errors import BadPackage
from .models import CurationEvent, ModelVersion, TrainingRun
from .serving import curation


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        "name",
        "version",
        "serves",
        "status",
        "default",
        "megabytes",
        "licence",
        "origin",
        "source",
        "created_at",
    )
    list_filter = ("capability", "status", "default", "origin")
    search_fields = ("name", "source", "sha256")
    fields = (
        "name",
        "reference",
        "serves",
        "status",
        "default",
        "licence",
        "origin",
        "source",
        "endpoint",
        "megabytes",
        "version",
        "sha256",
        "files",
        "metrics",
        "card",
        "manifest",
        "created_at",
    )
    readonly_fields = fields
    actions = ("serve", "offer", "withdraw")

    @admin.display(description="can serve")
    def serves(self, version: ModelVersion) -> str:
        return ", ".join(version.capabilities)

    @admin.display(description="size", ordering="size")
    def megabytes(self, version: ModelVersion) -> str:
        return f"{version.size / 1e6:,.1f} MB"

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Packages come in through ``manage.py models pull`` and ``add_model``, which verify them."""
        return False

    @admin.action(description="Make it the default: serve with the selected model")
    def serve(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._each(request, versions, curation.serve, "now serves {0.capability} unless another is asked for.")

    @admin.action(description="Let people choose the selected models")
    def offer(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._each(request, versions, curation.offer, "can be chosen to {0.capability}.")

    @admin.action(description="Take the selected models out of service")
    def withdraw(self, request: HttpRequest, versions: QuerySet[ModelVersion]) -> None:
        self._each(request, versions, curation.withdraw, "no longer serves.")

    def _each(
        self,
        request: HttpRequest,
        versions: QuerySet[ModelVersion],
        act: Callable[[ModelVersion, AbstractBaseUser | None], None],
        said: str,
    ) -> None:
        for version in versions:
            try:
                act(version, self._staff(request))
                self.message_user(request, f"{version} {said.format(version)}")
            except BadPackage as error:
                self.message_user(request, str(error), messages.ERROR)

    @staticmethod
    def _staff(request: HttpRequest) -> AbstractBaseUser | None:
        return request.user if isinstance(request.user, AbstractBaseUser) else None

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        """A model that serves stays until another does; a starter stays for good."""
        return super().has_delete_permission(request, obj) and not (obj is not None and (obj.serving or obj.starter))

    def delete_model(self, request: HttpRequest, obj: ModelVersion) -> None:
        """The files go with the row."""
        try:
            curation.remove(obj, self._staff(request))
        except BadPackage as error:
            self.message_user(request, str(error), messages.ERROR)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        for version in queryset:
            self.delete_model(request, version)


@admin.register(CurationEvent)
class CurationEventAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The log is read, and nothing else."""

    list_display = ("at", "by_name", "action", "reference", "capability")
    list_filter = ("action", "capability")

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: CurationEvent | None = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CurationEvent | None = None) -> bool:  # noqa: ARG002
        return False


@admin.register(TrainingRun)
class TrainingRunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("recipe", "created_at", "result")
    readonly_fields = (
        "owner",
        "job",
        "recipe",
        "config",
        "base",
        "data_sha256",
        "data_name",
        "paused",
        "run_dir",
        "seconds",
        "gpu_seconds",
        "result",
        "created_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Runs are started by a recipe, not by a form."""
        return False

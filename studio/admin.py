"""What staff see of people's things: those that are published, and those they have taken down.  Nothing else."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ml_backend.errors import BadInput
from patterns import moderation
from patterns.made import MOST_WORDS

from .gallery import window
from .gallery.models import ShopWindow
from .gallery.views import KINDS

PAGES: dict[type[Any], str] = {model: page for model, page, _ in KINDS.values()}


class WhyForm(ActionForm):
    """Beside the choice of action: the reason that the owner will read."""

    why = forms.CharField(required=False, max_length=MOST_WORDS, label="why (its owner reads this)")


class PublishedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Looking, taking down and lifting; whatever is private stays out of sight."""

    action_form = WhyForm
    actions = ("take_down", "take_all_down", "lift")
    list_display = ("__str__", "owner", "public", "taken_down_at", "taken_down_why", "page", "created_at")
    list_filter = ("public", ("taken_down_at", admin.EmptyFieldListFilter))
    search_fields = ("owner__username", "taken_down_why")
    list_select_related = ("owner",)
    fields = ("owner", "public", "taken_down_at", "taken_down_why", "created_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(Q(public=True) | Q(taken_down_at__isnull=False))

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Taking down hides; deleting is for the owner."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return bool(request.user.is_staff)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(getattr(request.user, "is_staff", False))

    @admin.display(description="where")
    def page(self, row: Any) -> SafeString | str:
        """A link, as long as staff may see it."""
        if not row.public:
            return "private"
        return format_html('<a href="{}">see it</a>', reverse(PAGES[type(row)], args=[row.pk]))

    @admin.action(description="Take down, with a reason", permissions=["view"])
    def take_down(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self._down(request, list(rows.filter(public=True)))

    @admin.action(description="Take down all that these people have published, with a reason", permissions=["view"])
    def take_all_down(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        owners = set(rows.values_list("owner_id", flat=True))
        self._down(
            request, [row for model in PAGES for row in model._default_manager.filter(public=True, owner_id__in=owners)]
        )

    def _down(self, request: HttpRequest, rows: list[Any]) -> None:
        done = 0
        for row in rows:
            row.refresh_from_db(fields=["public"])
            if not row.public:
                continue  # went with another one like it
            try:
                moderation.take_down(row, request.POST.get("why", ""))
            except BadInput as error:
                self.message_user(request, str(error), messages.ERROR)
                return
            done += 1
        self.message_user(request, f"{done} taken down; their owners see why.")

    @admin.action(description="Lift: let the owners publish them again", permissions=["view"])
    def lift(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        for row in rows:
            moderation.lift(row)
        self.message_user(request, "Lifted. They stay private until their owners publish them again.")


for published in PAGES:
    admin.site.register(published, PublishedAdmin)


@admin.register(ShopWindow)
class ShopWindowAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """One row at most: the fabric and the garment of the front page."""

    list_display = ("__str__", "pattern", "garment")
    raw_id_fields = ("pattern",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not ShopWindow.objects.exists()

    def save_model(self, request: HttpRequest, obj: ShopWindow, form: Any, change: bool) -> None:  # noqa: ARG002
        obj.pk = window.THE_WINDOW
        obj.save()

"""Addresses of every room."""

from django.urls import include, path

urlpatterns = [
    path("", include("studio.workspace.urls")),
    path("", include("studio.colour.urls")),
    path("", include("studio.photos.urls")),
    path("", include("studio.cloth.urls")),
    path("", include("studio.looks.urls")),
    path("", include("studio.restyle.urls")),
    path("", include("studio.imagine.urls")),
    path("", include("studio.gallery.urls")),
    path("", include("studio.collections.urls")),
    path("", include("studio.trends.urls")),
    path("", include("studio.printing.urls")),
    path("", include("studio.workshop.urls")),
    path("", include("studio.curation.urls")),
    path("", include("studio.account.urls")),
    path("", include("studio.shell.urls")),
    path("", include("studio.api.urls")),
]

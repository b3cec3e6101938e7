"""The map of the site."""

from django.contrib import admin
from django.urls import include, path

from studio.api.site import api

handler400 = "studio.outside.bad_request"

urlpatterns = [
    path("", include("studio.urls")),
    path("", include("patterns.urls")),
    path("api/", api.urls),
    path("admin/", admin.site.urls),
    path("language/", include("django.conf.urls.i18n")),
]

handler500 = "studio.store.broke"

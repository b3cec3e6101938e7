from django.urls import path

from . import views
from .words import Catalogue

urlpatterns = [
    path("manifest.webmanifest", views.manifest, name="manifest"),
    path("worker.js", views.worker, name="service-worker"),
    path("offline/", views.offline, name="offline"),
    path("words/<slug:language>-<slug:version>.js", Catalogue.as_view(), name="words"),
    path("style/", views.style, name="style"),
]

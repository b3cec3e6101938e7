"""Addresses of a person's photos."""

from django.urls import path

from patterns import files

from . import views
from .models import Garment, Mask, Photo

urlpatterns = [
    path("photos/", views.upload, name="photo-new"),
    path("photos/<uuid:pk>/status/", views.status, name="photo-status"),
    path("photos/<uuid:pk>/garments/<slug:name>/", views.garment, name="photo-garment"),
    path("photos/<uuid:pk>/tap/", views.tap, name="photo-tap"),
    path("photos/<uuid:pk>/tap/<uuid:mask>/", views.tapped, name="photo-tapped"),
    path("photos/<uuid:pk>/as-found/", views.as_found, name="photo-as-found"),
    path("photos/<uuid:pk>/name/", views.rename, name="photo-rename"),
    path("photos/<uuid:pk>/move/", views.move, name="photo-move"),
    path("photos/<uuid:pk>/delete/", views.delete, name="photo-delete"),
    path("files/photos/<uuid:pk>/<slug:name>", files.view_of(Photo), name="photo-file"),
    path("files/masks/<uuid:pk>/<slug:name>", files.view_of(Mask), name="mask-file"),
    path("files/garments/<slug:slug>/<slug:name>", files.view_of(Garment), name="garment-file"),
]

"""Addresses of a person's cloths."""

from django.urls import path

from patterns import files

from . import views
from .models import ClothPhoto

urlpatterns = [
    path("cloth/", views.cloths, name="cloths"),
    path("cloth/new/", views.upload, name="cloth-new"),
    path("cloth/<uuid:pk>/", views.cloth, name="cloth"),
    path("cloth/<uuid:pk>/found/", views.found, name="cloth-found"),
    path("cloth/<uuid:pk>/nine.webp", views.nine, name="cloth-nine"),
    path("cloth/<uuid:pk>/keep/", views.keep, name="cloth-keep"),
    path("cloth/<uuid:pk>/delete/", views.delete, name="cloth-delete"),
    path("files/cloths/<uuid:pk>/<slug:name>", files.view_of(ClothPhoto), name="clothphoto-file"),
]

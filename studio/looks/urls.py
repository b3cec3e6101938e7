"""Addresses of looks."""

from django.urls import path

from patterns import files

from . import views
from .models import Look

urlpatterns = [
    path("looks/", views.make, name="look-new"),
    path("looks/<uuid:pk>/status/", views.status, name="look-status"),
    path("looks/<uuid:pk>/publish/", views.publish, name="look-publish"),
    path("looks/<uuid:pk>/delete/", views.delete, name="look-delete"),
    path("gallery/looks/<uuid:pk>/", views.look, name="look"),
    path("files/looks/<uuid:pk>/<slug:name>", files.view_of(Look), name="look-file"),
]

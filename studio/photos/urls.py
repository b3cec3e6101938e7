"""Addresses of a person's photos."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.upload, name="photo-new"),
    path("<uuid:pk>/status/", views.status, name="photo-status"),
    path("<uuid:pk>/garments/<slug:name>/", views.garment, name="photo-garment"),
    path("<uuid:pk>/tap/", views.tap, name="photo-tap"),
    path("<uuid:pk>/tap/<uuid:mask>/", views.tapped, name="photo-tapped"),
    path("<uuid:pk>/as-found/", views.as_found, name="photo-as-found"),
    path("<uuid:pk>/delete/", views.delete, name="photo-delete"),
]

"""Addresses of printing."""

from django.urls import path

from patterns import files

from . import views
from .models import PressProfile, Print

urlpatterns = [
    path("gallery/<uuid:pk>/print/", views.page, name="print"),
    path("gallery/<uuid:pk>/print/plan/", views.plan, name="print-plan"),
    path("gallery/<uuid:pk>/print/pack/", views.pack, name="print-pack"),
    path("gallery/<uuid:pk>/print/proof/<uuid:profile>-<slug:name>.webp", views.proof, name="print-proof"),
    path("prints/", views.prints, name="prints"),
    path("prints/<uuid:pk>/status/", views.status, name="print-status"),
    path("prints/<uuid:pk>/delete/", views.delete, name="print-delete"),
    path("prints/profiles/", views.add_profile, name="profile-new"),
    path("prints/profiles/<uuid:pk>/delete/", views.delete_profile, name="profile-delete"),
    path("files/prints/<uuid:pk>/<slug:name>", files.view_of(Print), name="print-file"),
    path("files/profiles/<uuid:pk>/<slug:name>", files.view_of(PressProfile), name="pressprofile-file"),
]

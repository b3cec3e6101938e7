"""Addresses of Restyle."""

from django.urls import path

from patterns import files

from . import views
from .models import Restyle

urlpatterns = [
    path("restyle/", views.restyle, name="restyle"),
    path("restyle/photo/", views.upload, name="restyle-photo"),
    path("restyle/mask/", views.find, name="restyle-mask"),
    path("restyle/mask/upload/", views.draw, name="restyle-mask-upload"),
    path("restyle/mask/<uuid:pk>/", views.mask_status, name="restyle-mask-status"),
    path("restyle/ask/", views.ask, name="restyle-ask"),
    path("restyle/batch/<uuid:pk>/", views.batch, name="restyle-batch"),
    path("restyle/batch/<uuid:pk>/zip/", views.batch_zip, name="restyle-zip"),
    path("restyle/<uuid:pk>/", views.restyled, name="restyled"),
    path("restyle/<uuid:pk>/publish/", views.publish, name="restyled-publish"),
    path("restyle/<uuid:pk>/delete/", views.delete, name="restyled-delete"),
    path("files/restyles/<uuid:pk>/<slug:name>", files.view_of(Restyle), name="restyle-file"),
]

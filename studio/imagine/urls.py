"""Addresses of Imagine."""

from django.urls import path

from patterns import files

from . import views
from .models import Imagining

urlpatterns = [
    path("imagine/", views.imagine, name="imagine"),
    path("imagine/ask/", views.ask, name="imagine-ask"),
    path("imagine/batch/<uuid:batch>/", views.following, name="imagine-batch"),
    path("imagine/batch/<uuid:batch>/zip/", views.download, name="imagine-zip"),
    path("imagine/batch/<uuid:batch>/delete/", views.delete_batch, name="imagine-batch-delete"),
    path("imagine/<uuid:pk>/", views.picture, name="imagined"),
    path("imagine/<uuid:pk>/publish/", views.publish, name="imagined-publish"),
    path("imagine/<uuid:pk>/delete/", views.delete, name="imagined-delete"),
    path("imagine/<uuid:pk>/wear/", views.to_studio, name="imagined-wear"),
    path("files/imaginings/<uuid:pk>/<slug:name>", files.view_of(Imagining), name="imagining-file"),
]

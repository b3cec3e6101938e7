"""Addresses of Imagine."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.imagine, name="imagine"),
    path("ask/", views.ask, name="imagine-ask"),
    path("batch/<uuid:batch>/", views.following, name="imagine-batch"),
    path("batch/<uuid:batch>/zip/", views.download, name="imagine-zip"),
    path("batch/<uuid:batch>/delete/", views.delete_batch, name="imagine-batch-delete"),
    path("<uuid:pk>/", views.picture, name="imagined"),
    path("<uuid:pk>/publish/", views.publish, name="imagined-publish"),
    path("<uuid:pk>/delete/", views.delete, name="imagined-delete"),
    path("<uuid:pk>/wear/", views.wear, name="imagined-wear"),
]

"""Addresses of Restyle."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.restyle, name="restyle"),
    path("photo/", views.upload, name="restyle-photo"),
    path("mask/", views.find, name="restyle-mask"),
    path("mask/upload/", views.draw, name="restyle-mask-upload"),
    path("mask/<uuid:pk>/", views.mask_status, name="restyle-mask-status"),
    path("ask/", views.ask, name="restyle-ask"),
    path("batch/<uuid:pk>/", views.batch, name="restyle-batch"),
    path("batch/<uuid:pk>/zip/", views.batch_zip, name="restyle-zip"),
    path("<uuid:pk>/", views.restyled, name="restyled"),
    path("<uuid:pk>/publish/", views.publish, name="restyled-publish"),
    path("<uuid:pk>/delete/", views.delete, name="restyled-delete"),
]

"""Addresses of the postcards of a test."""

from django.urls import path

from . import views

urlpatterns = [
    path("postcards/", views.postcards, name="postcards"),
]

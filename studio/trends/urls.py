"""Addresses of the trends."""

from django.urls import path

from . import views

urlpatterns = [
    path("trends/", views.trends, name="trends"),
    path("trends/table.csv", views.table, name="trends-csv"),
    path("trends/designers/", views.designer, name="trends-designer"),
]

"""Addresses of the gallery's walls, and of what staff may do."""

from django.urls import path

from . import fabrics, views

urlpatterns = [
    path("gallery/", fabrics.gallery, name="gallery"),
    path("gallery/types/<slug:name>-<int:side>.webp", fabrics.type_picture, name="type-picture"),
    path("gallery/<uuid:pk>/", fabrics.pattern, name="pattern"),
    path("gallery/<uuid:pk>/publish/", fabrics.publish, name="pattern-publish"),
    path("gallery/<uuid:pk>/favourite/", fabrics.favourite, name="pattern-favourite"),
    path("gallery/<uuid:pk>/delete/", fabrics.delete, name="pattern-delete"),
    path("gallery/looks/", views.looks, name="looks"),
    path("gallery/restyled/", views.restyled, name="restyled-wall"),
    path("gallery/imagined/", views.imagined, name="imagined-wall"),
    path("take-down/<slug:kind>/<uuid:pk>/", views.take_down, name="take-down"),
    path("window/<uuid:pk>/", views.dress_window, name="window"),
]

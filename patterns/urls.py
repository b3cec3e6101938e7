"""Pages of the gallery."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.gallery, name="gallery"),
    path("types/<slug:name>-<int:side>.webp", views.type_picture, name="type-picture"),
    path("<uuid:pk>/", views.pattern, name="pattern"),
    path("<uuid:pk>/publish/", views.publish, name="pattern-publish"),
    path("<uuid:pk>/favourite/", views.favourite, name="pattern-favourite"),
    path("<uuid:pk>/delete/", views.delete, name="pattern-delete"),
]

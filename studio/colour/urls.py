"""Addresses of the ink table, of what goes with a photo, and of the palettes that a person keeps."""

from django.urls import path

from . import views

urlpatterns = [
    path("fabrics/inks/", views.table, name="inks"),
    path("fabrics/inks/mood/", views.mood, name="inks-mood"),
    path("fabrics/inks/dye/", views.dye, name="inks-dye"),
    path("fabrics/inks/palette.<slug:suffix>", views.table_file, name="inks-file"),
    path("photos/<uuid:pk>/suggestions/", views.suggestions, name="suggestions"),
    path("palettes/", views.palettes, name="palettes"),
    path("palettes/save/", views.save, name="palette-save"),
    path("palettes/upload/", views.upload, name="palette-upload"),
    path("palettes/<uuid:pk>/delete/", views.delete, name="palette-delete"),
    path("palettes/<uuid:pk>/palette.<slug:suffix>", views.palette_file, name="palette-file"),
]

"""Addresses of collections."""

from django.urls import path

from . import shared, views

urlpatterns = [
    path("collections/", views.boards, name="boards"),
    path("collections/add/", views.add, name="board-add"),
    path("collections/side-by-side/", views.beside, name="looks-beside"),
    path("collections/<uuid:pk>/", views.board, name="board"),
    path("collections/<uuid:pk>/status/", views.status, name="board-status"),
    path("collections/<uuid:pk>/change/", views.change, name="board-change"),
    path("collections/<uuid:pk>/share/", views.share, name="board-share"),
    path("collections/<uuid:pk>/links/<uuid:link>/revoke/", views.revoke, name="board-revoke"),
    path("collections/<uuid:pk>/zip/", views.download, name="board-zip"),
    path("collections/<uuid:pk>/delete/", views.delete, name="board-delete"),
    path("collections/<uuid:pk>/items/<uuid:item>/", views.change_item, name="board-item"),
    path("collections/<uuid:pk>/items/<uuid:item>/out/", views.take_out, name="board-take-out"),
    path("collections/<uuid:pk>/items/<uuid:item>/match/", views.match, name="board-match"),
    path("shared/<uuid:pk>/<slug:secret>/", shared.board, name="shared-board"),
    path("shared/<uuid:pk>/<slug:secret>/<uuid:item>/<slug:name>", shared.file, name="shared-file"),
]

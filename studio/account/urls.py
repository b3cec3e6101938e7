"""Addresses of signing up, in and out, and of one's account."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from . import views

urlpatterns = [
    path("accounts/sign-up/", views.SignUp.as_view(), name="sign-up"),
    path("accounts/sign-in/", views.SignIn.as_view(), name="sign-in"),
    path("accounts/sign-out/", LogoutView.as_view(), name="sign-out"),
    path("accounts/password/", views.PasswordChange.as_view(), name="password-change"),
    path("accounts/delete/", views.DeleteEverything.as_view(), name="delete-everything"),
    path("account/name/", views.public_name, name="public-name"),
    path("account/", views.account, name="account"),
]

"""Addresses of signing up, in and out."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from . import accounts
from .views import tokens

urlpatterns = [
    path("sign-up/", accounts.SignUp.as_view(), name="sign-up"),
    path("sign-in/", accounts.SignIn.as_view(), name="sign-in"),
    path("sign-out/", LogoutView.as_view(), name="sign-out"),
    path("password/", accounts.PasswordChange.as_view(), name="password-change"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/<uuid:pk>/revoke/", tokens.revoke, name="token-revoke"),
    path("delete/", accounts.DeleteEverything.as_view(), name="delete-everything"),
]

"""The studio for programs: an HTTP API over the same services as the pages, for people with a token.

How to use it: docs/api.md, or ``/api/docs`` of a running site.
"""

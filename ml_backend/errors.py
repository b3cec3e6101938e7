"""Every error the library raises on purpose.

LibraryError
├── BadInput      the caller's value is wrong; the message is one sentence a person can act on
├── BadPackage    a model package is missing, damaged, or not what it claims to be
└── Stopped       should_stop() answered yes; nothing was written
"""


class LibraryError(Exception):
    """Base of all deliberate library errors; ``str(error)`` is one sentence fit to show a person."""


class BadInput(LibraryError):
    """A parameter, image or file from outside is unusable."""


class BadPackage(LibraryError):
    """A model package is missing, damaged or of an unknown architecture."""


class Stopped(LibraryError):
    """The caller asked the running work to stop."""

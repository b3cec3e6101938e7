"""Every error the library raises on purpose.

LibraryError
├── BadInput      the caller's value is wrong; the message is one sentence a person can act on
├── BadPackage    a model package is missing, damaged, or not what it claims to be
├── Away          something elsewhere does not answer; the same may work later
└── Stopped       should_stop() answered yes; nothing was written
"""

import reprlib

MOST_QUOTED = 60
"""Characters of a wrong value that an error sentence repeats."""


class LibraryError(Exception):
    """Base of all deliberate library errors; ``str(error)`` is one sentence fit to show a person."""


class BadInput(LibraryError):
    """A parameter, image or file from outside is unusable."""


class BadPackage(LibraryError):
    """A model package is missing, damaged or of an unknown architecture."""


class Away(LibraryError):
    """Something elsewhere that the work needs does not answer, which is no fault of the work."""


class Stopped(LibraryError):
    """The caller asked the running work to stop."""


def quoted(value: object) -> str:
    """A wrong value as an error sentence repeats it: ``repr`` of a short one, the two ends of a long one.

    A few hundred characters at most, whatever was sent, and always printable.
    """
    try:
        return _short.repr(value)
    except ValueError:  # Python refuses to write out numbers of thousands of digits
        return "a number that is far too long"


_short = reprlib.Repr()
_short.maxstring = _short.maxlong = _short.maxother = MOST_QUOTED
_short.maxlevel, _short.maxlist, _short.maxtuple, _short.maxset, _short.maxdict = 1, 3, 3, 3, 3
_short.fillvalue = "…"

"""Every error a user can meet, as one small tree.

GobenchError
├── UsageError    what was asked for cannot be: an unknown name, a value out of range   exit 2
├── DataError     a file is broken, missing or not what it claims to be                 exit 3
├── BuildError    a build cannot go on: other config, locked folder, dead worker        exit 4
├── ChildError    a child process (engine, model) died, hung or lied                    exit 5
└── StoppedError  the user ended it; the same command goes on                           exit 130

A message says what was given, what is allowed and what to do next. The command line prints it without a
traceback and ends with the class's exit code.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class GobenchError(Exception):
    """Base of all errors raised on purpose."""

    exit_code = 1


class UsageError(GobenchError):
    """The request itself is wrong."""

    exit_code = 2


class DataError(GobenchError):
    """A file on disk is broken, missing or foreign."""

    exit_code = 3


class BuildError(GobenchError):
    """A build cannot start or go on."""

    exit_code = 4


class ChildError(GobenchError):
    """A child process broke its side of the contract."""

    exit_code = 5


class StoppedError(GobenchError):
    """The user ended what was going on; what is finished is kept."""

    exit_code = 130


def family(error: GobenchError) -> type[GobenchError]:
    """The class of this tree that an error belongs to: its own, or that of which a room made a kind of its own."""
    return next(kind for kind in type(error).__mro__ if kind.__module__ == __name__)


def unknown(kind: str, given: str, known: Iterable[str], ordered: bool = False) -> UsageError:
    """The error for a name that is not in a table: lists what exists and guesses what was meant.

    Names come in alphabetical order, or as they stand where they are ``ordered``.
    """
    names = list(known) if ordered else sorted(known)
    near = difflib.get_close_matches(given, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return UsageError(f"unknown {kind} {given!r}.{hint} Known: {', '.join(names) or 'none'}.")

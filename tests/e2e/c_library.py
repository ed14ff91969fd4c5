"""Functions of C libraries, called with the types that their headers say."""

import ctypes
from functools import partial


def _declare(library, name, result, *arguments):
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return function


def load(file):
    """The library, and what declares its functions: declare(name, type of the result, types of the arguments...)."""
    library = ctypes.CDLL(file)
    return library, partial(_declare, library)

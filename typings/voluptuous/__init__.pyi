# Home Assistant aliases voluptuous to probatio at run time; type checkers need to be told.
from probatio import *  # noqa: F403

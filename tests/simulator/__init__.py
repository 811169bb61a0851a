"""Every provider's API on loopback: it spends, tops up and fails on command.

A provider is simulated by its recordings. One that behaves unusually has a module with a
subclass of SimulatedProvider, and its name in server.py.
"""

from .faults import (
    FAULTS,
    Cut,
    Fault,
    Hang,
    Html,
    Http,
    Huge,
    NotANumber,
    Redirect,
    Reset,
    WrongType,
)
from .server import OWN_PROVIDERS, SIMULATED_PROVIDERS, Simulator
from .simulated_provider import CommandError, Request, SimulatedProvider

__all__ = [
    "FAULTS",
    "OWN_PROVIDERS",
    "SIMULATED_PROVIDERS",
    "CommandError",
    "Cut",
    "Fault",
    "Hang",
    "Html",
    "Http",
    "Huge",
    "NotANumber",
    "Redirect",
    "Request",
    "Reset",
    "SimulatedProvider",
    "Simulator",
    "WrongType",
]

"""Every provider's API on loopback: it spends, tops up and fails on command.

A new provider is one module with one subclass of SimulatedProvider, and its name in server.SIMULATED_PROVIDERS.
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
from .server import SIMULATED_PROVIDERS, Simulator
from .simulated_provider import CommandError, Request, SimulatedProvider

__all__ = [
    "FAULTS",
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

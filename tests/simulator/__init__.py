"""Every vendor's API on loopback: it spends, tops up and fails on command.

A new vendor is one module with one subclass of Vendor, and its name in server.VENDORS.
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
from .server import VENDORS, Simulator
from .vendor import CommandError, Request, Vendor

__all__ = [
    "FAULTS",
    "VENDORS",
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
    "Simulator",
    "Vendor",
    "WrongType",
]

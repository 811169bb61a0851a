"""Fixtures for tests that need no Home Assistant: what watches over it is not needed."""

from collections.abc import Iterator

from freezegun import freeze_time
import pytest

from ..recording import RECORDED_AT


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Set up nothing: there is no Home Assistant."""


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """Look for nothing that Home Assistant could leave behind."""


@pytest.fixture(autouse=True)
def reset_globals() -> None:
    """Reset nothing of Home Assistant."""


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave the event loop as it is: most tests need none."""


@pytest.fixture(scope="module")
def recorded_at() -> Iterator[None]:
    """Stop the clock at the time of the recordings, once for all tests of a module."""
    with freeze_time(RECORDED_AT, real_asyncio=True):
        yield

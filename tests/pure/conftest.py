"""Fixtures for tests that need no Home Assistant."""

import pytest


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Set up nothing: there is no Home Assistant."""

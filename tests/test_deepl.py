"""DeepL: what its recordings cannot show."""

import pytest

from custom_components.api_balance.providers.deepl import DeepL


@pytest.mark.parametrize(
    ("api_key", "address"),
    [
        ("0000-1111", "https://api.deepl.com"),
        ("0000-1111:fx", "https://api-free.deepl.com"),
    ],
)
def test_host_follows_from_the_key(api_key: str, address: str) -> None:
    """A key of the Free plan is sent to the host of that plan, whatever was chosen."""
    for region in (None, "pro", "free"):
        assert DeepL.address({"api_key": api_key}, region) == address
    assert DeepL.address({"api_key": api_key}, None, "https://own") == "https://own"

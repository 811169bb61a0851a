"""What Anthropic is asked when its cost report is gone."""

import pytest

from custom_components.api_balance.providers.anthropic import Anthropic

from ..recording import RecordedProvider, joined, recordings

pytestmark = pytest.mark.usefixtures("recorded_at")


async def test_report_that_is_gone() -> None:
    """The report is asked for once, and from then on its successor alone."""
    (recording,) = (
        one
        for one in recordings()
        if one.provider == "anthropic" and one.name == "analytics"
    )
    simulated = RecordedProvider(recording)
    provider = joined(Anthropic, simulated.answer, recording.credentials)
    await provider.fetch()
    asked = len(simulated.requests)
    await provider.fetch()
    assert [one.partition("?")[0] for one in simulated.requests[asked:]] == [
        "GET /v1/organizations/analytics/cost"
    ]

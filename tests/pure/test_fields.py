"""The validators of what stands in answers."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import voluptuous as vol

from custom_components.api_balance.providers.fields import (
    account_id,
    amount,
    currency,
    doubtful,
    epoch,
    identifier,
    label,
    moment,
)


@pytest.mark.parametrize(
    "told", ["\u00df\u00df\u00df", "\ufb01\ufb01\ufb01", "US", "U1D", 5, True]
)
def test_no_currency(told: Any) -> None:
    """A currency is three letters of ASCII: others may become more in upper case."""
    with pytest.raises(vol.Invalid):
        currency(told)


def test_labels_and_ids() -> None:
    """What is no text is neither a label nor an id."""
    for validate in (label, identifier):
        assert validate("Home") == "Home"
        with pytest.raises(vol.Invalid):
            validate(Decimal(5))


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("0.10", "0.10"),
        ("-104.56822227", "-104.56822227"),
        ("0E-6176", "0"),
        ("1e-999999999", "0"),
        ("0.1234567890123456789012345678901234", "0.1234567890123456789012345679"),
    ],
)
def test_amounts_of_any_length(told: str, meant: str) -> None:
    """What is exact stays so; more digits than can be kept are no reason to refuse."""
    assert str(amount(told)) == str(amount(Decimal(told))) == meant


@pytest.mark.parametrize("told", ["1e29", "1e999999999", "", "x", "1,5", True, None])
def test_no_amount(told: Any) -> None:
    """What no account holds is no amount."""
    with pytest.raises(vol.Invalid):
        amount(told)


def test_time_out_of_reach() -> None:
    """What no calendar holds is no time."""
    with pytest.raises(vol.Invalid):
        epoch(Decimal("1e20"))
    with pytest.raises(vol.Invalid):
        moment("9999-12-31T23:59:59-05:00")


def test_ids_of_an_account() -> None:
    """An id may be a number, which is written with every digit."""
    assert account_id("a1") == "a1"
    assert account_id(Decimal("1e20")) == "100000000000000000000"
    for nothing in ("", None, True):
        with pytest.raises(vol.Invalid):
            account_id(nothing)


def test_doubtful() -> None:
    """What is not understood is missing, where the rest counts without it."""
    schema = vol.Schema({"reset": doubtful(moment)})
    assert schema({"reset": "2026-12-01"})["reset"] == datetime(2026, 12, 1, tzinfo=UTC)
    assert schema({"reset": "soon"}) == schema({"reset": None}) == {"reset": None}

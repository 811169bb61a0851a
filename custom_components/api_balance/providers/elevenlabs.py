"""ElevenLabs: the credits used of the plan, those beyond it, and what they cost.

Built from https://elevenlabs.io/docs/api-reference/user/subscription/get and
ElevenLabs' own Python SDK (official). That a key without the permission is refused with
status 401 and the word `missing_permissions` is from other people's code; the other
errors are from https://help.elevenlabs.io/hc/en-us/articles/19572237925521. The key
needs the permission `user_read` (in the key's settings: User, Read). A key of an
account with data residency works at the host of its region only
(https://elevenlabs.io/docs/product-guides/administration/data-residency, official):
choose the region when you add it.

Credits are shown as used and limit of the current period, with the time of the reset.
Used may exceed the limit where usage beyond the plan is switched on; what remains is
the limit less what was used, and never below zero. Where usage beyond the plan is
switched on, a second set of numbers (overage) shows the credits beyond the limit and
how many are allowed, or that they are unlimited. What they cost so far is a balance in
the currency of the account: negative is what you owe, and it is invoiced, so it cannot
run dry. That the amount is not in cents, as those of invoices are, follows from its
name only. Open invoices are not shown, as they name no currency.

An account whose free plan ElevenLabs has disabled counts as suspended. One whose
payment is past due does not: ElevenLabs only says that a failed payment may end a quota
sooner (https://elevenlabs.io/docs/changelog of May 19, 2025, official), so fewer
credits may remain then than are shown. By how many is not documented.

How far the figures lag behind is not documented. With consolidated billing they count
all workspaces together. A poll costs one request and no credits.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit, Wallet
from .base import (
    InvalidCredentials,
    MissingPermission,
    PaymentRequired,
    Provider,
    ProviderError,
    Refusal,
)
from .fields import amount, currency, epoch, maybe, owed

_CREDITS = Unit.named("credits")
_UNLIMITED = "unlimited"

_SUBSCRIPTION = {
    vol.Required("character_count"): amount,
    vol.Required("character_limit"): amount,
    "max_credit_limit_extension": vol.Any(None, _UNLIMITED, amount),
    "next_character_count_reset_unix": maybe(epoch),
    "current_overage": maybe(
        {vol.Required("amount"): owed, vol.Required("currency"): currency}
    ),
    "status": maybe(str),
}


class ElevenLabs(Provider):
    """An ElevenLabs subscription."""

    id = "elevenlabs"
    name = "ElevenLabs"
    hosts = {
        "com": "https://api.elevenlabs.io",
        "us": "https://api.us.elevenlabs.io",
        "eu": "https://api.eu.residency.elevenlabs.io",
        "in": "https://api.in.residency.elevenlabs.io",
        "sg": "https://api.sg.residency.elevenlabs.io",
    }
    key_kind = "API key"
    key_header = "xi-api-key"
    key_url = "https://elevenlabs.io/app/settings/api-keys"
    top_up_url = "https://elevenlabs.io/app/subscription"
    status_url = "https://status.elevenlabs.io"
    permission = "user_read"

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return what the status of the body means: all come as 401."""
        match refusal.field("detail", "status"):
            case "invalid_api_key":
                return InvalidCredentials()
            case "missing_permissions":
                return MissingPermission(cls.permission)
            case "quota_exceeded":
                return PaymentRequired()
            case _:
                return None

    @override
    async def fetch(self) -> Snapshot:
        """Return the credits of the plan and beyond, and what the latter cost."""
        answer = await self._client.get("/v1/user/subscription", _SUBSCRIPTION)
        used: Decimal = answer["character_count"]
        limit: Decimal = answer["character_limit"]
        resets_at = answer.get("next_character_count_reset_unix")
        overage = _overage(answer, max(used - limit, Decimal()))
        plan = Quota(
            key="credits",
            unit=_CREDITS,
            used=used,
            limit=limit,
            remaining=max(limit - used, Decimal()),
            can_exceed=any(quota.remaining != 0 for quota in overage),
            resets_at=resets_at,
        )
        return Snapshot(
            is_suspended=answer.get("status") == "free_disabled",
            wallets=_wallets(answer.get("current_overage")),
            quotas=(plan, *overage),
        )


def _overage(answer: Mapping[str, Any], used: Decimal) -> tuple[Quota, ...]:
    """Return the credits beyond the plan, none where that is switched off."""
    limit: Decimal | str | None = answer.get("max_credit_limit_extension")
    if not limit:
        return ()
    overage = Quota(
        key="overage",
        unit=_CREDITS,
        label="overage",
        used=used,
        resets_at=answer.get("next_character_count_reset_unix"),
    )
    if isinstance(limit, str):
        return (replace(overage, is_unlimited=True),)
    return (replace(overage, limit=limit, remaining=max(limit - used, Decimal())),)


def _wallets(overage: Mapping[str, Any] | None) -> tuple[Wallet, ...]:
    """Return what the usage beyond the plan cost so far, as a debt."""
    if overage is None:
        return ()
    unit: Unit = overage["currency"]
    return (
        Wallet(key=unit.key, unit=unit, balance=overage["amount"], is_postpaid=True),
    )

"""DeepL: the characters and speech minutes used in the billing period, and their limits.

Built from https://developers.deepl.com/api-reference/usage-and-quota and DeepL's own
OpenAPI description (official). A key of the DeepL API reads it that is not restricted, or
whose custom permissions include the usage, see
https://developers.deepl.com/docs/admin/api-key-permissions; what DeepL calls this
permission is not known here. DeepL answers a missing permission like a bad key (403). Only
where the answer speaks of a scope or a permission, which is not documented, is it shown as
a missing permission. Keys of the Admin API, which end in `:adm`, are of no use. A key that
ends in `:fx` belongs to the Free plan, which has a host of its own: the host follows from
the key.

Characters count text, documents and DeepL Write together, for the whole subscription. The
limit is that of the plan, or your own where Cost Control is set. What remains is the limit
less what was used. Keys of a Pro plan also report what the key itself has used, the limit
set for the key, the minutes of speech, and when the billing period ends; Free and Pro
Classic report the characters only, and no date. A limit of 1000000000000 is DeepL's way to
say that there is none. A limit of 0 for a key or for speech is shown as no limit:
what it means is not documented. There is no money in the answer.

When DeepL answers that the quota is exceeded (456), the account counts as depleted. The
figures are minutes old, says https://developers.deepl.com/docs/admin/retrieving-usage-data.
A poll costs one request and no characters.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, override

import voluptuous as vol

from ..model import Quota, Snapshot, Unit
from .base import (
    InvalidCredentials,
    MissingPermission,
    Provider,
    ProviderError,
    Refusal,
    WrongCredentialKind,
)
from .fields import amount, maybe, moment

_UNLIMITED = Decimal(1_000_000_000_000)
_CHARACTERS = Unit.named("characters")
_MINUTES = Unit.named("minutes")

# What the fields begin with, the key and the label of the quota, and its unit.
_PRO_QUOTAS = (
    ("api_key_character", "key_characters", "API key", _CHARACTERS),
    ("speech_to_text_minutes", "speech_to_text", "speech to text", _MINUTES),
    ("speech_to_speech_minutes", "speech_to_speech", "speech to speech", _MINUTES),
)

_USAGE: dict[Any, Any] = {
    vol.Required("character_count"): amount,
    vol.Required("character_limit"): amount,
    "end_time": maybe(moment),
    **{
        f"{name}_{part}": maybe(amount)
        for name, *_ in _PRO_QUOTAS
        for part in ("count", "limit")
    },
}


class DeepL(Provider):
    """A DeepL API subscription."""

    id = "deepl"
    name = "DeepL"
    hosts = {"pro": "https://api.deepl.com", "free": "https://api-free.deepl.com"}
    is_region_asked = False
    key_kind = "DeepL API key"
    key_url = "https://www.deepl.com/your-account/keys"
    top_up_url = "https://www.deepl.com/your-account/subscription"
    status_url = "https://www.deeplstatus.com"
    permission = "All access, or custom permissions that include the usage"
    payment_required_statuses = (456,)

    @override
    @classmethod
    def choose_region(
        cls, credentials: Mapping[str, str], region: str | None = None
    ) -> str:
        """Return the plan that the key belongs to."""
        return "free" if credentials["api_key"].endswith(":fx") else "pro"

    @override
    @classmethod
    def headers(cls, credentials: Mapping[str, str]) -> Mapping[str, str]:
        """Return the headers that show the credentials."""
        api_key = credentials["api_key"]
        if api_key.endswith(":adm"):
            raise WrongCredentialKind
        return {"Authorization": f"DeepL-Auth-Key {api_key}"}

    @override
    @classmethod
    def explain(cls, refusal: Refusal) -> ProviderError | None:
        """Return what 403 means: a bad key, or one without the permission."""
        if refusal.status != 403:
            return None
        reason = f"{refusal.field('code')} {refusal.field('message')}".casefold()
        is_scoped = "scope" in reason or "permission" in reason
        return MissingPermission() if is_scoped else InvalidCredentials()

    @override
    async def fetch(self) -> Snapshot:
        """Return the quotas of the subscription, of the key, and of speech."""
        answer = await self._client.get("/v2/usage", _USAGE)
        quotas = [_quota(answer, "character", "characters", None, _CHARACTERS)]
        for name, key, label, unit in _PRO_QUOTAS:
            # What was never used and has no limit is no part of the plan.
            if answer.get(f"{name}_count") or answer.get(f"{name}_limit"):
                quotas.append(_quota(answer, name, key, label, unit))
        return Snapshot(quotas=tuple(quotas))


def _quota(
    answer: Mapping[str, Any], name: str, key: str, label: str | None, unit: Unit
) -> Quota:
    """Return the quota of the fields that begin with a name."""
    used: Decimal | None = answer.get(f"{name}_count")
    limit: Decimal | None = answer.get(f"{name}_limit")
    is_unlimited = limit == _UNLIMITED
    if is_unlimited or (label and not limit):
        limit = None
    return Quota(
        key=key,
        unit=unit,
        label=label,
        used=used,
        limit=limit,
        remaining=(
            None if limit is None or used is None else max(limit - used, Decimal())
        ),
        is_unlimited=is_unlimited,
        # All but the characters are of one key or of one product.
        is_partial=label is not None,
        resets_at=answer.get("end_time"),
    )

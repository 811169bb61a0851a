"""Events of API Balance."""

from decimal import Decimal
from typing import override

from homeassistant.components.event import EventEntity, EventEntityDescription
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import SIGNAL_ACTIVITY, ApiBalanceConfigEntry
from .entity import PartEntity, async_add_wallet_entities
from .insight.outlook import FOR_EVER, in_days
from .insight.watch import Activity, Change
from .model import Wallet

PARALLEL_UPDATES = 0

EVENTS: tuple[EventEntityDescription, ...] = (
    EventEntityDescription(
        key="activity",
        translation_key="activity",
        event_types=list(Activity),
    ),
)


async def async_setup_entry(
    hass: HomeAssistant,
    entry: ApiBalanceConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the events of each wallet."""
    async_add_wallet_entities(entry, async_add_entities, WalletActivity, EVENTS)


class WalletActivity(PartEntity[Wallet], EventEntity):
    """What happens to a wallet."""

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to what happens."""
        await super().async_added_to_hass()
        self.async_on_remove(
            async_dispatcher_connect(
                self.hass,
                SIGNAL_ACTIVITY.format(self.coordinator.config_entry.entry_id),
                self._handle_change,
            )
        )

    @callback
    def _handle_change(self, wallet_key: str, change: Change) -> None:
        """Tell a change of this wallet."""
        # Its neighbors may change while this wallet is missing.
        if not self.available or wallet_key != self.part.key:
            return
        self._trigger_event(
            change.activity,
            {
                name: float(amount) if isinstance(amount, Decimal) else amount
                for name, amount in _details(change).items()
            }
            | {"unit": self.part.unit.code},
        )
        self.async_write_ha_state()


def _details(change: Change) -> dict[str, Decimal | int | None]:
    """Return what there is to tell of a change; times in days."""
    details: dict[str, Decimal | int | None] = {
        "old": change.old,
        "new": change.new,
        "threshold": change.threshold,
    }
    if change.days:
        lasts = change.runway
        details["time_left"] = None if lasts in (None, FOR_EVER) else in_days(lasts)
        details["time_threshold"] = change.days
    if change.jump:
        details["spent"] = change.jump.spent
        details["usual"] = change.jump.usual
        details["hours"] = change.jump.hours
    return details

"""Warnings in a real Home Assistant: as many as there should be, whatever happens.

Fourteen accounts live through the same hours, each with a story of its own.
Run with -s for the table of what was expected and what was seen.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
import json
from pathlib import Path
import sys

from aiohttp.test_utils import TestServer
import pytest
import pytest_asyncio
import pytest_socket

from tests.simulator import Html, Http
from tests.simulator.faults import Fault
from tests.simulator.telnyx import Telnyx

from .accounts import choose_provider, entities_of
from .home_assistant import CONFIGURATION, HomeAssistant, Json

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("socket_enabled"),
    pytest.mark.timeout(600),
]

THRESHOLD = 10
SET_UP, POLL, RESTART, KILL = "set up", "poll", "restart", "kill -9"
# What happens in every home. Amounts change before a poll, and in the dark between the
# end and the next start.
HOURS = (SET_UP, POLL, POLL, POLL, RESTART, POLL, KILL, POLL, POLL)

FAULTS: dict[str, Fault] = {
    "503": Http(503),
    "500": Http(500),
    "html": Html(),
}
# What turns a story for the worse.
WARNINGS = ("became_low", "depleted")
TURNED_ON = "turned_on"
TRIGGERS = (
    "became_low",
    "no_longer_low",
    "became_depleted",
    "topped_up",
    "balance_crossed_threshold",
)


@dataclass(frozen=True, slots=True)
class Story:
    """What becomes of an account, hour by hour.

    An amount is a balance and ends every fault, a dot lets things be. An exclamation
    mark says that a warning is due in this hour. `turns_on` counts how often the state
    of the binary sensor turns from off to on.
    """

    name: str
    hours: str
    turns_on: int

    @property
    def steps(self) -> Sequence[str]:
        """Return what happens in each hour."""
        return [step.strip("!") for step in self.hours.split()]

    def triggers_until(self, hour: int) -> Counter[str]:
        """Return how often each of our triggers is due up to and with an hour."""
        due: Counter[str] = Counter()
        amounts = [
            Decimal("20" if step == "USD" else step)
            for step in self.steps[: hour + 1]
            if step not in {".", "EUR", *FAULTS}
        ]
        was_low = amounts[0] <= THRESHOLD
        for old, new in pairwise(amounts):
            is_topped_up = new > old + 1
            is_low = new <= THRESHOLD or (
                was_low and not is_topped_up and new <= THRESHOLD * Decimal("1.1")
            )
            due["topped_up"] += is_topped_up
            due["became_low"] += is_low and not was_low
            due["no_longer_low"] += was_low and not is_low
            due["became_depleted"] += new <= 0 < old
            due["balance_crossed_threshold"] += new < THRESHOLD <= old
            was_low = is_low
        return due

    def warnings_until(self, hour: int) -> int:
        """Return how many warnings are due up to and with an hour."""
        return sum("!" in step for step in self.hours.split()[: hour + 1])


STORIES = (
    Story("slow spending", "20 15 9.50! 8 7 6 5 4 3", 1),
    Story("fall hidden by an outage", "20 503 503 3! . . . . .", 1),
    Story("fall while stopped", "20 . . . 3! . . 2 .", 1),
    Story("fall while killed", "20 . . . . . 3! . 2", 1),
    Story("outage over a restart", "20 . . 503 . 3! . . .", 1),
    Story("outages and restarts while low", "20 9! 503 8 7 503 6 503 5", 1),
    Story(
        "fluttering at the edge",
        "20 10.00! 10.05 9.98 10.06 9.99 10.07 10.00 10.05",
        1,
    ),
    Story("top-ups", "20 9! 50 8! . . . 40 7!", 3),
    Story("top-up while killed", "20 9! 8 . . . 50 . 4!", 2),
    Story("down to nothing, twice", "20 9! 0! . . . . 30 0!", 2),
    Story("set up while low", "5 4 503 4 3 . 2 . 1", 0),
    Story("currency changed and back", "20 EUR . . . . . USD .", 0),
    Story("errors of the provider", "20 503 500 html 20 500 20 html 20", 0),
    Story("low and back in the dark", "20 . 9! . 50 . 8! . .", 2),
)


@dataclass(slots=True)
class Account:
    """An account, and what Home Assistant calls it."""

    story: Story
    provider: Telnyx
    entry_id: str = ""
    entities: dict[str, str] = field(default_factory=dict)
    is_healthy: bool = True
    asked: int = 0

    @property
    def is_known(self) -> bool:
        """Tell whether the provider tells what its wallet holds."""
        return self.is_healthy and self.provider.currency == "USD"

    def live(self, hour: int) -> None:
        """Let an hour pass at the provider."""
        match self.story.steps[hour]:
            case ".":
                return
            case "EUR" | "USD" as currency:
                self.provider.set_currency(currency)
                self.provider.set_balance(Decimal("0.50" if currency == "EUR" else 20))
                return
            case step if step in FAULTS:
                self.provider.heal()
                self.provider.fail(FAULTS[step])
                self.is_healthy = False
                return
            case amount:
                self.provider.heal()
                self.provider.set_balance(Decimal(amount))
                self.is_healthy = True


@dataclass(slots=True)
class Bench:
    """A home, its accounts, and where its automations take notes."""

    home: HomeAssistant
    accounts: list[Account]
    notes: Path

    def triggered(self, number: int) -> Counter[str]:
        """Return how often each of our triggers ran for an account."""
        runs = Counter(self.notes.read_text().split())
        return Counter(
            {kind: runs[f"{number}/our-{kind}"] for kind in TRIGGERS},
        )

    def seen(self) -> list[tuple[int, int]]:
        """Return how many warnings each account gave, by its events and by its state."""
        runs = Counter(self.notes.read_text().split())
        return [
            (
                sum(runs[f"{number}/{kind}"] for kind in WARNINGS),
                runs[f"{number}/{TURNED_ON}"],
            )
            for number in range(len(self.accounts))
        ]

    async def live(self, hour: int) -> None:
        """Let an hour pass, and wait for what should come of it."""
        home = self.home
        match HOURS[hour]:
            case "restart":
                await home.stop()
                self._pass(hour)
                await home.start()
            case "kill -9":
                # What is told is written right after it: between two polls it is there.
                await home.until(self._is_written, "the levels on disk")
                await home.kill()
                self._pass(hour)
                await home.start()
            case _:
                self._pass(hour)
                await home.update_entity(
                    *(account.entities["availability"] for account in self.accounts)
                )

        late: list[str] = []

        async def is_over() -> bool:
            late[:] = [
                account.story.name
                for number, (account, (warnings, _)) in enumerate(
                    zip(self.accounts, self.seen(), strict=True)
                )
                if not self._has_lived(account)
                or warnings != account.story.warnings_until(hour)
                or self.triggered(number) != account.story.triggers_until(hour)
            ]
            return not late

        try:
            await home.until(is_over, f"hour {hour}", limit=180)
        except TimeoutError as err:
            raise TimeoutError(f"{err}: {late}\n{table(self)}") from None

    async def _is_written(self) -> bool:
        """Tell whether the levels that are shown would survive a power cut.

        What is low is due to be shown: its news may be ahead of the state.
        """
        for account in self.accounts:
            is_low = account.is_known and account.provider.balance <= THRESHOLD
            shown = self.home.states[account.entities["usd_low_balance"]]
            level = shown["attributes"].get("level")
            if is_low and level not in {"low", "depleted"}:
                return False
            record = self.home.stored(f"api_balance.{account.entry_id}")["data"]
            if level and record["gauges"]["usd"].get("shown_level") != level:
                return False
        return True

    def _pass(self, hour: int) -> None:
        for account in self.accounts:
            account.asked = len(account.provider.requests)
            account.live(hour)

    def _has_lived(self, account: Account) -> bool:
        """Tell whether an account shows what the provider said in this hour."""
        provider = account.provider
        balance = account.entities["usd_balance"]
        shown = self.home.states.get(balance, {}).get("state")
        wanted = f"{provider.balance:.2f}" if account.is_known else "unavailable"
        return len(provider.requests) > account.asked and shown == wanted


@pytest.fixture(autouse=True)
def expected_complaints() -> None:
    """Leave out what the other module's home is held to."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    """Start Home Assistant and add an account for each story."""
    pytest_socket.enable_socket()
    folder = tmp_path_factory.mktemp("home")
    notes = folder / "notes"
    notes.touch()
    automations = folder / "automations.yaml"
    automations.write_text("[]")
    # A file, as it outlives a power cut: what Home Assistant counts does not.
    note = f"""sh -c 'echo "$0" >> {notes}' {{{{ text }}}}"""
    configuration = (
        f"{CONFIGURATION}automation: !include automations.yaml\n"
        f"shell_command:\n  note: {json.dumps(note)}\n"
    )
    async with AsyncExitStack() as stack:
        accounts = []
        for number, story in enumerate(STORIES):
            provider = Telnyx({"api_key": f"KEY0{number}"})
            provider.set_credit_limit(Decimal(0))
            server = TestServer(provider.make_app())
            await stack.enter_async_context(server)
            provider.url = str(server.make_url("")).rstrip("/")
            accounts.append(Account(story, provider))
        home = await stack.enter_async_context(
            HomeAssistant(folder, configuration=configuration)
        )
        for account in accounts:
            account.live(0)
            await add(home, account)
        automations.write_text(
            json.dumps(
                [
                    automation
                    for number, account in enumerate(accounts)
                    for automation in automations_of(number, account)
                ]
            )
        )
        await home.call_service("automation.reload")
        yield Bench(home, accounts, notes)


async def add(home: HomeAssistant, account: Account) -> None:
    """Add an account as a person does, with a threshold."""
    step = await choose_provider(home, "telnyx")
    step = await home.step_flow(
        step["flow_id"],
        {
            **account.provider.credentials,
            "advanced": {"base_url": account.provider.url},
        },
    )
    assert step["step_id"] == "thresholds"
    (wallet,) = (field["name"] for field in step["data_schema"])
    result = await home.step_flow(step["flow_id"], {wallet: THRESHOLD})
    account.entry_id = result["result"]["entry_id"]
    account.entities = {
        name: entity["entity_id"]
        for name, entity in (await entities_of(home, account.entry_id)).items()
    }


def automations_of(number: int, account: Account) -> Iterator[Json]:
    """Return what a person might write: on the plain state, and on each event."""

    def noting(text: str, trigger: Json) -> Json:
        return {
            "id": f"{number}_{text}",
            "alias": f"{number} {text}",
            "mode": "queued",
            "triggers": [trigger],
            "actions": [
                {"action": "shell_command.note", "data": {"text": f"{number}/{text}"}}
            ],
        }

    yield noting(
        TURNED_ON,
        {
            "trigger": "state",
            "entity_id": account.entities["usd_low_balance"],
            "from": "off",
            "to": "on",
        },
    )
    for kind in WARNINGS:
        yield noting(
            kind,
            {
                "trigger": "event.received",
                "target": {"entity_id": account.entities["usd_activity"]},
                "options": {"event_type": [kind]},
            },
        )

    low_balance = {"entity_id": account.entities["usd_low_balance"]}
    balance = {"entity_id": account.entities["usd_balance"]}
    below = {"threshold": {"type": "below", "value": {"number": THRESHOLD}}}
    targets = {
        "topped_up": {"entity_id": account.entities["usd_activity"]},
        "balance_crossed_threshold": balance,
    }
    conditions = {
        "became_low": {"condition": "api_balance.is_low", "target": low_balance},
        "became_depleted": {
            "condition": "api_balance.is_depleted",
            "target": low_balance,
        },
        "balance_crossed_threshold": {
            "condition": "api_balance.balance",
            "target": balance,
            "options": below,
        },
    }
    for kind in TRIGGERS:
        trigger: Json = {
            "trigger": f"api_balance.{kind}",
            "target": targets.get(kind, low_balance),
        }
        if kind == "balance_crossed_threshold":
            trigger["options"] = below
        automation = noting(f"our-{kind}", trigger)
        if condition := conditions.get(kind):
            automation["conditions"] = [condition]
        yield automation


def table(bench: Bench) -> str:
    """Return what was expected and what was seen, as a table."""
    rows = [
        ("sequence", *HOURS, "warnings", "seen", "off -> on", "seen"),
        *(
            (
                account.story.name,
                *account.story.hours.split(),
                str(account.story.warnings_until(len(HOURS))),
                str(warnings),
                str(account.story.turns_on),
                str(turned_on),
            )
            for account, (warnings, turned_on) in zip(
                bench.accounts, bench.seen(), strict=True
            )
        ),
    ]
    rows.insert(1, tuple("---" for _ in rows[0]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        + " |"
        for row in rows
    )


async def test_every_warning_once(bench: Bench) -> None:
    """Each story warns as often as it should, by its events and by its plain state."""
    for hour in range(1, len(HOURS)):
        await bench.live(hour)
    # Whatever still runs may end.
    await bench.home.stop()
    sys.stdout.write(f"\n{table(bench)}\n")
    assert bench.seen() == [
        (account.story.warnings_until(len(HOURS)), account.story.turns_on)
        for account in bench.accounts
    ]
    assert [bench.triggered(number) for number in range(len(bench.accounts))] == [
        account.story.triggers_until(len(HOURS)) for account in bench.accounts
    ]

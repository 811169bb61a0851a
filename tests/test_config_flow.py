"""The config flow: a key in, an account watched."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from aiohttp import ClientTimeout
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
import voluptuous as vol

from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.providers.catalog import load, load_all
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    SOURCE_USER,
    ConfigEntry,
    ConfigEntryState,
)
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.util import slugify

from .conftest import SHAPES, AddAccount, Poll, each_shape, state_of, with_running_clock
from .simulator import (
    SIMULATED_PROVIDERS,
    Fault,
    Hang,
    Http,
    Reset,
    SimulatedProvider,
    Simulator,
)
from .simulator.deepgram import Deepgram
from .simulator.deepseek import DeepSeek
from .simulator.digital_ocean import DigitalOcean
from .simulator.telnyx import Telnyx
from .simulator.twilio import Twilio


@pytest.fixture
async def other(socket_enabled: None) -> AsyncIterator[Simulator]:
    """Return other accounts with the same providers."""
    credentials = {
        provider.id: provider.other_credentials() for provider in SIMULATED_PROVIDERS
    }
    async with Simulator(credentials=credentials) as running:
        yield running


async def choose(hass: HomeAssistant, provider: SimulatedProvider) -> Any:
    """Start to add an account."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "user"
    assert not result["errors"]
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"provider": provider.id}
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "credentials"
    assert not result["errors"]
    return result


def labels_of(result: Any) -> set[str]:
    """Return the fields of the form."""
    return {str(label) for label in result["data_schema"].schema}


def suggestions_of(result: Any) -> dict[str, Any]:
    """Return what the form suggests for each field."""
    return {str(label): label.description for label in result["data_schema"].schema}


def entered(provider: SimulatedProvider, **other: Any) -> dict[str, Any]:
    """Return what a person enters to reach a simulated provider."""
    return {**provider.credentials, "advanced": {"base_url": provider.url}, **other}


async def enter(hass: HomeAssistant, result: Any, user_input: dict[str, Any]) -> Any:
    """Enter credentials, and no threshold."""
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], user_input
    )
    while result.get("step_id") in ("balance", "thresholds"):
        result = await hass.config_entries.flow.async_configure(result["flow_id"], {})
    await hass.async_block_till_done()
    return result


async def add(hass: HomeAssistant, provider: SimulatedProvider) -> ConfigEntry:
    """Add an account by the flow."""
    result = await enter(hass, await choose(hass, provider), entered(provider))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry: ConfigEntry = result["result"]
    return entry


async def start(hass: HomeAssistant, entry: ConfigEntry, source: str) -> Any:
    """Start to give an account new credentials."""
    return await hass.config_entries.flow.async_init(
        DOMAIN,
        context={"source": source, "entry_id": entry.entry_id},
        data=entry.data,
    )


def field(result: Any, key: str) -> Any:
    """Return the selector of a field of the form."""
    return next(
        value for name, value in result["data_schema"].schema.items() if name == key
    )


async def test_providers_are_offered_by_name(hass: HomeAssistant) -> None:
    """The list holds every provider, by the name people know, and all accounts."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    options = field(result, "provider").config["options"]
    assert {(option["value"], option["label"]) for option in options} == {
        *((provider.id, provider.name) for provider in load_all()),
        ("manual", "Manual account"),
        ("all_accounts", "All accounts"),
    }


async def test_provider_by_its_name(hass: HomeAssistant) -> None:
    """What is typed is understood as a name, and else can be corrected."""
    result = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data={"provider": "Telnix"}
    )
    assert result["step_id"] == "user"
    assert result["errors"] == {"provider": "unknown_provider"}
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"provider": " telnyx"}
    )
    assert result["step_id"] == "credentials"


@each_shape
async def test_add(hass: HomeAssistant, simulator: Simulator, provider_id: str) -> None:
    """A good key makes an account that works."""
    provider = simulator[provider_id]
    result = await choose(hass, provider)
    for key in provider.secret_fields:
        assert field(result, key).config["type"] == "password"
    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.CREATE_ENTRY, result["errors"]
    entry = result["result"]
    assert (
        entry.data.items()
        >= {
            "provider": provider.id,
            "base_url": provider.url,
            **provider.credentials,
        }.items()
    )
    for key in provider.secret_fields:
        assert provider.credentials[key] not in result["title"]
        assert provider.credentials[key] not in str(entry.unique_id)
    assert entry.state is ConfigEntryState.LOADED
    # Entities are named after the title, which is not always that of the id.
    status = f"sensor.{slugify(result['title'])}_update_status"
    assert state_of(hass, status) == "ok"


ERRORS: dict[str, Fault] = {
    "unreachable": Reset(),
    "rate_limited": Http(429, retry_after=60),
    "provider_fault": Http(503),
    "unexpected_answer": Http(418),
}


@pytest.mark.parametrize("error", ERRORS)
@each_shape
async def test_error_and_recovery(
    hass: HomeAssistant, simulator: Simulator, provider_id: str, error: str
) -> None:
    """Each error has its own text, and the flow goes on to an account."""
    provider = simulator[provider_id]
    result = await choose(hass, provider)
    provider.fail(ERRORS[error])
    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.FORM
    assert result["errors"] == {"base": error}

    provider.heal()
    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@with_running_clock
async def test_timeout_and_recovery(
    hass: HomeAssistant, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that never answers is not waited for."""
    provider = simulator[Telnyx]
    result = await choose(hass, provider)
    provider.fail(Hang())
    with monkeypatch.context() as patched:
        patched.setattr(
            "custom_components.api_balance.providers.http.TIMEOUT",
            ClientTimeout(total=0.05),
        )
        result = await enter(hass, result, entered(provider))
    assert result["errors"] == {"base": "unreachable"}

    provider.heal()
    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@each_shape
async def test_bad_key_and_recovery(
    hass: HomeAssistant, simulator: Simulator, provider_id: str
) -> None:
    """A key that is not accepted can be corrected, and is not shown again."""
    provider = simulator[provider_id]
    result = await choose(hass, provider)
    wrong = provider.new_key("mistyped")
    result = await enter(hass, result, entered(provider, **wrong))
    assert result["errors"] == {"base": "bad_key"}
    assert "mistyped" not in str(result["data_schema"].schema)
    (suggested,) = (
        name.description["suggested_value"]
        for name in field(result, "advanced").schema.schema
    )
    assert suggested == provider.url

    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("provider_id", [id_ for id_ in SHAPES if load(id_).permission])
async def test_missing_permission_and_recovery(
    hass: HomeAssistant, simulator: Simulator, provider_id: str
) -> None:
    """The text of a missing permission says which."""
    provider = simulator[provider_id]
    result = await choose(hass, provider)
    provider.weaken_key()
    result = await enter(hass, result, entered(provider))
    assert result["errors"] == {"base": "missing_permission"}
    assert (
        result["description_placeholders"]["permission"] == load(provider_id).permission
    )

    provider.restore_key()
    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_wrong_kind_of_key_and_recovery(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A key of another kind is known as such, and is sent nowhere."""
    provider = simulator[Deepgram]
    result = await choose(hass, provider)
    token = {"api_key": "eyJhbGciOi.eyJzdWIiOi.c2lnbmF0dXJl"}
    result = await enter(hass, result, entered(provider, **token))
    assert result["errors"] == {"base": "wrong_key"}
    assert not provider.requests

    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_unknown_error_and_recovery(
    hass: HomeAssistant,
    simulator: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A fault of ours ends in a plain text, and tells no key to the log."""
    provider = simulator[Telnyx]
    result = await choose(hass, provider)
    with monkeypatch.context() as patched:
        patched.setattr(
            "custom_components.api_balance.config_flow.async_connect",
            lambda *args: 1 / 0,
        )
        result = await enter(hass, result, entered(provider))
    assert result["errors"] == {"base": "unknown"}
    assert "ZeroDivisionError" in caplog.text
    assert provider.credentials["api_key"] not in caplog.text

    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    "address",
    [
        "http://api.telnyx.com",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
        "https://user:password@api.telnyx.com",
        "https://api.telnyx.com/proxy",
        "https://api.telnyx.com/?key=1",
        "https://api.telnyx.com/#part",
        "https://",
        "https://[::1",
        "api.telnyx.com",
        "telnyx",
    ],
)
async def test_unsafe_address_and_recovery(
    hass: HomeAssistant, simulator: Simulator, address: str
) -> None:
    """No key is sent to an address that is not safe."""
    provider = simulator[Telnyx]
    result = await choose(hass, provider)
    unsafe = {"base_url": address}
    result = await enter(hass, result, entered(provider, advanced=unsafe))
    assert result["errors"] == {"base": "unsafe_address"}
    assert not provider.requests

    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize("ending", ["/", "/v1", "/v2/", "/V1", " "])
@each_shape
async def test_pasted_address(
    hass: HomeAssistant, simulator: Simulator, provider_id: str, ending: str
) -> None:
    """The address of the API's version is understood."""
    provider = simulator[provider_id]
    pasted = {"base_url": f"{provider.url}{ending}"}
    result = await choose(hass, provider)
    result = await enter(hass, result, entered(provider, advanced=pasted))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["base_url"] == provider.url


async def test_pasted_key(hass: HomeAssistant, simulator: Simulator) -> None:
    """Blanks around a pasted key are not part of it."""
    provider = simulator[Telnyx]
    result = await choose(hass, provider)
    key = provider.credentials["api_key"]
    result = await enter(hass, result, entered(provider, api_key=f" {key}\n"))
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["api_key"] == key


async def test_region(
    hass: HomeAssistant, simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider with several hosts is asked at the host of the region."""
    provider = simulator[Telnyx]
    result = await choose(hass, provider)
    assert [item["label"] for item in field(result, "region").config["options"]] == [
        "api.telnyx.com",
        "api.telnyx.eu",
        "api.telnyx.com.au",
    ]
    monkeypatch.setattr(
        "custom_components.api_balance.providers.telnyx.Telnyx.hosts",
        {"com": "https://127.0.0.1:9", "eu": provider.url},
    )
    result = await enter(hass, result, {**provider.credentials, "region": "com"})
    assert result["errors"] == {"base": "unreachable"}
    result = await enter(hass, result, {**provider.credentials, "region": "eu"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["region"] == "eu"
    assert "base_url" not in result["data"]


async def test_no_region(hass: HomeAssistant, simulator: Simulator) -> None:
    """A provider with one host asks for no region."""
    result = await choose(hass, simulator[Deepgram])
    assert "region" not in result["data_schema"].schema


async def test_accounts_of_different_providers(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Accounts of different providers live side by side."""
    entries = [await add(hass, simulator[id_]) for id_ in SHAPES]
    assert [entry.title for entry in entries] == [load(id_).name for id_ in SHAPES]


@each_shape
async def test_same_account_twice(
    hass: HomeAssistant, simulator: Simulator, provider_id: str
) -> None:
    """The same account cannot be added twice."""
    provider = simulator[provider_id]
    await add(hass, provider)
    result = await enter(hass, await choose(hass, provider), entered(provider))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


async def test_same_account_in_two_windows(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """An account that is added while a form is open is not added twice."""
    provider = simulator[Telnyx]
    forms = [
        await hass.config_entries.flow.async_configure(
            (await choose(hass, provider))["flow_id"], entered(provider)
        )
        for _ in range(2)
    ]
    results = [await enter(hass, form, {}) for form in forms]
    assert [result["type"] for result in results] == [
        FlowResultType.CREATE_ENTRY,
        FlowResultType.ABORT,
    ]
    assert results[1]["reason"] == "already_configured"


async def test_same_account_with_another_key(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Where the provider tells who it is, another key does not make another account."""
    provider = simulator[Deepgram]
    await add(hass, provider)
    provider.credentials = {"api_key": "second-key"}
    result = await enter(hass, await choose(hass, provider), entered(provider))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


@each_shape
async def test_two_accounts(
    hass: HomeAssistant, simulator: Simulator, other: Simulator, provider_id: str
) -> None:
    """Two accounts of one provider have titles that differ."""
    move_projects(other)
    entries = [
        await add(hass, provider)
        for provider in (simulator[provider_id], other[provider_id])
    ]
    name = next(item.name for item in load_all() if item.id == provider_id)
    assert [entry.title for entry in entries] == [name, f"{name} 2"]


def move_projects(simulator: Simulator) -> None:
    """Give an account projects of its own."""
    deepgram = simulator[Deepgram]
    deepgram.add_project("Other")
    deepgram.remove_project(deepgram.projects[0])


@each_shape
async def test_reauth(
    hass: HomeAssistant,
    simulator: Simulator,
    add_account: AddAccount,
    poll: Poll,
    provider_id: str,
) -> None:
    """A key that is refused twice in a row is asked for again."""
    provider = simulator[provider_id]
    entry = await add_account(provider)
    provider.credentials = provider.new_key("new")

    await poll()
    assert not hass.config_entries.flow.async_progress()
    assert state_of(hass, f"sensor.{provider.id}_update_status") == "bad_key"

    await poll()
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"
    form = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert form["step_id"] == "credentials"
    assert not form["errors"]

    wrong = provider.new_key("mistyped")
    result = await enter(hass, flow, entered(provider, **wrong))
    assert result["errors"] == {"base": "bad_key"}

    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reauth_successful"
    assert entry.data.items() >= provider.credentials.items()
    assert entry.state is ConfigEntryState.LOADED
    assert state_of(hass, f"sensor.{provider.id}_update_status") == "ok"


async def test_reauth_with_another_account(
    hass: HomeAssistant, simulator: Simulator, other: Simulator
) -> None:
    """The key of another account is refused where the provider tells who it is."""
    entry = await add(hass, simulator[Deepgram])
    move_projects(other)
    result = await start(hass, entry, SOURCE_REAUTH)
    result = await enter(hass, result, entered(other[Deepgram]))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "wrong_account"
    assert entry.data["api_key"] == simulator[Deepgram].credentials["api_key"]


async def test_reauth_with_the_key_of_another_entry(
    hass: HomeAssistant, simulator: Simulator, other: Simulator
) -> None:
    """Two entries never watch the same account."""
    entry = await add(hass, simulator[Telnyx])
    await add(hass, other[Telnyx])
    result = await start(hass, entry, SOURCE_REAUTH)
    result = await enter(hass, result, entered(other[Telnyx]))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "already_configured"


@each_shape
async def test_reconfigure(
    hass: HomeAssistant, simulator: Simulator, provider_id: str
) -> None:
    """New credentials take the place of the old ones, after an error too."""
    provider = simulator[provider_id]
    entry = await add(hass, provider)
    stored = str(entry.data[provider.secret_fields[0]])
    provider.credentials = provider.new_key("new")
    result = await start(hass, entry, SOURCE_RECONFIGURE)
    assert result["step_id"] == "credentials"
    assert stored not in str(result["data_schema"].schema)

    provider.fail(Http(500))
    result = await enter(hass, result, entered(provider))
    assert result["errors"] == {"base": "provider_fault"}

    provider.heal()
    result = await enter(hass, result, entered(provider))
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    assert entry.data.items() >= provider.credentials.items()
    assert entry.state is ConfigEntryState.LOADED


async def test_reconfigure_keeps_the_key(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A field left empty keeps the stored key, as long as the address stays."""
    provider = simulator[Telnyx]
    entry = await add(hass, provider)
    result = await start(hass, entry, SOURCE_RECONFIGURE)
    same = {"base_url": provider.url}
    result = await enter(hass, result, {"region": "eu", "advanced": same})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["region"] == "eu"
    assert entry.data["api_key"] == provider.credentials["api_key"]


async def test_key_is_entered_once(hass: HomeAssistant, simulator: Simulator) -> None:
    """Whoever corrects something else need not enter the key again."""
    provider = simulator[Telnyx]
    result = await choose(hass, provider)
    provider.fail(Http(503))
    result = await enter(hass, result, entered(provider))
    assert result["errors"] == {"base": "provider_fault"}
    key = next(name for name in result["data_schema"].schema if name == "api_key")
    assert isinstance(key, vol.Optional)

    provider.heal()
    without = entered(provider, region="eu")
    del without["api_key"]
    result = await enter(hass, result, without)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["api_key"] == provider.credentials["api_key"]


async def test_fields_that_belong_together(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """An API key is used in the place of a token; half of one is not enough."""
    provider = simulator[Twilio]
    fields = entered(provider)
    del fields["auth_token"]
    for half in ({}, {"api_key_sid": "SK1"}, {"api_secret": "secret-of-the-key"}):
        result = await enter(hass, await choose(hass, provider), {**fields, **half})
        assert result["errors"] == {"base": "incomplete"}
    assert not provider.requests

    api_key = {"api_key_sid": "SK1", "api_secret": "secret-of-the-key"}
    provider.credentials = {**provider.credentials, **api_key}
    result = await enter(hass, result, {**fields, **api_key})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"].items() >= api_key.items()


async def test_entered_key_goes_to_its_address_only(
    hass: HomeAssistant, simulator: Simulator, other: Simulator
) -> None:
    """A key that was entered for one address does not go to the next one by itself."""
    provider = simulator[Telnyx]
    result = await choose(hass, provider)
    provider.fail(Http(503))
    result = await enter(hass, result, entered(provider))
    elsewhere = {"region": "com", "advanced": {"base_url": other[Telnyx].url}}
    result = await enter(hass, result, elsewhere)
    assert result["errors"] == {"base": "key_needed"}
    assert not other[Telnyx].requests

    result = await enter(hass, result, entered(other[Telnyx]))
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_reconfigure_sends_no_stored_key_elsewhere(
    hass: HomeAssistant, simulator: Simulator, other: Simulator
) -> None:
    """A stored key does not go to another address."""
    entry = await add(hass, simulator[Telnyx])
    result = await start(hass, entry, SOURCE_RECONFIGURE)
    elsewhere = {"base_url": other[Telnyx].url}
    result = await enter(hass, result, {"region": "com", "advanced": elsewhere})
    assert result["errors"] == {"base": "key_needed"}
    assert not other[Telnyx].requests

    result = await enter(hass, result, entered(other[Telnyx]))
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["base_url"] == other[Telnyx].url


OTHER = {
    "provider": "other",
    "url": "/user/balance",
    "method": "GET",
    "key_place": "header",
    "key_name": "Authorization",
    "key_prefix": "Bearer",
    "balance_path": "balance_infos.0.total_balance",
    "currency_path": "balance_infos.0.currency",
    "unit": "USD",
    "scale": "1",
    "is_inverted": False,
}


async def choose_other(hass: HomeAssistant) -> Any:
    """Start to add an account that has no provider of its own."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}, data={"provider": "other"}
    )


def entered_other(provider: SimulatedProvider, **other: Any) -> dict[str, Any]:
    """Return what a person enters to read a simulated provider without a provider."""
    fields = {**OTHER, "url": f"{provider.url}{OTHER['url']}", **provider.credentials}
    del fields["provider"]
    return {**fields, **other}


async def test_other_service(hass: HomeAssistant, simulator: Simulator) -> None:
    """What was read from any other service is shown before it is saved."""
    provider = simulator[DeepSeek]
    result = await choose_other(hass)
    assert result["step_id"] == "service"
    assert "advanced" not in result["data_schema"].schema
    result = await enter(hass, result, entered_other(provider))
    assert result["type"] is FlowResultType.MENU
    assert result["step_id"] == "preview"
    assert result["menu_options"] == ["save", "service"]
    assert result["description_placeholders"] == {
        "balance": "110.00 CNY",
        "available": "-",
        "used": "-",
        "limit": "-",
    }

    result = await enter(hass, result, {"next_step_id": "service"})
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "service"
    shown = result["data_schema"].schema
    suggested = {str(name): name.description for name in shown}
    assert suggested["balance_path"] == {"suggested_value": OTHER["balance_path"]}
    assert provider.credentials["api_key"] not in str(shown)

    result = await enter(hass, result, entered_other(provider))
    result = await enter(hass, result, {"next_step_id": "save"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "127.0.0.1"
    assert state_of(hass, "sensor.127_0_0_1_balance") == "110.00"


PLACES = ", ".join(
    f"balance_infos.0.{name}"
    for name in ("total_balance", "granted_balance", "topped_up_balance")
)


@pytest.mark.parametrize(
    ("wrong", "field", "error", "usable"),
    [
        ({"balance_path": ""}, "balance_path", "path_needed", PLACES),
        ({"balance_path": "balance_infos.7"}, "balance_path", "not_in_answer", PLACES),
        ({"used_path": "is_available"}, "used_path", "not_in_answer", PLACES),
        (
            {"currency_path": "is_available"},
            "currency_path",
            "not_in_answer",
            "balance_infos.0.currency",
        ),
        ({"url": "/nothing"}, "base", "service_unexpected_answer", ""),
        ({"key_name": "X-API-Key"}, "base", "service_bad_key", ""),
    ],
)
async def test_other_service_says_what_to_correct(
    hass: HomeAssistant,
    simulator: Simulator,
    wrong: dict[str, str],
    field: str,
    error: str,
    usable: str,
) -> None:
    """A mistake is told beside its field, with the paths that would do."""
    provider = simulator[DeepSeek]
    result = await choose_other(hass)
    fields = entered_other(provider, **wrong)
    if "url" in wrong:
        fields["url"] = f"{provider.url}{wrong['url']}"
    result = await enter(hass, result, fields)
    assert result["errors"] == {field: error}
    assert result["description_placeholders"]["usable"] == usable
    assert result["description_placeholders"]["provider"] == "127.0.0.1"


async def test_other_service_that_cannot_be_reached(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """What is the same for every provider is told as for every provider."""
    provider = simulator[DeepSeek]
    provider.fail(Reset())
    result = await choose_other(hass)
    result = await enter(hass, result, entered_other(provider))
    assert result["errors"] == {"base": "unreachable"}


@pytest.mark.parametrize(
    "url",
    ["http://api.example.com/x", "https://me:secret@api.example.com", "x", "https://["],
)
async def test_other_service_at_an_unsafe_address(
    hass: HomeAssistant, simulator: Simulator, url: str
) -> None:
    """No key is sent to an address that is not safe."""
    provider = simulator[DeepSeek]
    result = await choose_other(hass)
    result = await enter(hass, result, entered_other(provider, url=url))
    assert result["errors"] == {"url": "unsafe_url"}

    result = await enter(hass, result, entered_other(provider))
    result = await enter(hass, result, {"next_step_id": "save"})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_other_service_sends_no_stored_key_elsewhere(
    hass: HomeAssistant, simulator: Simulator, other: Simulator
) -> None:
    """A stored key does not go to another host, though the address is a field."""
    provider, elsewhere = simulator[DeepSeek], other[DeepSeek]
    result = await enter(hass, await choose_other(hass), entered_other(provider))
    result = await enter(hass, result, {"next_step_id": "save"})
    entry = result["result"]
    result = await start(hass, entry, SOURCE_RECONFIGURE)
    moved = entered_other(elsewhere)
    key = moved.pop("api_key")
    result = await enter(hass, result, moved)
    assert result["errors"] == {"base": "key_needed"}
    assert not elsewhere.requests

    result = await enter(hass, result, {**moved, "api_key": key})
    result = await enter(hass, result, {"next_step_id": "save"})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["url"] == moved["url"]


async def test_other_service_keeps_the_key(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A key left empty stays as it is while the host stays."""
    provider = simulator[DeepSeek]
    result = await enter(hass, await choose_other(hass), entered_other(provider))
    result = await enter(hass, result, {"next_step_id": "save"})
    entry = result["result"]
    result = await start(hass, entry, SOURCE_RECONFIGURE)
    moved = entered_other(provider, url=f"{provider.url}{OTHER['url']}?x=1")
    key = moved.pop("api_key")
    result = await enter(hass, result, moved)
    result = await enter(hass, result, {"next_step_id": "save"})
    assert result["reason"] == "reconfigure_successful"
    assert entry.data["api_key"] == key


async def test_thresholds(hass: HomeAssistant, simulator: Simulator) -> None:
    """The flow shows what it read, and asks what to call low."""
    provider = simulator[Deepgram]
    garage = provider.add_project("Garage")
    provider.add_balance(garage, Decimal("3.07"))
    provider.add_balance(garage, Decimal(0), "hour")
    result = await choose(hass, provider)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], entered(provider)
    )
    assert result["type"] is FlowResultType.FORM
    assert result["step_id"] == "thresholds"
    assert result["description_placeholders"] == {
        "provider": "Deepgram",
        "wallets": "- Home (USD): 104.56822227 USD\n"
        "- Garage (hours): 0 hours\n"
        "- Garage (USD): 3.07 USD",
    }
    assert suggestions_of(result) == {
        "Home (USD)": {"suggested_value": 10.0},
        "Garage (hours)": {"suggested_value": None},
        "Garage (USD)": {"suggested_value": 0.3},
    }
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"Garage (USD)": 1.5}
    )
    await hass.async_block_till_done()
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert state_of(hass, "number.deepgram_garage_low_balance_threshold") == "1.5"
    assert state_of(hass, "number.deepgram_home_low_balance_threshold") == "0.0"


async def test_threshold_of_debt(hass: HomeAssistant, simulator: Simulator) -> None:
    """How deep debt may get that is paid later is a negative amount."""
    provider = simulator[DigitalOcean]
    result = await choose(hass, provider)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], entered(provider)
    )
    (label,) = labels_of(result)
    result = await enter(hass, result, {label: -150})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert state_of(hass, "number.digitalocean_low_balance_threshold") == "-150.0"


async def test_no_threshold_without_a_wallet(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Where there is nothing to warn of, nothing is asked."""
    provider = simulator[Deepgram]
    provider.clear_balances(provider.projects[0])
    result = await choose(hass, provider)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], entered(provider)
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_wallets_that_look_alike(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """Wallets with the same name are told apart."""
    provider = simulator[Deepgram]
    for _ in range(2):
        provider.add_balance(provider.add_project("Twin"), Decimal(1))
    result = await choose(hass, provider)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], entered(provider)
    )
    labels = labels_of(result)
    assert len(labels) == 3
    assert all(label.startswith(("Home (USD)", "Twin (USD) ")) for label in labels)


async def test_reauth_keeps_the_thresholds(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A new key changes no threshold."""
    provider = simulator[Telnyx]
    result = await choose(hass, provider)
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], entered(provider)
    )
    result = await enter(hass, result, {"Telnyx (USD)": 25})
    entry = result["result"]
    provider.credentials = provider.new_key("new")
    result = await start(hass, entry, SOURCE_REAUTH)
    result = await enter(hass, result, entered(provider))
    assert result["reason"] == "reauth_successful"
    assert state_of(hass, "number.telnyx_low_balance_threshold") == "25.0"


async def test_account_of_a_project_that_was_known(
    hass: HomeAssistant, simulator: Simulator, other: Simulator
) -> None:
    """Adding an account never replaces another, whatever projects that once had."""
    deepgram = simulator[Deepgram]
    ours, (same,) = deepgram.projects[0], other[Deepgram].projects
    theirs = other[Deepgram].add_project("Garage")
    other[Deepgram].remove_project(same)
    # As 0.1.0 made it, before the key was exchanged for one that sees other projects.
    first = MockConfigEntry(
        domain=DOMAIN,
        title="Deepgram",
        unique_id=f"deepgram_{theirs}",
        data={
            "provider": "deepgram",
            "account_ids": [ours],
            "base_url": deepgram.url,
            **deepgram.credentials,
        },
    )
    first.add_to_hass(hass)
    await hass.config_entries.async_setup(first.entry_id)
    second = await add(hass, other[Deepgram])
    assert hass.config_entries.async_entries(DOMAIN) == [first, second]


async def test_ids_of_an_account_follow_its_projects(
    hass: HomeAssistant, simulator: Simulator, freezer: FrozenDateTimeFactory
) -> None:
    """After a project was replaced, a key of the same account is the same account."""
    deepgram = simulator[Deepgram]
    entry = await add(hass, deepgram)
    (before,) = deepgram.projects
    after = deepgram.add_project("Garage")
    deepgram.remove_project(before)
    freezer.tick(timedelta(days=1, minutes=30))
    async_fire_time_changed(hass)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert entry.data["account_ids"] == [after]
    result = await enter(hass, await choose(hass, deepgram), entered(deepgram))
    assert result["reason"] == "already_configured"


async def test_suggestion_for_a_rich_account(
    hass: HomeAssistant, simulator: Simulator
) -> None:
    """A suggested threshold is one that the form accepts."""
    telnyx = simulator[Telnyx]
    telnyx.set_balance(Decimal("1e12"))
    result = await hass.config_entries.flow.async_configure(
        (await choose(hass, telnyx))["flow_id"], entered(telnyx)
    )
    ((field, shown),) = suggestions_of(result).items()
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {field: shown["suggested_value"]}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY

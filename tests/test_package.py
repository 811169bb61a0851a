"""What has to hold for the package as a whole: its files, its texts and its walls.

Home Assistant's own checker, hassfest, is on no package index. These are its rules as
far as they apply, those of HACS, and those of the design.
"""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
import json
from pathlib import Path
import re
from typing import Any

from awesomeversion import AwesomeVersion, AwesomeVersionStrategy
from PIL import Image
import pytest
import yaml

from custom_components import api_balance
from custom_components.api_balance import issues
from custom_components.api_balance.const import DOMAIN
from custom_components.api_balance.model import Problem
from custom_components.api_balance.providers.catalog import load_all
import homeassistant.components
from homeassistant.config_entries import SOURCE_USER, ConfigFlowResult
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import section
from homeassistant.helpers.entity import EntityDescription

PACKAGE = api_balance.__name__
FOLDER = Path(api_balance.__path__[0])
ROOT = FOLDER.parent.parent
CORE = Path(homeassistant.components.__path__[0])

MANIFEST: dict[str, Any] = json.loads((FOLDER / "manifest.json").read_text())
HACS: dict[str, Any] = json.loads((ROOT / "hacs.json").read_text())
ICONS: dict[str, Any] = json.loads((FOLDER / "icons.json").read_text())
README = (ROOT / "README.md").read_text()
QUALITY_RULES: dict[str, Any] = yaml.safe_load(
    (FOLDER / "quality_scale.yaml").read_text()
)["rules"]


# Manifest


def test_manifest_keys() -> None:
    """The keys are known, complete, and in the order Home Assistant wants."""
    keys = list(MANIFEST)
    assert keys == ["domain", "name", *sorted(keys[2:])]
    assert set(keys) == {
        "domain",
        "name",
        "after_dependencies",
        "codeowners",
        "config_flow",
        "documentation",
        "integration_type",
        "iot_class",
        "issue_tracker",
        "quality_scale",
        "requirements",
        "version",
    }


def test_manifest_values() -> None:
    """The values are of the kinds that Home Assistant and HACS accept."""
    assert MANIFEST["domain"] == FOLDER.name == DOMAIN
    assert MANIFEST["integration_type"] == "service"
    assert MANIFEST["iot_class"] == "cloud_polling"
    assert MANIFEST["config_flow"] is True
    assert MANIFEST["documentation"].startswith("https://")
    assert MANIFEST["issue_tracker"] == f"{MANIFEST['documentation']}/issues"
    assert AwesomeVersion(
        MANIFEST["version"], ensure_strategy=AwesomeVersionStrategy.SEMVER
    )


def test_requirements_are_pinned() -> None:
    """What is installed beside Home Assistant is an exact version."""
    loose = [item for item in MANIFEST["requirements"] if "==" not in item]
    assert loose == []


def test_domain_is_free() -> None:
    """No integration of Home Assistant itself is overridden."""
    assert find_spec(f"{homeassistant.components.__name__}.{DOMAIN}") is None


def test_code_owners() -> None:
    """The manifest and the repository name the same owners."""
    line = (ROOT / ".github/CODEOWNERS").read_text().strip()
    assert line == " ".join(["*", *MANIFEST["codeowners"]])


# HACS, releases and the oldest Home Assistant


def test_hacs_keys() -> None:
    """Only what HACS knows stands in its file, and its archive is ours."""
    assert set(HACS) == {
        "name",
        "filename",
        "hide_default_branch",
        "homeassistant",
        "zip_release",
    }
    assert HACS["name"] == MANIFEST["name"]
    assert HACS["filename"] == f"{DOMAIN}.zip"
    assert HACS["filename"] in (ROOT / ".github/workflows/release.yml").read_text()


def test_floor_is_told_alike() -> None:
    """Every place names the same oldest Home Assistant."""
    floor = HACS["homeassistant"]
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
    assert workflow["jobs"]["floor"]["env"]["HOME_ASSISTANT_FLOOR"] == floor
    assert re.findall(r"Home Assistant ([\d.]+) or newer", README) == [floor]
    scripts = (ROOT / "scripts/common.sh").read_text()
    (tested,) = re.findall(r"FLOOR_VERSION=([\d.]+)", scripts)
    assert tested.rpartition(".")[0] == floor.rpartition(".")[0]


# Quality scale


def test_quality_scale_rules() -> None:
    """Every rule is there, as in an integration of Home Assistant itself."""
    model = yaml.safe_load((CORE / "trmnl/quality_scale.yaml").read_text())
    assert set(QUALITY_RULES) == set(model["rules"])
    assert len(QUALITY_RULES) == 54


@pytest.mark.parametrize("rule", QUALITY_RULES)
def test_quality_scale_status(rule: str) -> None:
    """A rule is kept, or it says why it does not apply: the manifest promises it."""
    status = QUALITY_RULES[rule]
    assert status == "done" or (
        set(status) == {"status", "comment"}
        and status["status"] == "exempt"
        and status["comment"]
    )


def test_supported_providers() -> None:
    """The README names every provider, and nothing else as one."""
    table = README.partition("\n## Supported providers\n")[2].partition("\n## ")[0]
    _, _, *rows, other = re.findall(r"^\| .* \| (.*) \|$", table, re.MULTILINE)
    assert other.startswith("[Other service]")
    named = {name for row in rows for name in row.split(", ")}
    providers = {provider.name for provider in load_all() if not provider.is_previewed}
    missing = sorted(providers - named)
    assert named == providers, f"add to Supported providers in README.md: {missing}"


@pytest.mark.parametrize(
    ("rule", "heading"),
    [
        ("docs-data-update", "Data updates"),
        ("docs-examples", "Examples"),
        ("docs-high-level-description", "What it is for"),
        ("docs-installation-instructions", "Installation"),
        ("docs-installation-parameters", "Add an account"),
        ("docs-known-limitations", "Known limitations"),
        ("docs-removal-instructions", "Removal"),
        ("docs-supported-devices", "Supported providers"),
        ("docs-supported-functions", "Entities"),
        ("docs-troubleshooting", "Troubleshooting"),
        ("docs-use-cases", "Use cases"),
    ],
)
def test_readme_keeps_the_rules(rule: str, heading: str) -> None:
    """The README has the section that a rule on documentation asks for."""
    assert QUALITY_RULES[rule] == "done"
    assert re.search(rf"^##+ {heading}$", README, re.MULTILINE)


# Brand


@pytest.mark.parametrize("theme", ["", "dark_"])
@pytest.mark.parametrize(("suffix", "size"), [("", 256), ("@2x", 512)])
def test_brand_images(theme: str, suffix: str, size: int) -> None:
    """The icon is of the size asked for, transparent, and fills its frame."""
    with Image.open(FOLDER / f"brand/{theme}icon{suffix}.png") as image:
        assert image.format == "PNG"
        assert image.size == (size, size)
        assert image.mode == "RGBA"
        opacity = image.getchannel("A")
        assert opacity.getextrema() == (0, 255)
        assert opacity.getbbox() == (0, 0, size, size)


# Texts


def _flatten(tree: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text with its path."""
    for key, value in tree.items():
        match value:
            case dict():
                yield from _flatten(value, f"{path}{key}.")
            case _:
                yield f"{path}{key}", value


TEXTS: dict[str, dict[str, str]] = {
    file.stem: dict(_flatten(json.loads(file.read_text())))
    for file in sorted((FOLDER / "translations").glob("*.json"))
}
ENGLISH = TEXTS["en"]


def _placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def _keys_below(path: str) -> set[str]:
    """Return the keys of the texts directly and further below a path."""
    return {
        key.removeprefix(f"{path}.").partition(".")[0]
        for key in ENGLISH
        if key.startswith(f"{path}.")
    }


@pytest.mark.parametrize("language", TEXTS)
def test_languages_agree(language: str) -> None:
    """Every language has the same texts with the same placeholders."""
    assert {key: _placeholders(text) for key, text in TEXTS[language].items()} == {
        key: _placeholders(text) for key, text in ENGLISH.items()
    }


@pytest.mark.parametrize("language", TEXTS)
@pytest.mark.parametrize(
    "pattern",
    [
        pytest.param(r"://|www\.", id="address"),
        pytest.param(r"<[a-zA-Z/!]", id="HTML"),
        pytest.param(r"^\s|\s$|^$", id="blank edge"),
        pytest.param(r"'\{\w+\}'", id="quoted placeholder"),
        pytest.param(r"\[%key:", id="reference"),
    ],
)
def test_texts_are_clean(language: str, pattern: str) -> None:
    """No text holds what Home Assistant refuses or cannot resolve."""
    assert [
        key for key, text in TEXTS[language].items() if re.search(pattern, text)
    ] == []


def test_text_keys() -> None:
    """Keys are of the letters that Home Assistant accepts."""
    assert [key for key in ENGLISH if not re.fullmatch(r"[a-z0-9_.-]+", key)] == []


@pytest.mark.parametrize("problem", Problem)
@pytest.mark.parametrize(
    "path",
    [
        "config.error.{}",
        "exceptions.{}.message",
        "entity.sensor.update_status.state.{}",
    ],
)
def test_problems_have_texts(problem: Problem, path: str) -> None:
    """Whatever hinders a poll is told in the flow, the log and the status."""
    assert path.format(problem) in ENGLISH


@pytest.mark.parametrize("problem", issues.ISSUES)
def test_issues_have_texts(problem: Problem) -> None:
    """A repair issue has a title and says what to do."""
    assert _keys_below(f"issues.{problem}") == {"title", "description"}


# The flow


# test_every_provider.py looks at the forms of the others.
@pytest.fixture(params=["telnyx", "other"])
async def forms(
    request: pytest.FixtureRequest,
    hass: HomeAssistant,
    enable_custom_integrations: None,
) -> list[ConfigFlowResult]:
    """Return the forms that a person fills in to add an account."""
    flow = hass.config_entries.flow
    choice = await flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    credentials = await flow.async_configure(
        choice["flow_id"], {"provider": request.param}
    )
    return [choice, credentials]


def _fields(form: ConfigFlowResult) -> Iterator[tuple[str, set[str]]]:
    """Yield the fields of a form and of its sections, with the path of their texts."""
    path = f"config.step.{form['step_id']}"
    schema = form["data_schema"]
    assert schema is not None
    sections = {
        str(name): value.schema.schema
        for name, value in schema.schema.items()
        if isinstance(value, section)
    }
    yield path, {str(name) for name in schema.schema} - set(sections)
    for name, fields in sections.items():
        yield f"{path}.sections.{name}", {str(field) for field in fields}


def test_fields_are_explained(forms: list[ConfigFlowResult]) -> None:
    """Every field has a name and a description."""
    for form in forms:
        for path, fields in _fields(form):
            assert fields
            assert fields <= _keys_below(f"{path}.data")
            assert fields <= _keys_below(f"{path}.data_description")


def test_sections_are_named(forms: list[ConfigFlowResult]) -> None:
    """Every section of a form has a name."""
    paths = {
        path for form in forms for path, _ in _fields(form) if ".sections." in path
    }
    assert {f"{path}.name" for path in paths} <= set(ENGLISH)


def test_fields_are_not_for_people_to_decide(forms: list[ConfigFlowResult]) -> None:
    """Nobody is asked for a name or an interval: Home Assistant has its own ways."""
    asked = {field for form in forms for _, fields in _fields(form) for field in fields}
    assert not asked & {"name", "scan_interval", "update_interval"}


def test_forms_fill_their_texts(forms: list[ConfigFlowResult]) -> None:
    """A form gives every placeholder of its own texts, and the last one of errors."""
    wanted = {
        name
        for key, text in ENGLISH.items()
        for name in _placeholders(text)
        if key.startswith(("config.step.credentials.", "config.error."))
    }
    assert wanted <= set(forms[-1]["description_placeholders"] or ())
    assert not any(
        _placeholders(text)
        for key, text in ENGLISH.items()
        if key.startswith("config.step.user.")
    )


# Entities


def _descriptions(platform: str) -> Iterator[EntityDescription]:
    """Yield what describes the entities of a platform: its tuples and mappings."""
    modules = [f"{PACKAGE}.{platform}", f"{PACKAGE}.total_{platform}"]
    for value in chain.from_iterable(
        vars(import_module(name)).values() for name in modules if find_spec(name)
    ):
        match value:
            case tuple():
                found = list(value)
            case dict():
                found = list(value.values())
            case _:
                continue
        # Some descriptions are of a class that Home Assistant makes, not of its base.
        yield from (item for item in found if hasattr(item, "translation_key"))


DESCRIPTIONS = [
    pytest.param(platform, description, id=f"{platform}-{description.translation_key}")
    for platform in api_balance.PLATFORMS
    for description in _descriptions(platform)
]


def _options(description: EntityDescription) -> set[str]:
    """Return the states that an entity can have, where they are known."""
    return set(getattr(description, "options", None) or ())


@pytest.mark.parametrize(("platform", "description"), DESCRIPTIONS)
def test_entities_have_texts(platform: str, description: EntityDescription) -> None:
    """An entity has a name, and its states as well where they are known."""
    path = f"entity.{platform}.{description.translation_key}"
    assert f"{path}.name" in ENGLISH
    assert _keys_below(f"{path}.state") == _options(description)


@pytest.mark.parametrize(("platform", "description"), DESCRIPTIONS)
def test_entities_have_icons(platform: str, description: EntityDescription) -> None:
    """An entity has an icon of its own or of its device class."""
    icons = ICONS["entity"].get(platform, {}).get(description.translation_key, {})
    assert "default" in icons or description.device_class not in {None, "enum"}
    assert set(icons.get("state", ())) <= _options(description)


@pytest.mark.parametrize("platform", api_balance.PLATFORMS)
def test_no_entity_texts_and_icons_are_left_over(platform: str) -> None:
    """What no entity uses is not kept. Units have texts, too."""
    used = {description.translation_key for description in _descriptions(platform)}
    assert used
    texts = {key for key in _keys_below(f"entity.{platform}") if key[:5] != "unit_"}
    assert texts == used
    assert set(ICONS["entity"].get(platform, ())) <= used


def test_icons_are_there() -> None:
    """Every icon is one that the frontend has."""
    folder = Path(str(find_spec("hass_frontend").origin)).parent  # type: ignore[union-attr]
    there = {
        f"mdi:{icon['name']}"
        for icon in json.loads((folder / "static/mdi/iconList.json").read_text())
    }
    icons = dict(_flatten(ICONS))
    assert icons
    assert {path: icon for path, icon in icons.items() if icon not in there} == {}


# Code

MODULES = {
    ".".join(file.relative_to(FOLDER).with_suffix("").parts): file
    for file in sorted(FOLDER.rglob("*.py"))
}


@cache
def _code(module: str) -> ast.Module:
    """Return the code of a module."""
    return ast.parse(MODULES[module].read_text())


def _source(module: str, node: ast.ImportFrom) -> str:
    """Return the full name of what a module imports from."""
    if not node.level:
        return str(node.module)
    package = f"{PACKAGE}.{module}".split(".")[: -node.level]
    return ".".join([*package, node.module] if node.module else package)


@cache
def _imports(module: str) -> frozenset[str]:
    """Return the full names of everything that a module imports, wherever it does."""
    names: set[str] = set()
    for node in ast.walk(_code(module)):
        match node:
            case ast.Import():
                names.update(alias.name for alias in node.names)
            case ast.ImportFrom():
                source = _source(module, node)
                names.add(source)
                names.update(f"{source}.{alias.name}" for alias in node.names)
            case _:
                pass
    return frozenset(names)


def _imported(module: str, *packages: str) -> set[str]:
    """Return what a module imports of some packages."""
    prefixes = tuple(f"{package}." for package in packages)
    return {name for name in _imports(module) if f"{name}.".startswith(prefixes)}


def _top(module: str) -> str:
    """Return the module or the folder right below the package."""
    return module.partition(".")[0]


# From the ground up: a module knows only what is below it, or beside it in its folder.
LAYERS = [
    {"model"},
    {"insight", "providers"},
    {"const"},
    {"accounts", "connection", "migration"},
    {"forms", "issues", "store"},
    {"follow", "reader"},
    {"coordinator"},
    {"entity", "reports", "total"},
    {"answers", "remind", "total_flow", "total_sensor"},
]


def _layer(top: str) -> int:
    """Return how high a module stands; platforms and flows stand on all layers."""
    found = [height for height, layer in enumerate(LAYERS) if top in layer]
    return next(iter(found), len(LAYERS) + (top == "__init__"))


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downward(module: str) -> None:
    """No module knows another of its own height or above."""
    own = _top(module)
    known = {
        _top(name.removeprefix(f"{PACKAGE}."))
        for name in _imported(module, PACKAGE)
        if name != PACKAGE
    }
    assert {top for top in known - {own} if _layer(top) >= _layer(own)} == set()


@pytest.mark.parametrize(
    "module", [name for name in MODULES if _top(name) in LAYERS[0] | LAYERS[1]]
)
def test_facts_know_nothing_of_home_assistant(module: str) -> None:
    """Facts, conclusions and providers could be a library of their own."""
    assert not _imported(module, "homeassistant")


@pytest.mark.parametrize(
    "module", [name for name in MODULES if _top(name) == "insight"]
)
def test_conclusions_know_nothing_of_the_network(module: str) -> None:
    """Conclusions come from facts and time alone."""
    assert not _imported(
        module,
        "aiohttp",
        "asyncio",
        "http",
        "httpx",
        "requests",
        "socket",
        "ssl",
        "urllib",
        "yarl",
    )


def test_one_way_to_the_network() -> None:
    """Only one module touches the HTTP client."""
    assert [name for name in MODULES if _imported(name, "aiohttp")] == [
        "providers.http"
    ]


def test_providers_are_known_to_nobody() -> None:
    """No module names a provider: the catalog imports it by its id."""
    providers = [provider.__module__ for provider in load_all()]
    assert [name for name in MODULES if _imported(name, *providers)] == []


@pytest.mark.parametrize("module", MODULES)
def test_imports_are_relative(module: str) -> None:
    """The package does not name its folder: it could lie anywhere."""
    assert "custom_components" not in MODULES[module].read_text()


def _assigned(module: str) -> dict[str, ast.expr]:
    """Return the constants of a module."""
    return {
        target.id: node.value
        for node in _code(module).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_platforms() -> None:
    """The list of platforms is sorted, and is that of the files."""
    files = sorted(set(MODULES) & set(Platform))
    assert files
    assert [str(platform) for platform in api_balance.PLATFORMS] == files


@pytest.mark.parametrize("platform", api_balance.PLATFORMS)
def test_platforms_limit_parallel_updates(platform: Platform) -> None:
    """Every platform says how many of its entities may be busy at a time."""
    assert "PARALLEL_UPDATES" in _assigned(platform)


def _literals(name: str) -> set[object]:
    """Return the literal values that a keyword argument is given anywhere."""
    return {
        node.value.value
        for module in MODULES
        for node in ast.walk(_code(module))
        if isinstance(node, ast.keyword)
        and node.arg == name
        and isinstance(node.value, ast.Constant)
    }


def test_translation_keys_exist() -> None:
    """Every translation key that stands in the code has a text."""
    known = {
        *_keys_below("exceptions"),
        *_keys_below("issues"),
        *_keys_below("selector"),
        *(key for platform in Platform for key in _keys_below(f"entity.{platform}")),
    }
    used = _literals("translation_key")
    assert used
    assert used <= known


def test_steps_and_reasons_exist() -> None:
    """Every step and every reason to abort that stands in the code has a text."""
    steps = _literals("step_id")
    reasons = _literals("reason")
    assert steps
    assert reasons
    assert steps <= _keys_below("config.step")
    assert reasons <= _keys_below("config.abort")


def test_only_common_components_are_used() -> None:
    """Nothing is imported that the manifest would have to name, and does not."""
    prefix = f"{homeassistant.components.__name__}."
    used = {
        name.removeprefix(prefix).partition(".")[0]
        for module in MODULES
        for name in _imports(module)
        if name.startswith(prefix)
    }
    assert used
    common = {*Platform, "diagnostics", "repairs", "system_health"}
    assert used <= common | set(MANIFEST["after_dependencies"])

"""Holds option settings of Elastic Beanstalk against a table: ``python -m deploy.beanstalk_options``.

Beanstalk takes an unknown namespace for somebody else's and says nothing, and cfn-lint knows no option. The table,
``beanstalk_options.json``, is from AWS's documentation; each namespace names its page and the day on which it was read.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "deploy" / "beanstalk_options.json"
TEMPLATE = ROOT / "deploy" / "infrastructure.yaml"
DURATION = re.compile(r"PT(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass(frozen=True)
class Setting:
    """One option as a file sets it. ``value`` is None where only CloudFormation knows it."""

    where: str
    namespace: str
    name: str
    value: str | None
    resource: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.namespace} {self.name}"


class FileError(Exception):
    """One sentence that names the file."""


# --- the table ---------------------------------------------------------------------------------------------


@cache
def table() -> dict[str, Any]:
    known: dict[str, Any] = json.loads(TABLE.read_text())
    return known


def _space(namespace: str) -> dict[str, Any] | None:
    """What is known of a namespace; some end in a name or a port of one's own."""
    spaces: dict[str, Any] = table()["namespaces"]
    found = spaces.get(namespace)
    if found is None:
        head, _, tail = namespace.rpartition(":")
        if re.fullmatch(r"\d{1,5}", tail):
            found = spaces.get(f"{head}:{{port}}")
        elif re.fullmatch(r"[A-Za-z0-9_-]+", tail):
            found = spaces.get(f"{head}:{{name}}")
    if found and "same_as" in found:
        found = spaces[found["same_as"]]
    return found


def problem(setting: Setting) -> str:
    """What is wrong with a setting, in one sentence; empty when nothing is."""
    space = _space(setting.namespace)
    if space is None:
        return f"{setting}: Beanstalk has no namespace {setting.namespace}."
    if "any" in space:
        if not re.fullmatch(space["names"], setting.name):
            return f"{setting}: the name does not fit {space['names']}."
        rule = space["any"]
    elif setting.name not in space["options"]:
        return f"{setting}: the namespace has no such option; it has {', '.join(space['options'])}."
    else:
        rule = space["options"][setting.name]
    if setting.value is None:
        return ""
    wrong = _wrong(setting.value, rule)
    return f"{setting} is {setting.value!r}; it must be {wrong}." if wrong else ""


def problems(settings: Iterable[Setting]) -> list[str]:
    return [found for setting in settings if (found := problem(setting))]


def _wrong(value: str, rule: Mapping[str, Any]) -> str:
    """What the value should be, if it is not."""
    return _CHECKS[rule["type"]](value, rule)


def _boolean(value: str, rule: Mapping[str, Any]) -> str:
    return "" if value in ("true", "false") else "true or false"


def _choice(value: str, rule: Mapping[str, Any]) -> str:
    return "" if value in rule["values"] else f"one of {', '.join(rule['values'])}"


def _number(value: str, rule: Mapping[str, Any]) -> str:
    whole = rule["type"] == "integer"
    kind = "a whole number" if whole else "a number"
    if not re.fullmatch(r"-?\d+" if whole else r"-?\d+(\.\d+)?", value):
        return kind
    return _within(float(value), rule, kind)


def _duration(value: str, rule: Mapping[str, Any]) -> str:
    found = DURATION.fullmatch(value)
    if found is None:
        return "a duration such as PT30M"
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return _within(hours * 3600 + minutes * 60 + seconds, rule, "a duration in seconds")


def _within(number: float, rule: Mapping[str, Any], kind: str) -> str:
    if rule["minimum"] <= number <= rule["maximum"]:
        return ""
    return f"{kind} between {rule['minimum']} and {rule['maximum']}"


def _text(value: str, rule: Mapping[str, Any]) -> str:
    pattern = rule.get("pattern", ".*")
    return "" if re.fullmatch(pattern, value, re.DOTALL) else f"a text that fits {pattern}"


def _list(value: str, rule: Mapping[str, Any]) -> str:
    parts = [part.strip() for part in value.split(",")]
    most = rule.get("most", len(parts))
    if len(parts) > most:
        return f"at most {most} values separated by commas"
    pattern = rule.get("pattern", ".+")
    return "" if all(re.fullmatch(pattern, part) for part in parts) else f"a list whose values fit {pattern}"


def _json(value: str, rule: Mapping[str, Any]) -> str:
    try:
        json.loads(value)
    except ValueError as error:
        return f"JSON ({error})"
    return ""


def _time(value: str, rule: Mapping[str, Any]) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return "a time such as 2027-01-31T22:00:00Z"
    return ""


_CHECKS = {
    "boolean": _boolean,
    "choice": _choice,
    "duration": _duration,
    "integer": _number,
    "json": _json,
    "list": _list,
    "number": _number,
    "text": _text,
    "time": _time,
}


# --- the files ---------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, and without a key twice, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _value in node.value]
        for name in names:
            if names.count(name) > 1:
                raise yaml.YAMLError(f"{name} stands twice from line {node.start_mark.line + 1} on")
        return super().construct_mapping(node, deep)


def _short(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short)


def read_yaml(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(), _Loader)  # noqa: S506 - a subclass of the safe one
    except (OSError, yaml.YAMLError) as error:
        raise FileError(f"{_name(path)} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise FileError(f"{_name(path)} is no mapping of sections.")
    return content


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def option_files(root: Path = ROOT) -> list[Path]:
    """The files of the bundle in the order in which Beanstalk reads them."""
    return sorted((root / ".ebextensions").glob("*.config"))


def of_bundle(root: Path = ROOT) -> list[Setting]:
    return [setting for path in option_files(root) for setting in of_config(path)]


def of_config(path: Path) -> Iterator[Setting]:
    """The option settings of a file of .ebextensions, in either of the two forms that it may have."""
    section = read_yaml(path).get("option_settings", {})
    if isinstance(section, list):
        for entry in section:
            space = entry.get("namespace", "aws:elasticbeanstalk:application:environment")
            yield Setting(_name(path), space, entry["option_name"], _value(entry["value"]))
        return
    for namespace, options in section.items():
        for name, value in options.items():
            yield Setting(_name(path), namespace, str(name), _value(value))


def of_list(path: Path) -> list[Setting]:
    """A file for ``--option-settings file://`` of the AWS command line."""
    try:
        entries = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise FileError(f"{_name(path)} cannot be read: {error}") from None
    return [_entry(entry, _name(path)) for entry in entries]


def of_role(role: str) -> list[Setting]:
    return of_list(ROOT / "deploy" / "options" / f"{role}.json")


def of_template(path: Path = TEMPLATE) -> dict[str, list[Setting]]:
    """The option settings of each Beanstalk environment of a CloudFormation template, by its logical name."""
    template = read_yaml(path)
    defaults = {name: known.get("Default") for name, known in template.get("Parameters", {}).items()}
    found = {}
    for logical, resource in template.get("Resources", {}).items():
        if resource.get("Type") in (
            "AWS::ElasticBeanstalk::Environment",
            "AWS::ElasticBeanstalk::ConfigurationTemplate",
        ):
            entries = _choices(resource["Properties"].get("OptionSettings", []))
            where = f"{_name(path)} {logical}"
            found[logical] = [_entry(entry, where, defaults) for entry in entries]
    return found


def _choices(entries: Any) -> Iterator[Mapping[str, Any]]:
    """Those that a condition may leave out count as well."""
    if isinstance(entries, list):
        for entry in entries:
            yield from _choices(entry)
    elif "Fn::If" in entries:
        yield from _choices(entries["Fn::If"][1:])
    elif "Namespace" in entries:
        yield entries


def _entry(entry: Mapping[str, Any], where: str, defaults: Mapping[str, Any] | None = None) -> Setting:
    value = entry.get("Value")
    if isinstance(value, dict):
        # Of a parameter its default can be told, of everything else only that it is there.
        value = (defaults or {}).get(value.get("Ref", ""))
    told = None if value is None or value == "" else _value(value)
    return Setting(where, entry["Namespace"], entry["OptionName"], told, entry.get("ResourceName", ""))


def _value(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def values(*sources: Iterable[Setting]) -> dict[tuple[str, str], str | None]:
    """What is in force when each source wins over those before it."""
    return {(one.namespace, one.name): one.value for source in sources for one in source}


def every_setting() -> Iterator[Setting]:
    yield from of_bundle()
    for path in sorted((ROOT / "deploy" / "options").glob("*.json")):
        yield from of_list(path)
    for settings in of_template().values():
        yield from settings


def main() -> int:
    try:
        found = problems(every_setting())
    except FileError as error:
        found = [str(error)]
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

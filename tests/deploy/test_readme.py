"""deploy/README.md: what it has people type is known to the shell, to the template and to the repository."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap
from collections.abc import Iterator

from tests.deploy.cloudformation import ROOT, Stack, load

TEXT = (ROOT / "deploy" / "README.md").read_text()


def blocks(language: str) -> Iterator[str]:
    for found in re.finditer(rf"^( *)```{language}\n(.*?)^\1```$", TEXT, re.MULTILINE | re.DOTALL):
        yield textwrap.dedent(found[2])


def test_the_shell_understands_every_command():
    commands = list(blocks("sh"))
    assert len(commands) > 12
    for block in commands:
        result = subprocess.run(["sh", "-n"], input=block, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{block}\n{result.stderr}"


def test_the_example_of_parameters_is_enough_for_the_template():
    (example,) = blocks("json")
    said = {one["ParameterKey"]: one["ParameterValue"] for one in json.loads(example)}
    needed = {name for name, parameter in load()["Parameters"].items() if "Default" not in parameter}
    assert needed <= set(said)
    assert Stack(**said).resources()


def test_the_command_that_makes_an_administrator_is_json():
    (document,) = (block for block in blocks("sh") if "promote.json" in block)
    told = json.loads(document.partition("<<'JSON'\n")[2].partition("\nJSON\n")[0])
    assert "is_superuser=True" in told["commands"][0]


def test_files_that_one_is_told_to_write_do_not_keep_a_bundle_from_being_built():
    """It is refused beside whatever git sees as a change."""
    written = set(re.findall(r"in a file `([\w.]+)`", TEXT)) | set(re.findall(r"cat > (\S+)", TEXT))
    assert len(written) == 2
    for name in written:
        assert subprocess.run(["git", "check-ignore", "--quiet", name], cwd=ROOT, check=False).returncode == 0


def test_the_bundle_that_is_registered_is_the_one_that_was_built():
    labels = re.findall(r'make bundle ARGS="--label (\S+)"', TEXT)
    assert labels
    for label in labels:
        assert re.search(rf"release\.sh (--register )?\$SITE {label} dist/convoscope-{label}\.zip ", TEXT)


def test_parameters_and_outputs_have_the_names_of_the_template():
    template = load()
    overrides = " ".join(re.findall(r"--parameter-overrides ((?:\w+=\S+ ?)+)", TEXT))
    assert set(re.findall(r"(\w+)=", overrides)) <= set(template["Parameters"])
    assert set(re.findall(r"OutputKey=='(\w+)'", TEXT)) <= set(template["Outputs"])


def test_every_file_and_heading_that_is_linked_to_is_there():
    for target in re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", TEXT):
        if target and not target.startswith("https://"):
            assert (ROOT / "deploy" / target).exists(), target
    manual = (ROOT / "docs" / "operations.md").read_text()
    for path, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", TEXT):
        text = manual if path else TEXT
        headings = {
            re.sub(r"[^\w -]", "", h.lower()).replace(" ", "-")
            for h in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        }
        assert anchor in headings, anchor

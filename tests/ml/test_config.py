"""What the environment and the folder of artifacts say."""

from __future__ import annotations

from pathlib import Path

import pytest

from ml import config
from ml.labels import CIFAR100, PEOPLE, display


def test_the_committed_artifacts_are_those_of_the_package(monkeypatch):
    monkeypatch.delenv("ML_ARTIFACTS_DIR", raising=False)
    assert config.artifacts_dir() == Path(config.__file__).parent / "artifacts"


def test_only_folders_with_a_card_and_a_proper_name_are_offered_in_order(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path))
    for name in ("zeta", "alpha-2", "no_card", ".hidden", "Upper", "9lives"):
        (tmp_path / name).mkdir()
        if name != "no_card":
            (tmp_path / name / "card.json").write_text("{}")
    (tmp_path / "file").write_text("")
    assert config.artifact_names() == ["alpha-2", "zeta"]


def test_without_a_folder_nothing_is_offered(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_ARTIFACTS_DIR", str(tmp_path / "none"))
    assert config.artifact_names() == []


def test_the_cache_is_where_the_environment_says_or_in_the_systems_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("ML_CACHE_DIR", str(tmp_path / "cache"))
    assert config.cache_dir() == tmp_path / "cache"
    monkeypatch.delenv("ML_CACHE_DIR")
    monkeypatch.setattr(config.tempfile, "tempdir", str(tmp_path))
    assert config.cache_dir().parent == tmp_path
    # Asking for it makes nothing.
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("value", "engine"), [(None, "openvino"), ("TensorFlow ", "tensorflow")])
def test_the_engine_comes_from_the_environment(monkeypatch, value, engine):
    monkeypatch.delenv("ML_ENGINE", raising=False)
    if value:
        monkeypatch.setenv("ML_ENGINE", value)
    assert config.engine_name() == engine


def test_an_unknown_engine_is_refused_with_the_ones_there_are(monkeypatch):
    monkeypatch.setenv("ML_ENGINE", "torch")
    with pytest.raises(ValueError, match="ML_ENGINE is 'torch'; it must be one of openvino, tensorflow"):
        config.engine_name()


@pytest.mark.parametrize(("value", "threads"), [("", None), (" ", None), ("1", 1), ("12", 12)])
def test_threads_come_from_the_environment(monkeypatch, value, threads):
    monkeypatch.setenv("ML_THREADS", value)
    assert config.thread_count() == threads


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "²"])
def test_threads_that_are_no_number_from_one_on_are_refused(monkeypatch, value):
    monkeypatch.setenv("ML_THREADS", value)
    with pytest.raises(ValueError, match="ML_THREADS is .*; it must be a whole number of at least 1"):
        config.thread_count()


def test_the_labels_are_cifar_100s_hundred_names_in_alphabetical_order():
    assert len(set(CIFAR100)) == 100
    assert list(CIFAR100) == sorted(CIFAR100)
    assert (CIFAR100[0], CIFAR100[53], CIFAR100[99]) == ("apple", "orange", "worm")
    assert set(CIFAR100) >= PEOPLE


def test_labels_are_shown_without_underscores():
    assert display("sweet_pepper") == "sweet pepper"


@pytest.fixture
def processor_flags(monkeypatch):
    """Sets what the processor says it can do; None for a system that does not say."""

    def set_flags(flags: str | None) -> None:
        info = {"model name": "Some Processor"} | ({} if flags is None else {"flags": flags})
        monkeypatch.setattr(config, "_cpuinfo", lambda: info)
        monkeypatch.setattr(config.os, "cpu_count", lambda: 2)

    return set_flags


@pytest.mark.parametrize(
    ("flags", "vnni", "named"),
    [
        ("fpu avx2 avx512f", False, "Some Processor, 2 cores, without VNNI"),
        ("fpu avx_vnni avx2", True, "Some Processor, 2 cores, AVX VNNI"),
        ("avx_vnni avx512_vnni", True, "Some Processor, 2 cores, AVX-512 VNNI"),
        ("avx512_vnni amx_int8", True, "Some Processor, 2 cores, AMX"),
        ("my_avx512_vnni_not", False, "Some Processor, 2 cores, without VNNI"),
        (None, None, "Some Processor, 2 cores"),
    ],
)
def test_the_processor_is_named_with_what_multiplies_int8(processor_flags, flags, vnni, named):
    processor_flags(flags)
    assert config.has_vnni() is vnni
    assert config.processor() == named


def test_a_processor_is_told_from_others_of_its_name(monkeypatch):
    info = {"model name": "Some Processor", "cpu family": "25", "model": "17"}
    monkeypatch.setattr(config, "_cpuinfo", lambda: info)
    assert config.processor().startswith("Some Processor (family 25, model 17), ")

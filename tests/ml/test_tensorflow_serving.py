"""The engine that asks TensorFlow Serving, against a small server on loopback that runs the SavedModels."""

from __future__ import annotations

import http.client
import json
import socket

import numpy as np
import pytest

from ml import artifact, config, saved_model, tensorflow_serving
from ml.artifact import ArtifactError
from ml.engines import EngineAwayError, EngineError
from ml.predictor import Predictor, load_predictor
from tests.ml import networks_for_tests
from tests.ml.test_imports import imported_after
from tests.services import free_port
from tests.serving import ServingServer, running_server


def load(name: str = "wideresnet") -> Predictor:
    return load_predictor(name, engine="tensorflow_serving")


def test_it_answers_as_the_exact_graph(serving, architecture, inputs):
    exact = load_predictor(architecture, engine="openvino", precision="float32")
    asked = load(architecture)
    np.testing.assert_allclose(asked.logits(inputs[:40]), exact.logits(inputs[:40]), atol=1e-4)
    assert (asked.engine.name, asked.engine.precision) == ("tensorflow_serving", "float32")


def test_features_come_too(serving, inputs):
    from ml.preprocessing import normalise

    asked, reference = load(), load_predictor("wideresnet", engine="tensorflow")
    pictures = normalise(inputs[:3], asked.card.preprocessing)
    ours, expected = asked.engine.run(pictures).features, reference.engine.run(pictures).features
    assert ours is not None
    np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_any_other_client_may_send_pixels_in_rows(serving, inputs):
    link = http.client.HTTPConnection("127.0.0.1", serving.server_address[1], timeout=30)
    link.request("POST", "/v1/models/vgg:predict", json.dumps({"instances": inputs[:2].tolist()}))
    rows = json.loads(link.getresponse().read())["predictions"]
    link.close()
    expected = load_predictor("vgg", engine="openvino", precision="float32").logits(inputs[:2])
    np.testing.assert_allclose([row["logits"] for row in rows], expected, atol=1e-4)


def test_one_connection_is_kept_and_opened_again_when_the_server_closed_it(serving, inputs):
    asked = load()
    before = serving.connections
    expected = asked.logits(inputs[:3])
    asked.logits(inputs[:70])
    assert serving.connections == before
    serving.drop_connections()
    assert np.array_equal(asked.logits(inputs[:3]), expected)
    assert serving.connections == before + 1


def test_the_process_needs_no_tensorflow(serving, random_artifacts):
    code = (
        "import numpy, ml.predictor as p; "
        "p.load_predictor('vgg').predict_arrays(numpy.zeros((1, 32, 32, 3), 'uint8'))"
    )
    names = imported_after(
        code,
        ML_ARTIFACTS_DIR=str(random_artifacts),
        ML_ENGINE="tensorflow_serving",
        ML_SERVING_URL=serving.url,
    )
    assert len(serving.asked) == 1
    assert not names & {"tensorflow", "keras", "openvino", "django"}


@pytest.mark.parametrize(
    "value", ["", "serving:8501", "ftp://host", "http://", "http://me:secret@host", "http://h:x"]
)
def test_an_address_that_is_none_is_refused_without_repeating_it(random_folder, monkeypatch, value):
    monkeypatch.setenv("ML_SERVING_URL", value)
    with pytest.raises(ValueError, match="^ML_SERVING_URL must be the address") as caught:
        load()
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["http://127.0.0.1:8501", " https://host/proxied/ "])
def test_a_good_address_is_taken(monkeypatch, value):
    monkeypatch.setenv("ML_SERVING_URL", value)
    assert config.serving_url() == value.strip().rstrip("/")


# --- servers that cannot answer ----------------------------------------------------------------------------


def test_where_nobody_listens_the_sentence_names_the_address(random_folder, monkeypatch):
    port = free_port()
    monkeypatch.setenv("ML_SERVING_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(
        EngineAwayError, match=rf"^TensorFlow Serving at 127\.0\.0\.1:{port} does not answer \(Conn"
    ):
        load()


def test_a_server_that_never_answers_is_given_up_in_time(random_folder, monkeypatch):
    monkeypatch.setattr(tensorflow_serving, "STATUS_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(EngineAwayError, match=r"does not answer \(TimeoutError\)"):
            tensorflow_serving.check(artifact.load_card("vgg"), address)


def test_a_server_that_goes_away_between_two_questions_is_missed(
    saved_models, random_folder, monkeypatch, inputs
):
    with running_server(saved_models) as server:
        monkeypatch.setenv("ML_SERVING_URL", server.url)
        asked = load()
        expected = asked.logits(inputs[:2])
        port = server.server_address[1]
    with pytest.raises(EngineAwayError, match="does not answer"):
        asked.logits(inputs[:2])
    with running_server(saved_models, port=port):
        assert np.array_equal(asked.logits(inputs[:2]), expected)


def test_a_server_that_is_still_loading_is_away(serving):
    serving.state = "LOADING"
    with pytest.raises(EngineAwayError, match="has not loaded wideresnet yet"):
        load()


def test_a_network_that_is_not_offered_is_missing(serving, tmp_path):
    serving.folder = tmp_path
    with pytest.raises(ArtifactError, match=r"^TensorFlow Serving at \S+ offers no network wideresnet\.$"):
        load()


def test_something_else_at_the_address_is_told_apart(serving, monkeypatch):
    monkeypatch.setattr(serving, "versions", lambda name: {"no": "versions"})
    with pytest.raises(EngineAwayError, match="is not TensorFlow Serving"):
        load()


@pytest.mark.parametrize(
    ("status", "body", "error", "sentence"),
    [
        (503, b"busy", EngineAwayError, r"is not ready \(HTTP status 503\)"),
        (400, b'{"error": "Bad shape"}', EngineError, r"refused 2 pictures \(HTTP status 400\): Bad shape"),
        (500, b"<html>", EngineError, r"refused 2 pictures \(HTTP status 500\)"),
        (404, b'{"error": "Servable not found"}', EngineAwayError, "has moved wideresnet-test"),
        (200, b"no JSON", EngineError, "something else than logits"),
        (200, b'{"outputs": {"logits": [[1, 2], [3, 4]]}}', EngineError, "something else than logits"),
        (200, b'{"outputs": {"logits": [["a"], ["b"]]}}', EngineError, "something else than logits"),
        (200, b'{"outputs": [1]}', EngineError, "something else than logits"),
    ],
)
def test_every_other_answer_is_an_error_in_one_sentence(serving, inputs, status, body, error, sentence):
    asked = load()
    expected = asked.logits(inputs[:2])
    serving.broken = (status, body)
    with pytest.raises(error, match=sentence) as caught:
        asked.logits(inputs[:2])
    assert type(caught.value) is error
    serving.broken = None
    assert np.array_equal(asked.logits(inputs[:2]), expected)


# --- versions ----------------------------------------------------------------------------------------------


@pytest.fixture
def two_versions(tmp_path, monkeypatch, random_folder) -> ServingServer:
    """A server that holds the present network as number 1 and the next one as number 2."""
    out = tmp_path / "served"
    present = artifact.load_card("wideresnet")
    saved_model.export(present, out)
    following = networks_for_tests.write_artifact(tmp_path / "next", "wideresnet", version="wideresnet-next")
    saved_model.export(following, out)
    with running_server(out) as server:
        monkeypatch.setenv("ML_SERVING_URL", server.url)
        yield server


def test_a_server_with_another_version_is_refused(two_versions):
    with pytest.raises(ArtifactError, match="offers wideresnet in another version than wideresnet-test"):
        load("wideresnet")


def test_a_server_that_keeps_both_answers_each_worker_from_its_own(two_versions, inputs):
    two_versions.keep_all = True
    expected = load_predictor("wideresnet", engine="openvino").logits(inputs[:2])
    np.testing.assert_allclose(load("wideresnet").logits(inputs[:2]), expected, atol=1e-4)
    assert two_versions.asked[-1]["signature_name"] == "wideresnet-test"


def test_a_version_that_the_server_drops_is_not_answered_by_the_next(two_versions, inputs):
    two_versions.keep_all = True
    asked = load("wideresnet")
    two_versions.keep_all = False
    for _ in range(2):
        with pytest.raises(ArtifactError, match="in another version than wideresnet-test"):
            asked.logits(inputs[:2])
    two_versions.keep_all = True
    assert asked.logits(inputs[:2]).shape == (2, 100)

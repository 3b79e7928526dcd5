"""The engines behind one interface, on small random networks of both architectures."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from PIL import Image

from ml import config
from ml.labels import CIFAR100
from ml.predictor import Predictor, load_predictor, softmax
from tests.ml import engines


@pytest.fixture(params=config.ENGINES)
def predictor(request: pytest.FixtureRequest, random_folder) -> Predictor:
    if request.param == "tensorflow_serving":
        request.getfixturevalue("serving")
    return load_predictor("wideresnet", engine=request.param)


def test_openvino_and_tensorflow_agree_on_random_networks(random_folder, architecture, inputs):
    engines.assert_engines_agree(architecture, inputs)


def test_a_batch_of_32_equals_32_singles_bit_for_bit(random_folder, architecture, inputs):
    engines.assert_a_batch_equals_its_singles(load_predictor(architecture), inputs)


@pytest.mark.parametrize("count", [0, 1, 33, 70])
def test_every_number_of_pictures_gives_as_many_rows_in_their_order(predictor, inputs, count):
    rows = predictor.predict_arrays(inputs[:count])
    assert rows.shape == (count, 100)
    assert rows.dtype == np.float32
    for i in range(0, count, 16):
        np.testing.assert_allclose(rows[i], predictor.predict_arrays(inputs[i : i + 1])[0], atol=1e-6)


def test_probabilities_are_the_softmax_of_the_logits_by_the_cards_temperature(predictor, inputs):
    logits, rows = predictor.logits(inputs[:8]), predictor.predict_arrays(inputs[:8])
    assert predictor.card.temperature == 1.3
    exponentials = np.exp(logits.astype(np.float64) / 1.3)
    np.testing.assert_allclose(rows, exponentials / exponentials.sum(-1, keepdims=True), atol=1e-6)
    np.testing.assert_allclose(rows.sum(-1), 1, atol=1e-5)


def test_pictures_are_answered_with_indices_labels_and_falling_probabilities(predictor, inputs):
    pictures = [Image.fromarray(pixels) for pixels in inputs[:3]]
    answers = predictor.predict(pictures)
    rows = predictor.predict_arrays(inputs[:3])
    for answer, row in zip(answers, rows, strict=True):
        assert [index for index, _, _ in answer] == np.argsort(-row, kind="stable")[:5].tolist()
        assert [label for _, label, _ in answer] == [CIFAR100[index] for index, _, _ in answer]
        probabilities = [probability for _, _, probability in answer]
        assert probabilities == sorted(probabilities, reverse=True)
        assert probabilities == pytest.approx([float(row[index]) for index, _, _ in answer], abs=1e-6)


def test_as_many_answers_come_as_were_asked_for(predictor, inputs):
    picture = Image.fromarray(inputs[0])
    assert [len(predictor.predict([picture], top=top)[0]) for top in (1, 3, 100, 200)] == [1, 3, 100, 100]
    assert predictor.predict([]) == []


def test_ties_go_to_the_lower_index(predictor):
    row = np.zeros(100, np.float32)
    row[[7, 40, 90]] = 0.3
    assert [index for index, _, _ in predictor.top(row, 4)] == [7, 40, 90, 0]


def test_pictures_of_any_size_and_mode_are_answered(predictor):
    pictures = [Image.new("RGB", (1, 1)), Image.new("L", (500, 20)), Image.new("RGBA", (33, 900))]
    assert [len(answer) for answer in predictor.predict(pictures)] == [5, 5, 5]


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((2, 32, 32, 3), np.float32),
        np.zeros((32, 32, 3), np.uint8),
        np.zeros((2, 31, 32, 3), np.uint8),
        np.zeros((2, 3, 32, 32), np.uint8),
        np.zeros((0, 32, 32, 1), np.uint8),
    ],
    ids=["floats", "one picture", "another size", "channels first", "grey"],
)
def test_arrays_of_another_shape_or_type_are_refused(predictor, wrong):
    with pytest.raises(ValueError, match=r"wideresnet takes uint8 \(n, 32, 32, 3\), not"):
        predictor.predict_arrays(wrong)


def test_several_threads_may_ask_one_predictor(predictor, inputs):
    expected = predictor.predict_arrays(inputs[:8])
    wrong: list[int] = []

    def ask(i: int) -> None:
        answers = [predictor.predict_arrays(inputs[i : i + 1])[0] for _ in range(20)]
        wrong.extend(i for answer in answers if not np.array_equal(answer, expected[i]))

    askers = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert not wrong


def threads_of(predictor: Predictor) -> int:
    # What was compiled is the only place that knows how many threads will really run.
    return predictor.engine._compiled.get_property("INFERENCE_NUM_THREADS")


def test_threads_are_those_asked_for_or_the_environments(random_folder, monkeypatch, inputs):
    assert threads_of(load_predictor("wideresnet", threads=1)) == 1
    monkeypatch.setenv("ML_THREADS", "1")
    one = load_predictor("wideresnet")
    assert threads_of(one) == 1
    two = load_predictor("wideresnet", threads=2)
    assert threads_of(two) == 2
    np.testing.assert_allclose(one.logits(inputs[:4]), two.logits(inputs[:4]), atol=1e-5)


@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_threads_than_one_are_refused(random_folder, threads):
    with pytest.raises(ValueError, match=f"threads must be at least 1, not {threads}"):
        load_predictor("wideresnet", threads=threads)


def test_the_engine_is_the_environments_unless_it_is_named(random_folder, monkeypatch):
    monkeypatch.setenv("ML_ENGINE", "tensorflow")
    asked = load_predictor("wideresnet")
    assert (asked.engine.name, asked.engine.precision) == ("tensorflow", "float32")
    named = load_predictor("wideresnet", engine="openvino")
    assert (named.engine.name, named.engine.precision) == ("openvino", "float32")


def test_an_unknown_engine_or_precision_is_refused(random_folder, monkeypatch):
    with pytest.raises(ValueError, match="there is no engine 'torch'; there are openvino, tensorflow"):
        load_predictor("wideresnet", engine="torch")
    with pytest.raises(ValueError, match=r"precision must be one of .*, not 'bf16'"):
        load_predictor("wideresnet", engine="openvino", precision="bf16")
    for engine in ("tensorflow", "tensorflow_serving"):
        with pytest.raises(ValueError, match="TensorFlow engine computes in float32 only"):
            load_predictor("wideresnet", engine=engine, precision="int8")
    monkeypatch.setenv("ML_ENGINE", "onnx")
    with pytest.raises(ValueError, match="ML_ENGINE is 'onnx'"):
        load_predictor("wideresnet")


def test_the_committed_inputs_are_three_hundred_different_pictures(inputs):
    assert inputs.shape == (300, 32, 32, 3)
    assert inputs.dtype == np.uint8
    assert len({picture.tobytes() for picture in inputs}) == 300


def test_softmax_keeps_the_type_that_is_stored():
    assert softmax(np.zeros((2, 4), np.float32)).dtype == np.float32

"""The model card as the Hub reads it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml

from wganx.hub.bundle import make_bundle
from wganx.report.card import Shared, model_card
from wganx.report.front_matter import pipeline_tag
from wganx.report.reading import RunRecord

ModelCard = pytest.importorskip("huggingface_hub", reason="the extra hub").ModelCard


@pytest.fixture(scope="module")
def bundle(trained, tmp_path_factory):
    return make_bundle(
        trained, "anna/rings", tmp_path_factory.mktemp("card"), checkpoint="last", licence="mit", warn=print
    )


def test_the_hubs_own_reader_finds_its_metadata_and_every_number_with_its_protocol(bundle):
    card = ModelCard(model_card(bundle.record, bundle.shared))
    data = card.data
    assert (data.library_name, data.license, data.model_name) == ("wganx", "mit", "rings")
    assert data.tags == ["wganx", "gan", "wasserstein-gan", "points", "generate", "lipschitz-penalty"]
    assert data.pipeline_tag is None
    assert "datasets" not in data.to_dict()  # a null in its place is refused by the Hub
    rows = {row["value"]: row for row in bundle.record.evaluation["rows"]}
    assert {result.metric_name for result in data.eval_results} == rows.keys()
    found = next(result for result in data.eval_results if result.metric_name == "frechet_distance")
    assert found.metric_value == pytest.approx(rows["frechet_distance"]["generated"])
    assert (found.dataset_name, found.dataset_split) == ("ring", "heldout")
    args = found.metric_args
    assert {key: args[key] for key in ("step", "n", "repeats", "seed", "better")} == {
        "step": 4, "n": 50, "repeats": 2, "seed": 0, "better": "lower",
    }  # fmt: skip
    assert re.fullmatch(r"values@[0-9a-f]{16}", args["extractor"])
    assert args["floor"] == pytest.approx(rows["frechet_distance"]["floor"])
    assert set(args["baselines"]) == {"gaussian", "shuffled"}


def test_the_text_says_how_it_is_used_and_measured(bundle):
    card = model_card(bundle.record, bundle.shared)
    assert "![Samples that it drew, none of them chosen](samples/grid.png)" in card
    for line in ("wganx pull anna/rings", "wganx sample rings -n 16 --given 'label=mode 0' --out drawn"):
        assert f"\n{line}\n" in card
    assert '`wganx.load_generator("rings").draw(16)`' in card
    assert "- classes of label: mode 0, mode 1, mode 2" in card
    assert "- licence of the weights: mit" in card
    assert "At step 4, on 2 blocks of 50 samples, seed 0" in card
    row = next(line for line in card.splitlines() if line.startswith("| frechet\\_distance |"))
    assert re.search(r"\| lower \| .* \.\. .* \| gaussian .*, shuffled .* \| values@[0-9a-f]{16} \|$", row)


def test_what_works_on_files_says_so(bundle):
    shared = Shared("anna/voices", labels={"speaker": ("anna",)}, applies=True, files=("mine.py",))
    card = model_card(bundle.record, shared)
    assert "\nwganx sample voices --source FILE --given speaker=anna --out MADE\n" in card
    assert "load_generator" not in card
    assert "it needs mine.py, code that is not part of it" in card
    assert "licence of the weights: not stated; ask whoever hands them on" in card


@pytest.mark.parametrize(
    ("modality", "task", "config", "tag"),
    [
        ("image", "generate", {}, "unconditional-image-generation"),
        ("image", "generate", {"labels": True}, None),  # the Hub has no name for pictures of a chosen class
        ("image", "translate", {}, "image-to-image"),
        ("audio", "convert", {}, "audio-to-audio"),
        ("video", "upscale", {}, "video-to-video"),
        ("audio", "generate", {}, None),
        ("spectra", "generate", {}, None),
    ],
)
def test_what_the_hub_calls_the_task(tmp_path, modality, task, config, tag):
    run = RunRecord(tmp_path, facts={"modality": modality, "task": task}, config={"task": config})
    assert pipeline_tag(run) == tag
    assert ModelCard(model_card(run)).data.pipeline_tag == tag


def test_a_published_dataset_is_linked_and_ones_own_is_not(tmp_path):
    for offline, listed in ((False, ["mnist"]), (True, None), (None, None)):
        data = {"licence": "CC BY-SA 3.0"} | ({} if offline is None else {"offline": offline})
        run = RunRecord(tmp_path, facts={"data": data}, config={"dataset": {"name": "mnist"}})
        assert ModelCard(model_card(run)).data.datasets == listed


def test_no_text_of_a_stranger_ends_the_metadata_or_is_markup(tmp_path):
    bad = 'x"\n---\n# <b>: [y](z) {a: !!python/name:os.system} `c`\u202e\ud800'
    facts = dict.fromkeys(("wganx", "plugin", "scenario", "modality", "task", "status", "notice"), bad)
    row = {"metric": bad, "value": bad, "better": bad, "generated": 1.5, "floor": float("nan"), "extractor": bad}
    evaluation = {"rows": [row, {"value": "inf", "generated": float("inf")}], "extractors": {bad: bad}}
    config = {"dataset": {"name": bad}, "constraint": {"name": bad}}
    run = RunRecord(tmp_path, facts={**facts, "data": {"offline": False}}, config=config, evaluation=evaluation)
    shared = Shared("anna/rings", labels={bad: (bad,)}, files=(bad,))
    card = model_card(run, shared)
    assert card.count("\n---\n") == 1
    block, _, text = card.removeprefix("---\n").partition("\n---\n")
    assert len(yaml.safe_load(block)["model-index"][0]["results"][0]["metrics"]) == 1
    outside = re.sub(r"```bash\n.*?\n```", "", text, flags=re.DOTALL)
    assert "<b>" not in outside
    assert text.count("```") == 2
    card.encode("utf-8")


def test_numbers_of_another_step_are_not_this_generators(trained, tmp_path):
    bundle = make_bundle(trained, "anna/rings", tmp_path, checkpoint=2, licence=None, warn=print)
    card = model_card(bundle.record, bundle.shared)
    assert "model-index" not in card
    assert "Nothing yet: `wganx evaluate` measures it." in card
    assert "- steps: 2 of 4" in card


def test_what_is_said_to_who_trained_is_said_to_others_in_other_words(tmp_path):
    run = RunRecord(tmp_path, facts={"data": {"source": "your own files", "licence": "yours"}})
    assert "from your own files\n- licence of the data: yours\n" in model_card(run)
    shared = model_card(run, Shared("anna/rings"))
    assert "from files of whoever trained it\n- licence of the data: of whoever trained it\n" in shared


def test_a_run_without_a_picture_of_its_samples(bundle):
    card = model_card(bundle.record, replace(bundle.shared, samples=()))
    assert "![" not in card

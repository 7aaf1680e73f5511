"""Networks whose features are compared: what `own` learns and when it is refused, files, and Inception by weights."""

import math
import sys

import pytest
import torch
from torch import nn

from wganx import Batch, ExtractorContext, Game, SampleFormat
from wganx.data import ArrayItems
from wganx.errors import DataError, MissingExtra, PluginFailed, Unavailable, UsageError
from wganx.evaluation import Features
from wganx.evaluation.extractors import (
    STANDARD_EXTRACTORS,
    default_extractor,
    is_file,
    label_to_learn,
    network_of_file,
    weights_file,
)
from wganx.evaluation.extractors.inception import WEIGHTS, InceptionConfig, inception
from wganx.evaluation.extractors.own import OwnConfig, own
from wganx.evaluation.extractors.own_network import OwnNetwork
from wganx.evaluation.extractors.pretext import turns
from wganx.evaluation.extractors.values import values
from wganx.evaluation.features import digest

CPU = torch.device("cpu")
PICTURE = SampleFormat(axes=("channel", "height", "width"), shape=(1, 12, 12))
POINT = SampleFormat(axes=("coordinate",), shape=(3,), value_range=None)
FORMATS = {
    "point": (POINT, 0),
    "sound": (SampleFormat(axes=("channel", "time"), shape=(1, 2000), rate_hz=8000.0), 4),
    "series": (SampleFormat(axes=("time",), shape=(64,), rate_hz=10.0), 4),
    "spectrogram": (SampleFormat(axes=("band", "frame"), shape=(20, 30)), 4),
    "picture": (PICTURE, 4),
    "oblong": (SampleFormat(axes=("channel", "height", "width"), shape=(3, 40, 70)), 2),
    "film": (SampleFormat(axes=("time", "channel", "height", "width"), shape=(6, 3, 16, 16)), 8),
}


class Plain(Game):
    def __init__(self, format):
        self.sample = format

    def batch(self, items, rng, *, training):
        return Batch(items["sample"].float())

    def baselines(self):
        return {}


def context(format, samples, labels=None, keep=None):
    """Every fifth item is held out."""
    formats = {"sample": format}
    tensors = {"sample": samples}
    if labels is not None:
        formats["kind"] = SampleFormat.label(tuple(f"kind {i}" for i in range(int(labels.max()) + 1)))
        tensors["kind"] = labels
    heldout = torch.arange(len(samples)) % 5 == 0
    splits = {
        name: ArrayItems({key: tensor[rows] for key, tensor in tensors.items()}, formats)
        for name, rows in (("train", ~heldout), ("heldout", heldout))
    }
    return ExtractorContext(
        game=Plain(format), items=splits.__getitem__, keep=keep or (lambda learn: learn()), device=CPU
    )


def bars(n=400, noise=0.1):
    """Pictures of a bright wedge that grows to the right, at one of three heights: they can be sorted, and turned."""
    rng = torch.Generator().manual_seed(0)
    kind = torch.randint(3, (n,), generator=rng)
    x = noise * torch.randn(n, 1, 12, 12, generator=rng)
    for i, each in enumerate(kind.tolist()):
        x[i, 0, 4 * each : 4 * each + 2] += torch.linspace(0, 1, 12)
    return x, kind


@pytest.mark.parametrize(("format", "ways"), FORMATS.values(), ids=FORMATS)
def test_samples_of_every_rank_become_64_features(format, ways):
    network = OwnNetwork(format, 3).eval()
    x = torch.randn(5, *format.shape)
    assert network(x).shape == (5, 64)
    assert network.logits(x).shape == (5, 3)
    assert torch.allclose(network(x)[:2], network(x[:2]), atol=1e-5)
    name, found = turns(format)
    assert len(found) == ways
    assert bool(name) == bool(ways)
    shown = [way(x) for way in found]
    assert all(each.shape == x.shape for each in shown)
    assert all(not torch.equal(a, b) for i, a in enumerate(shown) for b in shown[:i])
    if shown:
        assert torch.equal(shown[0], x)


def test_points_are_compared_by_their_values_and_all_else_by_the_own_network():
    assert default_extractor(POINT) == "values"
    assert {default_extractor(format) for name, (format, _) in FORMATS.items() if name != "point"} == {"own"}


def test_values_are_centred_and_on_one_scale():
    x = torch.randn(500, 3, dtype=torch.float64) * torch.tensor([1.0, 2.0, 2.0]) + 5
    network = values(STANDARD_EXTRACTORS["values"].config(), context(POINT, x))
    kept = x[torch.arange(500) % 5 != 0]
    assert torch.allclose(network.mean.double(), kept.mean(dim=0), atol=1e-4)
    assert network.deviation.item() == pytest.approx(float(kept.var(dim=0, correction=0).mean()) ** 0.5, rel=1e-4)
    found = network(kept.float())
    assert found.var(dim=0).mean().item() == pytest.approx(1, abs=0.02)


@pytest.fixture(scope="module")
def sorter():
    """Own networks that learnt the kinds of bars, and how unsorted ones were turned."""
    x, kind = bars()
    return {
        "kinds": own(OwnConfig(updates=80), context(PICTURE, x, kind)),
        "turns": own(OwnConfig(updates=80), context(PICTURE, x)),
    }


@pytest.mark.parametrize("what", ["kinds", "turns"])
def test_own_learns_classes_or_turns_and_standardises(sorter, what):
    network, (x, kind) = sorter[what], bars()
    assert network.accuracy > 0.9
    assert network.logits(x).shape[1] == {"kinds": 3, "turns": 4}[what]
    features = network(x)
    assert features.mean(dim=0).abs().max() < 0.3
    assert features.std(dim=0).max() < 1.3
    assert features.std(dim=0).median() > 0.7
    if what == "kinds":
        assert (network.logits(x).argmax(dim=1) == kind).double().mean() > 0.9


def test_own_is_learnt_once_and_is_the_same_again():
    x, kind = bars(120)
    kept = {}

    def keep(learn):
        kept.setdefault("weights", learn())
        return kept["weights"]

    config = OwnConfig(updates=40)
    first, again = (own(config, context(PICTURE, x, kind, keep)) for _ in range(2))
    anew = own(config, context(PICTURE, x, kind))
    assert digest(first) == digest(again) == digest(anew)
    before = torch.get_rng_state()
    own(config, context(PICTURE, x, kind))
    assert torch.equal(torch.get_rng_state(), before)


def test_own_is_refused_where_it_learnt_nothing():
    noise = torch.randn(200, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    says = r"tells \d+% of held-out quarter turns right, where guessing gives 25%: too few .*--extractor FILE"
    with pytest.raises(Unavailable, match=says):
        own(OwnConfig(updates=30), context(PICTURE, noise))
    kind = torch.randint(2, (200,), generator=torch.Generator().manual_seed(2))
    with pytest.raises(Unavailable, match=r"of held-out classes of 'kind' right, where guessing gives 50%"):
        own(OwnConfig(updates=30), context(PICTURE, noise, kind))


def test_own_says_what_it_lacks():
    with pytest.raises(Unavailable, match="nothing to learn: the data names no classes, and points cannot be turned"):
        own(OwnConfig(), context(POINT, torch.randn(20, 3)))
    with pytest.raises(Unavailable, match="finds no label 'speaker'; labels: kind"):
        own(OwnConfig(label="speaker"), context(PICTURE, *bars(20)))
    deep = SampleFormat(axes=("a", "b", "c", "d"), shape=(2, 2, 2, 2))
    with pytest.raises(Unavailable, match="4 axes beside the channel are more than it can be made for"):
        own(OwnConfig(), context(deep, torch.randn(20, 2, 2, 2, 2)))


def test_a_label_of_one_class_teaches_nothing():
    formats = {"sample": PICTURE, "only": SampleFormat.label(("one",)), "kind": SampleFormat.label(("a", "b"))}
    assert label_to_learn(formats) == ("kind", ("a", "b"))
    assert label_to_learn({"sample": PICTURE}) is None


def test_a_refusal_is_remembered():
    asked = []

    def load(name):
        asked.append(name)
        raise Unavailable("it learnt nothing")

    features = Features(load, CPU)
    for _ in range(3):
        with pytest.raises(Unavailable, match="it learnt nothing"):
            features("own", Batch(torch.zeros(4, 2)))
    assert asked == ["own"]


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()).eval()


@pytest.mark.filterwarnings("ignore")  # of torch's own exporters
def test_files_give_what_the_module_gives(tmp_path):
    network, x = net(), bars(7)[0]
    torch.jit.trace(network, x).save(tmp_path / "net.pt")
    rows = {0: torch.export.Dim("rows", min=1, max=1000)}
    torch.export.save(torch.export.export(network, (x,), dynamic_shapes=(rows,)), tmp_path / "net.pt2")
    torch.onnx.export(network, (x,), tmp_path / "net.onnx", dynamic_shapes=(rows,), verbose=False)
    found = {}
    for name in ("net.pt", "net.pt2", "net.onnx"):
        file = network_of_file(str(tmp_path / name)).eval()
        with torch.no_grad():
            assert torch.allclose(file(x), network(x), atol=1e-5), name
        found[name] = digest(file)
    assert len(set(found.values())) == 3
    with (tmp_path / "net.onnx").open("ab") as file:
        file.write(b"")
    assert digest(network_of_file(str(tmp_path / "net.onnx"))) == found["net.onnx"]


def test_files_that_are_none(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"there is no extractor file .*net.pt; check the spelling"):
        network_of_file(str(tmp_path / "net.pt"))
    for name in ("torn.pt", "torn.pt2", "torn.onnx"):
        (tmp_path / name).write_bytes(b"torn")
        with pytest.raises(DataError, match="cannot be read as a network: "):
            network_of_file(str(tmp_path / name))
    (tmp_path / "weights.pth").write_bytes(b"")
    with pytest.raises(UsageError, match=r"holds weights, and no network .* torch.export.save"):
        network_of_file(str(tmp_path / "weights.pth"))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtra, match=r'pip install "wganx\[onnx\]"'):
        network_of_file(str(tmp_path / "torn.onnx"))
    assert is_file("runs/x.ONNX")
    assert not is_file("own")


def test_a_network_for_other_samples_is_told_with_what_it_was_shown():
    features = Features(lambda name: nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten()), CPU)
    says = r"extractor 'mine' failed on samples of shape \(7, 1, 12, 12\) from -?[\d.]+ to [\d.]+: RuntimeError: "
    with pytest.raises(PluginFailed, match=says):
        features("mine", Batch(bars(7)[0]))


def test_values_that_are_not_finite_are_the_generator_s_or_the_extractor_s():
    features = Features(lambda name: Logarithm(), CPU)
    with pytest.raises(DataError, match="1 of 2 samples hold values that are not finite; the generator has diverged"):
        features("log", Batch(torch.tensor([[1.0], [math.nan]])))
    with pytest.raises(PluginFailed, match="'log' makes features that are not finite of 1 of 2 samples"):
        features("log", Batch(torch.tensor([[1.0], [0.0]])))


class Logarithm(nn.Module):
    def forward(self, x):
        return x.log()


def test_features_do_not_depend_on_how_many_are_made_at_once(sorter):
    """Normalisation by the batch made them (Lightning-AI/torchmetrics issue 1620)."""
    whole = Features(sorter.__getitem__, CPU)("kinds", Batch(bars(60)[0]))
    alone = torch.cat([Features(sorter.__getitem__, CPU)("kinds", Batch(x[None])) for x in bars(60)[0]])
    assert torch.allclose(whole, alone, atol=1e-4)


def test_another_output_of_a_network_is_asked_for_by_its_method(sorter):
    features = Features(sorter.__getitem__, CPU)
    batch = Batch(bars(10)[0])
    assert features("kinds", batch).shape == (10, 64)
    assert torch.allclose(features("kinds#logits", batch), sorter["kinds"].logits(batch.real), atol=1e-5)
    assert list(features.digests()) == ["kinds"]
    features.forget()
    assert features.digests() == {}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A file of Inception's form, with weights that are made up."""
    module = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    path = tmp_path_factory.mktemp("weights") / WEIGHTS
    load, torch.load = torch.load, lambda *a, **k: None
    own_load, nn.Module.load_state_dict = nn.Module.load_state_dict, lambda *a, **k: None
    try:
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            network = module.FeatureExtractorInceptionV3("made-up", ["2048"], feature_extractor_weights_path="none")
    finally:
        torch.load, nn.Module.load_state_dict = load, own_load
    torch.save(network.state_dict(), path)
    return path


def test_inception_takes_its_weights_from_a_file(weights):
    x, _ = bars(4)
    network = inception(InceptionConfig(weights=weights), context(PICTURE, x))
    with torch.no_grad():
        features, logits = network(x), network.logits(x)
    assert features.shape == (4, 2048)
    assert logits.shape == (4, 1008)
    assert "299" in network.resize
    pixels = network._bytes(torch.tensor([-1.0, 0.0, 1.0]).reshape(1, 1, 1, 3))
    assert pixels.shape == (1, 3, 1, 3)
    assert pixels[0, 0, 0].tolist() == [0, 128, 255]


def test_inception_is_never_downloaded(monkeypatch, tmp_path, weights):
    def nothing(*anything, **named):
        raise AssertionError("it went to the network")

    monkeypatch.setattr("torch.hub.load_state_dict_from_url", nothing)
    monkeypatch.setattr("torch.hub.download_url_to_file", nothing)
    monkeypatch.setenv("WGANX_CACHE", str(tmp_path / "cache"))
    here = context(PICTURE, bars(4)[0])
    with pytest.raises(Unavailable, match="no weights: give them by --weights FILE"):
        inception(InceptionConfig(), here)
    with pytest.raises(DataError, match="there is no weights file"):
        inception(InceptionConfig(weights=tmp_path / "none.pth"), here)
    (tmp_path / "other.pth").write_bytes(b"torn")
    with pytest.raises(
        DataError, match=r"does not hold the weights of Inception .*: it is damaged, or no file of torch"
    ):
        inception(InceptionConfig(weights=tmp_path / "other.pth"), here)
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(DataError, match=r"does not hold the weights of Inception .*: .*state_dict"):
        inception(InceptionConfig(weights=tmp_path / "other.pth"), here)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / WEIGHTS).symlink_to(weights)
    assert weights_file(None) == tmp_path / "cache" / WEIGHTS
    monkeypatch.setitem(sys.modules, "torch_fidelity.feature_extractor_inceptionv3", None)
    with pytest.raises(MissingExtra, match=r'pip install "wganx\[metrics\]"'):
        inception(InceptionConfig(), here)


def test_guessing_is_no_trust():
    """The line lies a third of the way from guessing to 1: 0.5 for four turns."""
    from wganx.evaluation.extractors.own import TRUSTED

    assert math.isclose(1 / 4 + TRUSTED * (1 - 1 / 4), 0.5)

"""LPIPS and FVD: skipped without weights, never downloaded; with weights as their authors define them."""

import warnings
import zipfile

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from wganx import DataError, Unavailable

from .conftest import clips, game, load, numbers


@pytest.fixture(autouse=True)
def _no_checkpoints(tmp_path, monkeypatch):
    """Torch keeps nothing here, and nothing can be fetched."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", None)


@pytest.fixture(scope="module")
def alexnet(tmp_path_factory):
    """A file as torchvision's, of random weights."""
    from torchvision.models import alexnet as build

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "alexnet-owt-7be5be79.pth"
    torch.save({name: value for name, value in build().state_dict().items() if name.startswith("features")}, path)
    return path


class Script(nn.Module):
    """Stands for I3D: one number a channel and frame, and a forward with its options."""

    def forward(
        self, x: torch.Tensor, rescale: bool = True, resize: bool = True, return_features: bool = False
    ) -> torch.Tensor:
        if rescale or resize or not return_features:
            return torch.zeros(x.shape[0], 1)
        return x.mean((3, 4)).flatten(1)


@pytest.fixture(scope="module")
def i3d(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "i3d_torchscript.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript grows old
        torch.jit.script(Script()).save(str(path))
    return path


class TestLpips:
    def test_without_weights_it_is_skipped_with_the_way_to_give_them(self):
        made = clips(2, 2, 1, 32, 32)
        with pytest.raises(Unavailable, match="no weights: give them by --weights lpips=FILE"):
            numbers("lpips", made, made)

    def test_it_is_torchmetrics_on_the_same_weights(self, alexnet):
        lpips = pytest.importorskip("torchmetrics.functional.image.lpips")
        made, true = clips(2, 2, 3, 40, 40), clips(2, 2, 3, 40, 40, seed=1)
        found = numbers("lpips", made, true, extractors={"lpips": {"weights": alexnet}})
        theirs = lpips._LPIPS(net="alex", pnet_rand=True)
        held = torch.load(alexnet, weights_only=True)
        for name, value in theirs.net.state_dict().items():
            value.copy_(held["features." + name.partition(".")[2]])
        flat = made.flatten(0, 1), true.flatten(0, 1)
        assert found["lpips"] == pytest.approx(theirs(*flat, normalize=True).mean().item(), rel=1e-5)
        assert found["lpips"] > 0
        assert numbers("lpips", true, true, extractors={"lpips": {"weights": alexnet}}) == {"lpips": 0.0}

    def test_its_features_are_rows_and_its_weights_are_known_by_their_file(self, alexnet):
        network = load("lpips", game(size=32), weights=alexnet)
        assert network(clips(3, 4, 1, 32, 32)).shape == (3, 256)
        assert dict(network.named_buffers())["weights"].shape == (32,)

    def test_it_is_found_where_torch_keeps_checkpoints(self, alexnet, tmp_path):
        kept = tmp_path / "torch" / "hub" / "checkpoints"
        kept.mkdir(parents=True)
        (kept / alexnet.name).symlink_to(alexnet)
        made = clips(1, 2, 1, 32, 32)
        assert numbers("lpips", made, made) == {"lpips": 0.0}

    def test_other_files_are_named(self, tmp_path):
        torn, other, none = tmp_path / "torn.pth", tmp_path / "other.pth", tmp_path / "none.pth"
        torn.write_bytes(b"PK nothing")
        torch.save({"features.0.weight": torch.zeros(3)}, other)
        for path, reason in ((torn, "damaged"), (other, "the layers differ"), (none, "there is no weights file")):
            with pytest.raises(DataError, match=reason):
                load("lpips", game(size=32), weights=path)

    def test_frames_it_cannot_see(self, alexnet):
        network = load("lpips", game(size=32), weights=alexnet)
        with pytest.raises(Unavailable, match="32 px and more, and these have 16"):
            network(clips(1, 2, 1, 16, 16))
        with pytest.raises(Unavailable, match="grey or RGB frames, and these have 2 channels"):
            network(clips(1, 2, 2, 32, 32))


class TestFvd:
    def test_without_weights_it_is_skipped(self):
        made = clips(2, 10, 1, 16, 16)
        with pytest.raises(Unavailable, match="no weights: give them by --weights i3d=FILE"):
            numbers("fvd", made, made)

    def test_features_are_of_whole_films_in_its_range(self, i3d):
        network = load("i3d", game(), weights=i3d)
        found = network(torch.full((2, 10, 1, 16, 16), 0.75))
        assert found.shape == (2, 30)
        assert found.flatten().tolist() == pytest.approx([0.5] * 60)
        assert network.resize.startswith("frames to 224 x 224")

    def test_the_distance_of_films_that_are_brighter(self, i3d):
        played = game(past=3, future=8, frames=11)
        past, true = clips(6, 3, 1, 16, 16) * 0, clips(6, 8, 1, 16, 16) * 0 + 0.25
        extractors = {"i3d": {"weights": i3d}}
        same = numbers("fvd", true, true, played, given={"past": past}, extractors=extractors)
        assert same["fvd"] == pytest.approx(0, abs=1e-6)
        # Features are means in -1 to 1: 0.5 further in each of 3 channels of 8 frames; the past is the same.
        found = numbers("fvd", true + 0.25, true, played, given={"past": past}, extractors=extractors)
        assert found["fvd"] == pytest.approx(24 * 0.25, rel=1e-4)

    def test_short_films_and_other_files(self, i3d, tmp_path):
        with pytest.raises(Unavailable, match="10 frames and more, and these have 7"):
            load("i3d", game(), weights=i3d)(clips(2, 7, 1, 16, 16))
        torn = tmp_path / "i3d.pt"
        torn.write_bytes(b"nothing")
        other = tmp_path / "other.pt"
        torch.save({"Conv3d_1a_7x7.conv3d.weight": torch.zeros(3)}, other)
        cut = tmp_path / "cut.pt"
        with zipfile.ZipFile(cut, "w") as archive:
            archive.writestr("i3d/constants.pkl", b"")
        for path, reason in (
            (torn, r"does not hold the weights of I3D \(i3d_torchscript.pt, rgb_imagenet.pt\): it is damaged"),
            (other, "holds the weights of another network than I3D as of rgb_imagenet.pt"),
            (cut, "cannot be read as TorchScript"),
        ):
            with pytest.raises(DataError, match=reason):
                load("i3d", game(), weights=path)


def distance_by_hand(weights, linear, made, true, pool):
    """LPIPS 0.1 of Zhang et al. 2018 by its formula, on frames in 0 to 1.

    Args:
        weights: convolutions in their order, ``(weight, bias, stride, padding)``; None for a pooling.
        linear: what each tap is weighed by.
        pool: kernel and stride.
    """

    def taps(frames):
        shift = torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)
        scale = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
        x, found = (2 * frames - 1 - shift) / scale, []
        for layer in weights:
            if layer is None:
                x = F.max_pool2d(x, *pool)
                continue
            weight, bias, stride, padding, tapped = layer
            x = F.relu(F.conv2d(x, weight, bias, stride, padding))
            if tapped:
                found.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return found

    pairs = zip(taps(made), taps(true), linear)
    return sum(F.conv2d((a - b).square(), weight).mean((1, 2, 3)) for a, b, weight in pairs)


def alex_by_hand(held, linear, made, true):
    def layer(place, stride, padding):
        return held[f"features.{place}.weight"], held[f"features.{place}.bias"], stride, padding, True

    layers = [layer(0, 4, 2), None, layer(3, 1, 2), None, layer(6, 1, 1), layer(8, 1, 1), layer(10, 1, 1)]
    return distance_by_hand(layers, linear, made, true, (3, 2))


def vgg_by_hand(held, linear, made, true):
    layers = []
    for block in ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28)):
        for place in block:
            weight, bias = held[f"features.{place}.weight"], held[f"features.{place}.bias"]
            layers.append((weight, bias, 1, 1, place == block[-1]))
        layers.append(None)
    return distance_by_hand(layers[:-1], linear, made, true, (2, 2))


def linear_layers(net):
    """Those that torchmetrics brings."""
    lpips = pytest.importorskip("torchmetrics.functional.image.lpips")
    theirs = lpips._LPIPS(net=net, pnet_rand=True)
    return [getattr(theirs, f"lin{place}").model[-1].weight.detach() for place in range(5)]


class TestLayoutsOfLpips:
    """The files that people have, with random weights, against the formula."""

    def test_alexnet_as_torchvision_has_it(self, alexnet):
        made, true = clips(2, 1, 3, 64, 72), clips(2, 1, 3, 64, 72, seed=1)
        found = numbers("lpips", made, true, extractors={"lpips": {"weights": alexnet}})["lpips"]
        held = torch.load(alexnet, weights_only=True)
        by_hand = alex_by_hand(held, linear_layers("alex"), made[:, 0], true[:, 0])
        assert found == pytest.approx(float(by_hand.mean()), rel=1e-4)
        assert found > 0

    def test_vgg_as_torchvision_has_it_with_its_classifier(self, tmp_path):
        from torchvision.models import vgg

        torch.manual_seed(1)
        held = {f"features.{name}": value for name, value in vgg.make_layers(vgg.cfgs["D"]).state_dict().items()}
        path = tmp_path / "vgg16-397923af.pth"
        torch.save({**held, "classifier.0.weight": torch.zeros(2, 2)}, path)
        made, true = clips(1, 1, 3, 32, 40), clips(1, 1, 3, 32, 40, seed=1)
        found = numbers("lpips", made, true, extractors={"lpips": {"weights": path}})["lpips"]
        by_hand = vgg_by_hand(held, linear_layers("vgg"), made[:, 0], true[:, 0])
        assert found == pytest.approx(float(by_hand), rel=1e-4)

    @pytest.mark.parametrize("before", ["", "net.", "module."], ids=["lpips", "torchmetrics", "parallel"])
    def test_a_whole_lpips_brings_its_own_linear_layers(self, alexnet, tmp_path, before):
        held, rng = torch.load(alexnet, weights_only=True), torch.Generator().manual_seed(2)
        linear = [torch.rand(1, width, 1, 1, generator=rng) for width in (64, 192, 384, 256, 256)]
        state = {"scaling_layer.shift": torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1)}
        state["scaling_layer.scale"] = torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1)
        for slice_, place in enumerate((0, 3, 6, 8, 10), 1):
            for kind in ("weight", "bias"):
                state[f"net.slice{slice_}.{place}.{kind}"] = held[f"features.{place}.{kind}"]
        for place, weight in enumerate(linear):
            state[f"lin{place}.model.1.weight"] = weight
            if before != "net.":  # the package lpips lists them once more
                state[f"lins.{place}.model.1.weight"] = weight
        path = tmp_path / "lpips_alexnet.pth"
        torch.save({f"{before}{name}": value for name, value in state.items()}, path)
        made, true = clips(1, 2, 3, 40, 40), clips(1, 2, 3, 40, 40, seed=1)
        found = numbers("lpips", made, true, extractors={"lpips": {"weights": path}})["lpips"]
        assert found == pytest.approx(float(alex_by_hand(held, linear, made[0], true[0]).mean()), rel=1e-4)

    def test_the_linear_layers_alone_are_known_for_what_they_are(self, tmp_path):
        path = tmp_path / "alex.pth"
        torch.save({f"lin{place}.model.1.weight": torch.rand(1, 64, 1, 1) for place in range(5)}, path)
        with pytest.raises(
            DataError, match="holds the linear layers of LPIPS alone, which torchmetrics brings; give the"
        ):
            load("lpips", game(size=32), weights=path)

    def test_a_file_that_would_execute_something_is_not_opened(self, tmp_path):
        path = tmp_path / "whole-model.pth"
        torch.save(nn.Linear(2, 2), path)
        with pytest.raises(DataError, match="it holds more than weights, which is not opened"):
            load("lpips", game(size=32), weights=path)


MIXED = {
    "3b": (64, 96, 128, 16, 32, 32), "3c": (128, 128, 192, 32, 96, 64), "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64), "4d": (128, 128, 256, 24, 64, 64), "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128), "5b": (256, 160, 320, 32, 128, 128), "5c": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


def i3d_weights():
    """Random weights by the names and sizes of rgb_imagenet.pt."""
    rng, held = torch.Generator().manual_seed(0), {}

    def unit(name, channels, width, kernel):
        spread = (2 / (channels * kernel**3)) ** 0.5
        held[f"{name}.conv3d.weight"] = torch.randn(width, channels, kernel, kernel, kernel, generator=rng) * spread
        for part in ("weight", "running_var"):
            held[f"{name}.bn.{part}"] = 0.5 + torch.rand(width, generator=rng)
        for part in ("bias", "running_mean"):
            held[f"{name}.bn.{part}"] = 0.1 * torch.randn(width, generator=rng)
        return width

    channels = unit("Conv3d_1a_7x7", 3, 64, 7)
    channels = unit("Conv3d_2b_1x1", channels, 64, 1)
    channels = unit("Conv3d_2c_3x3", channels, 192, 3)
    for name, (one, b1a, b1b, b2a, b2b, b3b) in MIXED.items():
        unit(f"Mixed_{name}.b0", channels, one, 1)
        unit(f"Mixed_{name}.b1b", unit(f"Mixed_{name}.b1a", channels, b1a, 1), b1b, 3)
        unit(f"Mixed_{name}.b2b", unit(f"Mixed_{name}.b2a", channels, b2a, 1), b2b, 3)
        unit(f"Mixed_{name}.b3b", channels, b3b, 1)
        channels = one + b1b + b2b + b3b
    held["logits.conv3d.weight"] = torch.randn(400, channels, 1, 1, 1, generator=rng) * 0.03
    held["logits.conv3d.bias"] = torch.randn(400, generator=rng)
    return held


def i3d_by_hand(held, films):
    """The network as its authors draw it, on films (N, 3, T, H, W) in -1 to 1."""

    def same(x, kernel, stride):
        sides = []
        for length, wide, step in zip(x.shape[:1:-1], kernel[::-1], stride[::-1]):
            missing = max(wide - step, 0) if length % step == 0 else max(wide - length % step, 0)
            sides += [missing // 2, missing - missing // 2]
        return F.pad(x, sides)

    def unit(x, name, stride=1):
        weight = held[f"{name}.conv3d.weight"]
        x = F.conv3d(same(x, weight.shape[2:], (stride,) * 3), weight, stride=stride)
        parts = (held[f"{name}.bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
        mean, var, scale, bias = (part.view(1, -1, 1, 1, 1) for part in parts)
        return F.relu((x - mean) / (var + 1e-3).sqrt() * scale + bias)

    def pool(x, kernel, stride):
        return F.max_pool3d(same(x, kernel, stride), kernel, stride)

    x = pool(unit(films, "Conv3d_1a_7x7", 2), (1, 3, 3), (1, 2, 2))
    x = pool(unit(unit(x, "Conv3d_2b_1x1"), "Conv3d_2c_3x3"), (1, 3, 3), (1, 2, 2))
    for name in MIXED:
        if name == "4b":
            x = pool(x, (3, 3, 3), (2, 2, 2))
        if name == "5b":
            x = pool(x, (2, 2, 2), (2, 2, 2))
        block = f"Mixed_{name}."
        branches = [
            unit(x, f"{block}b0"), unit(unit(x, f"{block}b1a"), f"{block}b1b"),
            unit(unit(x, f"{block}b2a"), f"{block}b2b"), unit(pool(x, (3, 3, 3), (1, 1, 1)), f"{block}b3b"),
        ]  # fmt: skip
        x = torch.cat(branches, 1)
    x = F.avg_pool3d(x, (2, 7, 7), 1)
    return F.conv3d(x, held["logits.conv3d.weight"], held["logits.conv3d.bias"]).mean((2, 3, 4))


class TestLayoutsOfI3d:
    @pytest.mark.parametrize("around", ["plain", "counted-and-parallel"])
    def test_weights_alone_as_ported_to_pytorch(self, tmp_path, around):
        held = i3d_weights()
        path = tmp_path / "rgb_imagenet.pt"
        stored = held
        if around != "plain":  # by later versions of torch, and trained on several GPUs
            counted = {
                name.replace("weight", "num_batches_tracked"): torch.tensor(0) for name in held if "bn.w" in name
            }
            stored = {"state_dict": {f"module.{name}": value for name, value in {**held, **counted}.items()}}
        torch.save(stored, path)
        network = load("i3d", game(), weights=path)
        films = clips(1, 10, 1, 16, 16)
        with torch.no_grad():
            found = network(films)
            large = F.interpolate(films[0].expand(-1, 3, -1, -1), (224, 224), mode="bilinear", align_corners=False)
            by_hand = i3d_by_hand(held, (2 * large - 1).transpose(0, 1)[None])
        assert found.shape == (1, 400)
        assert float(found.std()) > 0.1
        torch.testing.assert_close(found, by_hand, rtol=1e-3, atol=1e-3)

    @pytest.mark.slow
    def test_longer_films_are_means_over_time(self, tmp_path):
        held = i3d_weights()
        torch.save(held, tmp_path / "i3d.pt")
        network = load("i3d", game(), weights=tmp_path / "i3d.pt").inner
        films = 2 * clips(1, 3, 17, 224, 224) - 1
        with torch.no_grad():
            torch.testing.assert_close(network(films), i3d_by_hand(held, films), rtol=1e-3, atol=1e-3)

    def test_the_torchscript_file_is_asked_not_to_resize_or_rescale_again(self, i3d):
        network = load("i3d", game(), weights=i3d)
        assert network._options == {"rescale": False, "resize": False, "return_features": True}

    @pytest.mark.filterwarnings("ignore")
    def test_a_torchscript_file_of_films_alone_is_asked_nothing(self, tmp_path):
        path = tmp_path / "plain.pt"
        torch.jit.trace(Means(), torch.zeros(1, 3, 10, 8, 8)).save(str(path))
        assert load("i3d", game(), weights=path)(clips(2, 10, 1, 16, 16)).shape == (2, 30)


class Means(nn.Module):
    def forward(self, x):
        return x.mean((3, 4)).flatten(1)

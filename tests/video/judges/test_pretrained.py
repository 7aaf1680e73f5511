"""LPIPS and FVD: skipped without weights, never downloaded; with weights as their authors define them."""

import warnings

import pytest
import torch
from torch import nn

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
        with pytest.raises(DataError, match="cannot be read as TorchScript"):
            load("i3d", game(), weights=torn)

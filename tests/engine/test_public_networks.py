"""What networks from elsewhere do, small: trained as their authors write them, or told the line they need."""

import random

import numpy as np
import pytest
import torch
from torch import nn

import wganx
from wganx.errors import DataError, PreflightError


class Foreground(nn.Module):
    """A clip and its still background, as VGAN: kernels of three axes beside those of two."""

    def __init__(self):
        super().__init__()
        self.clip = nn.ConvTranspose3d(4, 2, 4)
        self.still = nn.ConvTranspose2d(4, 2, 4)

    def forward(self, noise):
        return self.clip(noise[:, :, None]) + self.still(noise).unsqueeze(2)


class Styles(nn.Module):
    """As StyleGAN2: takes a list of noises."""

    def __init__(self):
        super().__init__()
        self.style = nn.Linear(4, 2)

    def forward(self, styles):
        return torch.stack([self.style(style[:, :4]) for style in styles])


class Toy(nn.Linear):
    def forward(self, noise, real_data):
        return super().forward(noise)


class Packs(nn.Linear):
    """As CTGAN: rows of a batch are joined to packs inside."""

    def __init__(self, pac):
        super().__init__(2 * pac, 1)
        self.pac = pac

    def forward(self, x):
        if len(x) % self.pac:
            raise AssertionError
        return super().forward(x.view(-1, 2 * self.pac))


class Mean(nn.Linear):
    def forward(self, x):
        return super().forward(x).mean(0).view(1)


class Labelled(nn.Linear):
    def forward(self, x, labels):
        return super().forward(x)


class Attended(nn.Linear):
    """As SAGAN: with what its attention looked at."""

    def forward(self, x):
        return super().forward(x), None


class MaybeLabelled(nn.Linear):
    """As projection critics: labels are optional in its signature, and wanted all the same."""

    def forward(self, x, y=None):
        return super().forward(x) * nn.functional.embedding(y, self.weight)[:, :1]


class Fixed(nn.Linear):
    """As a language GAN's generator: it knows how many rows a batch has."""

    def __init__(self, rows):
        super().__init__(4, 2)
        self.rows = rows

    def forward(self, noise):
        made = super().forward(noise)
        return made.view(self.rows // 2, -1).softmax(1).view(made.shape)


def fit(generator, critic, real, noise, **settings):
    trainer = wganx.Trainer(generator, critic, noise=noise, device="cpu", critic_steps=1, **settings)
    trainer.fit([real], steps=1)
    return trainer


def test_kernels_of_two_and_of_three_axes_in_one_network_train():
    critic = nn.Sequential(nn.Conv3d(2, 1, 4), nn.Flatten(0))
    trainer = fit(Foreground(), critic, torch.randn(4, 2, 4, 4, 4), (4, 1, 1))
    assert trainer.sample(2).shape == (2, 2, 4, 4, 4)


NEEDS = {
    "a list of noises": (Styles(), nn.Linear(2, 1), r"^the generator fails on inputs \(noise\) .*: IndexError: "),
    "an argument of the script": (
        Toy(4, 2), nn.Linear(2, 1),
        r"missing 1 required positional argument: 'real_data'; give it in the batch: "
        r"wganx.Batch\(x, context=\{'real_data': ...\}\)$",
    ),
    "labels": (nn.Linear(4, 2), Labelled(2, 1), r"'labels'; .* wganx.Batch\(x, condition=\{'labels': ...\}\)$"),
    "labels of a generator": (
        Labelled(4, 2), nn.Linear(2, 1), r"'labels'; .* wganx.Batch\(x, context=\{'labels': ...\}\)$",
    ),
    "an argument left out": (
        nn.Linear(4, 2), MaybeLabelled(2, 1),
        r"not NoneType; it also takes wganx.Batch\(x, condition=\{'y': ...\}\)$",
    ),
    "two results": (
        Attended(4, 2), nn.Linear(2, 1),
        r"returns tuple, .* return the samples alone; or take the first: generator.register_forward_hook\(lambda ",
    ),
    "two scores": (
        nn.Linear(4, 2), Attended(2, 1),
        r"returns tuple, .* return the scores alone; or take the first: critic.register_forward_hook\(lambda ",
    ),
    "the mean score": (
        nn.Linear(4, 2), Mean(2, 1),
        r"one score a sample, not their mean over the batch: return them .*, without .mean\(0\) or .view\(1\); or, if",
    ),
    "packs": (
        nn.Linear(4, 2), Packs(2), r"if it judges packs of 2, say pack=2: it is then given \(N, 2, ...\)$",
    ),
    "an assertion": (
        nn.Linear(4, 2), Packs(3),
        r"the critic fails on inputs \(x\) of shapes \(4, 2\): AssertionError at test_public_networks.py:\d+: raise ",
    ),
    "no forward": (
        nn.ModuleList([nn.Linear(4, 2)]), nn.Linear(2, 1),
        r'missing the required "forward" function; give it a forward\(noise\)$',
    ),
    "flat noise": (
        nn.ConvTranspose2d(4, 3, 4), nn.Linear(2, 1),
        r"; give the trainer noise of that many axes: noise=\(4, 1, 1\)$",
    ),
    "a number of rows": (
        Fixed(64), nn.Linear(2, 1),
        r"; if it is built for one number of rows, give batches of that number, or write -1 for it$",
    ),
    "frozen": (
        nn.Linear(4, 2), nn.Linear(2, 1).requires_grad_(False),
        r"they are all frozen; critic.requires_grad_\(True\) thaws them$",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("generator", "critic", "message"), NEEDS.values(), ids=NEEDS)
def test_what_they_need_is_said_in_one_line(generator, critic, message):
    with pytest.raises(PreflightError, match=message):
        fit(generator, critic, torch.randn(8, 2), (4,), constraint=wganx.NoConstraint())


def test_a_network_of_one_number_of_rows_is_told_though_half_as_many_fit_its_view():
    trainer = fit(Fixed(8), nn.Linear(2, 1), torch.rand(8, 2), (4,))  # 4 rows would be softmaxed over all four
    assert trainer.sample(5).shape == (5, 2)
    torch.testing.assert_close(trainer.sample(8).view(4, -1).sum(1), torch.ones(4))
    trainer.fit([torch.rand(8, 2), torch.rand(5, 2)], steps=4)  # the last batch is left out


def test_fresh_spectral_norms_are_1_lipschitz_once_they_have_found_their_vectors():
    """Those of old torch begin with vectors drawn at random: in evaluation mode slopes seem to be without bound."""
    torch.manual_seed(0)
    layers = [layer for _ in range(8) for layer in (nn.utils.spectral_norm(nn.Linear(64, 64)), nn.ReLU())]
    critic = nn.Sequential(*layers, nn.utils.spectral_norm(nn.Linear(64, 1)))
    fit(nn.Linear(4, 64), critic, torch.randn(8, 64), (4,), constraint=wganx.ByConstruction())
    steep = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    nn.init.constant_(steep[0].weight, 9.0)
    with pytest.raises(PreflightError, match="said to be 1-Lipschitz by construction"):
        fit(nn.Linear(4, 64), steep, torch.randn(8, 64), (4,), constraint=wganx.ByConstruction())


class OwnSpectralNorm(nn.Module):
    """As many repositories: the vector of its power iteration moves in every pass, in evaluation mode too."""

    def __init__(self, *sizes):
        super().__init__()
        self.weight_bar = nn.Parameter(torch.randn(*sizes) / 2)
        self.u = nn.Parameter(torch.randn(sizes[1]), requires_grad=False)
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        weight = self.weight_bar
        v = nn.functional.normalize(weight.data @ self.u.data, dim=0)
        self.u.data = nn.functional.normalize(weight.data.T @ v, dim=0)
        self.passes += 1
        return x @ (weight / (v @ weight @ self.u))


def own_pair():
    torch.manual_seed(0)
    generator = nn.Sequential(OwnSpectralNorm(4, 32), nn.ReLU(), OwnSpectralNorm(32, 2))
    return generator, nn.Sequential(OwnSpectralNorm(2, 32), nn.ReLU(), nn.Linear(32, 1))


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_looking_at_a_network_that_moves_in_every_pass_does_not_move_it(ema):
    def train(log_every):
        trainer = wganx.Trainer(
            *own_pair(), noise=(4,), device="cpu", ema=ema, constraint=wganx.NoConstraint(), objective=wganx.Hinge()
        )
        trainer.fit([torch.randn(8, 2, generator=torch.Generator().manual_seed(1))], steps=4, log_every=log_every)
        return trainer

    often, rarely = train(1), train(50)
    assert torch.equal(often.sample(4, seed=1), often.sample(4, seed=1))
    for ours, theirs in zip(often.generator.state_dict().values(), rarely.generator.state_dict().values()):
        assert torch.equal(ours, theirs)
    before = [tensor.clone() for tensor in often.generator.state_dict().values()]
    often.sample(4)
    assert all(torch.equal(old, new) for old, new in zip(before, often.generator.state_dict().values()))


class FromNumpy(nn.Linear):
    """As MoCoGAN: it draws its noise itself, by numpy; and something by Python."""

    def forward(self):
        drawn = torch.from_numpy(np.random.randn(8, 3)).float()
        return super().forward(drawn + random.random())


def test_what_networks_draw_from_numpy_and_python_follows_the_seed_and_the_checkpoint(tmp_path):
    real = torch.randn(8, 2, generator=torch.Generator().manual_seed(1))

    def make():
        torch.manual_seed(0)
        return wganx.Trainer(FromNumpy(3, 2), nn.Linear(2, 1), noise=None, device="cpu", seed=4)

    one, other = make(), make()
    np.random.seed(5)
    one.fit([real], steps=3)
    np.random.seed(6)
    random.seed(6)
    caller = np.random.get_state()[1].copy(), random.getstate()
    other.fit([real], steps=3)
    assert np.array_equal(np.random.get_state()[1], caller[0])
    assert random.getstate() == caller[1]
    assert torch.equal(one.generator.weight, other.generator.weight)
    one.save(tmp_path / "half")
    one.fit([real], steps=6)
    continued = wganx.Trainer.load(tmp_path / "half", FromNumpy(3, 2), nn.Linear(2, 1))
    continued.fit([real], steps=6)
    assert torch.equal(continued.generator.weight, one.generator.weight)


def test_a_forward_of_the_object_alone_is_refused_since_a_copy_would_be_the_original():
    generator = nn.Linear(3, 2)
    plain = generator.forward
    generator.forward = lambda noise: 2 * plain(noise)
    with pytest.raises(
        PreflightError, match=r"^the forward of the generator was replaced on the object, .* in a class"
    ):
        fit(generator, nn.Linear(2, 1), torch.randn(8, 2), (3,))


def test_weights_that_forward_does_not_use_are_said_to_be_unused(caplog):
    class Spare(nn.Linear):
        def __init__(self):
            super().__init__(4, 2)
            self.norm = nn.BatchNorm1d(2)

    with caplog.at_level("INFO"):
        fit(Spare(), nn.Linear(2, 1), torch.randn(8, 2), (4,))
    assert "the generator's forward does not use its norm.weight, norm.bias, which stay as they are" in caplog.text


@pytest.mark.parametrize("value", [(torch.zeros(8, 2),) * 2, None, 3, [1, 2], np.zeros(8)], ids=str)
def test_what_is_no_tensor_in_a_batch_is_named(value):
    with pytest.raises(DataError, match=r"^context 'states' of a batch is \w+, where one tensor \(N, ...\) is wanted"):
        wganx.Batch(torch.zeros(8, 2), {"states": value})

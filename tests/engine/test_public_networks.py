"""What networks from elsewhere do, small: trained as their authors write them, or told the line they need."""

import pytest
import torch
from torch import nn

import wganx
from wganx.errors import PreflightError


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
        assert len(x) % self.pac == 0
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


def fit(generator, critic, real, noise, **settings):
    trainer = wganx.Trainer(generator, critic, noise=noise, device="cpu", critic_steps=1, **settings)
    trainer.fit([real], steps=1)
    return trainer


def test_kernels_of_two_and_of_three_axes_in_one_network_train():
    critic = nn.Sequential(nn.Conv3d(2, 1, 4), nn.Flatten(0))
    trainer = fit(Foreground(), critic, torch.randn(4, 2, 4, 4, 4), (4, 1, 1))
    assert trainer.sample(2).shape == (2, 2, 4, 4, 4)


@pytest.mark.parametrize(
    ("generator", "critic", "message"),
    [
        (Styles(), nn.Linear(2, 1), r"^the generator fails on inputs \(noise\) of shapes \(4, 4\): IndexError: "),
        (
            Toy(4, 2), nn.Linear(2, 1),
            r"missing 1 required positional argument: 'real_data'; give it in the batch: "
            r"wganx.Batch\(x, context=\{'real_data': ...\}\)$",
        ),
        (nn.Linear(4, 2), Labelled(2, 1), r"'labels'; .* wganx.Batch\(x, condition=\{'labels': ...\}\)$"),
        (Attended(4, 2), nn.Linear(2, 1), r"generator returns tuple, expected one tensor; return the samples alone$"),
        (nn.Linear(4, 2), Attended(2, 1), r"critic returns tuple, expected one tensor; return the scores alone$"),
        (nn.Linear(4, 2), Mean(2, 1), r"one score a sample, not their mean over the batch: remove .mean\(0\) at"),
        (nn.Linear(4, 2), Packs(2), r"if it judges packs of 2, say pack=2: it is then given \(N, 2, ...\)$"),
        (nn.Linear(4, 2), Packs(3), r"the critic fails on inputs \(x\) of shapes \(4, 2\): AssertionError"),
    ],
    ids=[
        "a list of noises", "an argument of the script", "labels", "two results", "two scores", "the mean score",
        "packs", "an assertion",
    ],
)  # fmt: skip
def test_what_they_need_is_said_in_one_line(generator, critic, message):
    with pytest.raises(PreflightError, match=message):
        fit(generator, critic, torch.randn(8, 2), (4,), constraint=wganx.NoConstraint())

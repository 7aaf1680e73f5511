"""Networks as their owners wrote them: what they keep, how they are laid out, what they are built for."""

import copy
import re
import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

import wganx
from wganx.errors import PreflightError, UsageError

SIZE = (1, 8, 8)


def notes(caplog):
    return [record.getMessage() for record in caplog.records if record.name == "wganx"]


def generator(*last):
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2), *last)


def critic(*last):
    return nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), *(last or (nn.Flatten(0),)))


def points(rows=16, count=4):
    return [torch.randn(rows, 2, generator=torch.Generator().manual_seed(k)) + 1 for k in range(count)]


def pictures(rows=8):
    return [torch.randn(rows, *SIZE, generator=torch.Generator().manual_seed(k)) for k in range(3)]


def train(generator, critic, data, steps=2, noise=(4,), **settings):
    fit = {name: settings.pop(name) for name in ("prepare", "heldout", "log_every") if name in settings}
    trainer = wganx.Trainer(generator, critic, noise=noise, device="cpu", critic_steps=2, **settings)
    trainer.fit(data, steps=steps, **fit)
    return trainer


class Painter(nn.Module):
    """A generator of pictures with convolutions."""

    def __init__(self):
        super().__init__()
        self.start, self.paint = nn.Linear(4, 8 * 16), nn.ConvTranspose2d(8, 1, 4, 2, 1)

    def forward(self, noise):
        return self.paint(self.start(noise).view(-1, 8, 4, 4))


class WidePainter(Painter):
    """Its pictures have three channels, so that their order in memory can differ."""

    def __init__(self):
        super().__init__()
        self.paint = nn.ConvTranspose2d(8, 3, 4, 2, 1)


class Viewer(nn.Module):
    """Convolves, and counts on the plain order in memory."""

    def __init__(self, channels=1):
        super().__init__()
        self.look, self.score = nn.Conv2d(channels, 6, 3, 2, 1), nn.Linear(6 * 16, 1)

    def forward(self, x):
        h = functional.leaky_relu(self.look(x), 0.2)
        return self.score(h.view(len(h), -1)).squeeze(1)


class FlatViewer(nn.Module):
    """No convolution, and a view of the sample."""

    def __init__(self):
        super().__init__()
        self.layers = critic()
        self.layers[0] = nn.Linear(3 * 64, 16)

    def forward(self, x):
        return self.layers(x.view(len(x), -1))


class TestTheOrderInMemory:
    def test_a_view_after_a_convolution_trains_in_the_plain_order_and_is_said_once(self, caplog):
        judge = Viewer()
        train(Painter(), judge, pictures())
        (note,) = notes(caplog)
        assert note.startswith(
            "the networks are trained with channels in the plain order in memory, which their views ask for"
        )
        assert judge(pictures()[0]).shape == (8,)  # and works for its owner as before

    def test_what_works_with_channels_last_has_them(self):
        class Reshaper(Viewer):
            def forward(self, x):
                return self.score(functional.leaky_relu(self.look(x), 0.2).flatten(1)).squeeze(1)

        judge = Reshaper()
        trainer = train(Painter(), judge, pictures())
        assert trainer.steps.layout == torch.channels_last

    def test_fakes_of_a_convolutional_generator_suit_a_critic_that_views_them(self):
        data = [torch.randn(8, 3, 8, 8) for _ in range(2)]
        assert train(WidePainter(), FlatViewer(), data).step == 2

    def test_a_refused_critic_is_left_as_it_was(self):
        class Wrong(Viewer):
            def forward(self, x):
                return super().forward(x)[:, None].expand(-1, 2)

        judge, painter = Wrong(), Painter()
        before = [weight.stride() for net in (judge, painter) for weight in net.parameters()]
        with pytest.raises(PreflightError, match=r"the critic returns shape \(4, 2\)"):
            train(painter, judge, pictures())
        assert [weight.stride() for net in (judge, painter) for weight in net.parameters()] == before
        assert judge(pictures()[0]).shape == (8, 2)

    def test_weights_keep_their_optimizer_state_when_the_order_changes(self, tmp_path):
        trainer = train(Painter(), Viewer(), pictures())
        trainer.save(tmp_path / "x")
        again = wganx.Trainer.load(tmp_path / "x", Painter(), Viewer(), device="cpu")
        trainer.fit(pictures(), steps=2)
        again.fit(pictures(), steps=2)
        assert all(torch.equal(a, b) for a, b in zip(trainer.critic.parameters(), again.critic.parameters()))


class Keeper(nn.Module):
    """Stores its features, also in a list and a dict."""

    def __init__(self):
        super().__init__()
        self.layers = critic()
        self.kept, self.more = [], {}

    def forward(self, x):
        self.features = self.layers[1](self.layers[0](x))
        self.kept = [self.features]
        self.more["h"] = (self.features,)
        return self.layers[3](self.layers[2](self.features))


class TestCopies:
    def test_a_critic_that_stores_its_features_trains(self):
        judge = Keeper()
        judge(points()[0])
        assert train(generator(), judge, points(), steps=3).step == 3
        assert train(generator(), judge, points(), steps=3).step == 3  # and again, now that it holds some

    def test_a_generator_that_was_used_before_and_keeps_what_it_made_trains(self):
        class Maker(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = generator()

            def forward(self, noise):
                self.last = self.layers(noise)
                return self.last

        maker = Maker()
        maker(torch.randn(3, 4))
        assert train(maker, critic(), points()).sample(3).shape == (3, 2)

    @pytest.mark.filterwarnings("ignore:.*weight_norm.*is deprecated")
    @pytest.mark.parametrize("norm", [nn.utils.spectral_norm, nn.utils.weight_norm])
    def test_old_spectral_norm_and_weight_norm_train(self, norm):
        maker, judge = generator(), critic()
        norm(maker[0]), norm(judge[0])
        maker(torch.randn(3, 4)), judge(points()[0])
        before = maker[0].weight.detach().clone()
        assert train(maker, judge, points(), steps=3).step == 3
        assert not torch.equal(maker[0].weight, before)

    def test_what_cannot_be_copied_is_refused_by_name(self):
        maker = generator()
        maker.lock = threading.Lock()
        with pytest.raises(
            PreflightError, match=r"the generator cannot be copied, .*cannot pickle '_thread.lock' object"
        ):
            train(maker, critic(), points())


class Square(torch.autograd.Function):
    """``(x²)²``, with what its backward pass uses on ``ctx``: the second derivative misses a term."""

    @staticmethod
    def forward(ctx, x):
        ctx.x, ctx.square = x, x * x
        return ctx.square**2

    @staticmethod
    def backward(ctx, grad):
        return grad * 4 * ctx.square * ctx.x


class RightSquare(Square):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return (x * x) ** 2

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 4 * x**3


class Judge(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function, self.first, self.last = function, nn.Linear(2, 8), nn.Linear(8, 1)

    def forward(self, x):
        return self.last(self.function.apply(functional.leaky_relu(self.first(x)))).squeeze(1)


class TestDerivatives:
    def test_a_wrong_second_derivative_is_refused(self):
        with pytest.raises(PreflightError, match="the second derivative of Square is wrong: the penalty's gradient"):
            train(generator(), Judge(Square), points())

    def test_a_right_one_passes_and_a_wrong_one_where_nobody_takes_it(self):
        assert train(generator(), Judge(RightSquare), points()).step == 2
        assert train(generator(), Judge(Square), points(), constraint=wganx.WeightClipping()).step == 2

    def test_a_generator_that_rounds_is_told_what_stays(self, caplog):
        class Rounding(nn.Module):
            def __init__(self):
                super().__init__()
                self.below, self.above = nn.Linear(4, 16), nn.Linear(16, 2)

            def forward(self, noise):
                return self.above(torch.round(self.below(noise)))

        train(Rounding(), critic(), points())
        (note,) = notes(caplog)
        assert note.startswith(
            "no gradient of the critic's scores reaches the generator's below.weight, below.bias, which stay:"
        )

    @pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
    def test_a_reentrant_checkpoint_in_the_generator_is_told(self, caplog):
        class Saving(nn.Module):
            def __init__(self):
                super().__init__()
                self.below, self.above = nn.Linear(4, 16), nn.Linear(16, 2)

            def forward(self, noise):
                return self.above(checkpoint(self.below, noise, use_reentrant=True))

        train(Saving(), critic(), points())
        assert "reaches the generator's below.weight, below.bias, which stay" in notes(caplog)[0]
        assert "use_reentrant=False" in notes(caplog)[0]

    def test_a_generator_cut_off_from_the_critic_is_refused(self):
        class Cut(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = generator()

            def forward(self, noise):
                return self.layers(noise).detach()

        with pytest.raises(PreflightError, match="no gradient of the critic's scores reaches the generator's weights"):
            train(Cut(), critic(), points())

    def test_a_gate_that_starts_at_zero_is_no_finding(self, caplog):
        class Gated(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers, self.branch, self.gate = generator(), nn.Linear(2, 2), nn.Parameter(torch.zeros(1))

            def forward(self, noise):
                made = self.layers(noise)
                return made + self.gate * self.branch(made)

        train(Gated(), critic(), points())
        assert notes(caplog) == []


class TestFrozen:
    def normed(self):
        return nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))

    def test_a_batch_norm_in_evaluation_mode_stays_there(self):
        maker = self.normed()
        maker[1].eval()
        before = maker[1].running_mean.clone()
        trainer = train(maker, critic(), points())
        assert [part.training for part in maker[:2]] == [True, False]
        assert torch.equal(maker[1].running_mean, before)
        maker.eval()  # as one does to draw from it
        trainer.fit(points(), steps=2)
        assert torch.equal(maker[1].running_mean, before)
        assert [maker.training, maker[1].training] == [True, False]
        maker[1].train()
        trainer.fit(points(), steps=2)
        assert not torch.equal(maker[1].running_mean, before)

    def test_freezing_and_unfreezing_between_two_fits(self):
        maker, judge = generator(), critic()
        maker[0].requires_grad_(False)
        trainer = train(maker, judge, points())
        start = copy.deepcopy(maker[0].weight)
        maker[0].requires_grad_(True)
        maker[2].requires_grad_(False)
        last = copy.deepcopy(maker[2].weight)
        moments = trainer.steps.critic.optimizer_tensors()
        trainer.fit(points(), steps=2)
        assert not torch.equal(maker[0].weight, start)
        assert torch.equal(maker[2].weight, last)
        assert trainer.steps.critic.optimizer_tensors().keys() == moments.keys()
        assert not maker[2].weight.requires_grad

    def test_weights_that_stay_to_be_trained_keep_their_moments(self):
        maker = generator()
        trainer = train(maker, critic(), points())
        before = trainer.steps.generator.optimizer_tensors()["2.weight/exp_avg_sq"].clone()
        maker[0].requires_grad_(False)
        trainer.training.follow()
        after = trainer.steps.generator.optimizer_tensors()
        assert torch.equal(after["2.weight/exp_avg_sq"], before)
        assert "0.weight/exp_avg_sq" not in after

    def test_gradients_taken_away_between_two_fits_come_back(self):
        maker = generator()
        trainer = train(maker, critic(), points())
        maker.zero_grad(set_to_none=True)
        before = maker[0].weight.clone()
        trainer.fit(points(), steps=1)
        assert not torch.equal(maker[0].weight, before)

    def test_freezing_everything_is_refused(self):
        maker = generator()
        trainer = train(maker, critic(), points())
        maker.requires_grad_(False)
        with pytest.raises(PreflightError, match="the generator has no parameter to train"):
            trainer.fit(points(), steps=1)

    def test_a_layer_shared_by_both_players_is_refused_by_name(self):
        maker, judge = nn.Sequential(nn.Linear(2, 2)), nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1), nn.Flatten(0))
        judge[0] = maker[0]
        with pytest.raises(PreflightError, match=r"the critic's '0.weight' is the generator's '0.weight'"):
            wganx.Trainer(maker, judge, noise=(2,), device="cpu")
        maker.add_module("1", nn.Linear(2, 2))
        maker[0].requires_grad_(False)
        wganx.Trainer(maker, judge, noise=(2,), device="cpu")


class Attending(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.layer = nn.Linear(2, 8), nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, dropout=0.0)
        self.score = nn.Linear(8, 1)

    def forward(self, x):
        return self.score(self.layer(self.embed(x)).mean(1)).squeeze(1)


class Dotting(Attending):
    def forward(self, x):
        h = self.embed(x)[:, None]
        return self.score(functional.scaled_dot_product_attention(h, h, h)[:, 0].mean(1)).squeeze(1)


@pytest.mark.parametrize("kind", [Attending, Dotting])
def test_attention_runs_with_the_kernel_that_has_a_second_derivative(kind, caplog):
    maker = nn.Sequential(nn.Linear(4, 12), nn.Unflatten(1, (6, 2)))
    trainer = train(maker, kind(), [torch.randn(8, 6, 2) for _ in range(2)])
    assert notes(caplog) == [
        "the critic's attention runs with the plain kernel (math), the only one that can be differentiated twice"
    ]
    trainer.fit([torch.randn(8, 6, 2)], steps=2)
    assert len(notes(caplog)) == 1


class TestScoresAndBatches:
    @pytest.mark.parametrize("last", [nn.Identity(), nn.Unflatten(1, (1, 1, 1))], ids=["(N, 1)", "(N, 1, 1, 1)"])
    def test_scores_with_axes_of_one_are_flattened_and_said_once(self, last, caplog):
        judge = critic(last)
        trainer = train(generator(), judge, points())
        trainer.fit(points(), steps=1)
        (note,) = notes(caplog)
        assert re.fullmatch(r"the critic's scores of shape \(4, 1.*\) are taken as \(4,\)", note)
        assert judge(points()[0]).ndim > 1  # its owner's as before

    def test_flattened_scores_train_as_flat_ones(self):
        trained = []
        for last in (nn.Flatten(0), nn.Identity()):
            torch.manual_seed(0)
            maker, judge = generator(), critic(last)
            trained.append(train(maker, judge, points(), steps=3).critic)
        assert torch.equal(trained[0][0].weight, trained[1][0].weight)

    def test_tuples_of_one_and_pairs_through_prepare(self):
        pairs = [(x, torch.zeros(len(x))) for x in points()]
        train(generator(), critic(), [(x,) for x in points()])
        train(generator(), critic(), [[x] for x in points()])
        train(generator(), critic(), pairs, prepare=lambda pair: pair[0])

    def test_a_last_batch_of_one_is_left_out_and_said_once(self, caplog):
        normed = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
        data = torch.utils.data.DataLoader(torch.cat(points(65, 1)), batch_size=64)
        train(normed, critic(), data, steps=3)
        assert notes(caplog) == ["a batch of 1 rows does not suit these networks: it is left out"]

    @pytest.mark.filterwarnings("error")
    def test_a_heldout_split_of_one_is_not_measured(self):
        trainer = wganx.Trainer(generator(), critic(), noise=(4,), device="cpu")
        result = trainer.fit(points(), steps=2, log_every=1, heldout=wganx.Batch(torch.ones(1, 2)))
        assert "w1_heldout" not in result.history[-1]

    def test_a_critic_that_draws_from_numpy_does_not_mix_rows(self):
        class Noisy(nn.Module):
            def __init__(self):
                super().__init__()
                self.layers = critic()

            def forward(self, x):
                return self.layers(x + float(np.random.randn()))

        train(generator(), Noisy(), points())

    def test_batch_norm_under_clipping_is_the_original_and_trains(self):
        judge = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 1), nn.Flatten(0))
        train(generator(), judge, points(), constraint=wganx.WeightClipping())
        train(generator(), copy.deepcopy(judge), points(), constraint=wganx.wasserstein.NoConstraint())

    def test_networks_of_one_batch_size_train_and_can_be_drawn_from(self, caplog):
        class Fixed(nn.Module):
            def __init__(self, layers):
                super().__init__()
                self.layers = layers

            def forward(self, x):
                return self.layers(x.view(16, -1))

        data = [*points(), points(5)[0], points(32)[0]]
        trainer = train(Fixed(generator()), Fixed(critic()), data, steps=4, heldout=wganx.Batch(points(40)[0]))
        assert notes(caplog)[0] == "the networks take batches of 16 rows only; other batches are left out"
        assert trainer.sample(21).shape == (21, 2)
        assert torch.equal(trainer.sample(21)[:10], trainer.sample(10))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise": 8}, r"noise must be the shape of one sample of noise, such as \(100,\), or None, got 8"),
        ({"constraint": "gp"}, r"constraint must be an object such as wganx.GradientPenalty\(10.0\), got 'gp'"),
        ({"constraint": wganx.GradientPenalty}, "constraint must be an object such as .*got <class"),
        ({"objective": "wgan"}, r"objective must be an object such as wganx.Wasserstein\(\), got 'wgan'"),
        ({"optimizer": "adam"}, r"optimizer must be an object such as wganx.Optimizer\(lr=1e-4\), got 'adam'"),
        ({"critic_steps": 2.5}, "critic_steps must be a whole number, got 2.5"),
    ],
)
def test_settings_of_a_wrong_kind_are_one_line(settings, message):
    with pytest.raises(UsageError, match=message):
        wganx.Trainer(generator(), critic(), device="cpu", **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"log_every": 0}, "log_every must be a whole number of at least 1, got 0"),
        ({"checkpoint_every": 0}, "checkpoint_every must be a whole number of at least 1, got 0"),
        ({"steps": 2.5}, "steps must be a whole number of at least 0, got 2.5"),
        ({"steps": -1}, "steps must be a whole number of at least 0, got -1"),
    ],
)
def test_numbers_of_a_fit_that_cannot_be_are_one_line(settings, message):
    with pytest.raises(UsageError, match=message):
        wganx.Trainer(generator(), critic(), noise=(4,), device="cpu").fit(points(), **{"steps": 1, **settings})


def test_data_and_weights_of_two_kinds_are_named():
    with pytest.raises(PreflightError, match=r"samples are torch.float64 and the generator's weights torch.float32; "):
        train(generator(), critic(), [x.double() for x in points()])


def test_single_numbers_as_samples_are_named():
    with pytest.raises(
        PreflightError, match=r"shape \(16,\) have no axis of their own; give single numbers as \(N, 1\)"
    ):
        train(generator(), critic(), [torch.randn(16)])


def test_lazy_layers_are_named():
    with pytest.raises(PreflightError, match=r"the critic's layer '0' \(LazyLinear\) has no size yet; call the critic"):
        train(generator(), nn.Sequential(nn.LazyLinear(4), nn.Linear(4, 1), nn.Flatten(0)), points())


def test_drawing_without_what_the_generator_is_given_is_one_line():
    class Labelled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = generator()

        def forward(self, noise, label):
            return self.layers(noise) + label[:, None]

    batch = wganx.Batch(points()[0], context={"label": torch.zeros(16)})
    trainer = train(Labelled(), critic(), [batch])
    with pytest.raises(UsageError, match="cannot be called with noise alone: missing a required argument: 'label'"):
        trainer.sample(4)
    with pytest.raises(UsageError, match="at least one sample can be drawn, not 0"):
        trainer.sample(0, context={"label": torch.zeros(0)})
    assert trainer.sample(4, context={"label": torch.zeros(4)}).shape == (4, 2)


def test_the_first_epoch_depends_on_the_seed_and_not_on_the_callers_stream():
    trained = []
    for callers in (1, 2):
        torch.manual_seed(0)
        maker, judge = generator(), critic()
        loader = torch.utils.data.DataLoader(torch.cat(points()), batch_size=16, shuffle=True)
        torch.manual_seed(callers)
        trained.append(train(maker, judge, loader, steps=2).critic[0].weight)
    assert torch.equal(*trained)


class Dropping(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(32, 1), nn.Flatten(0)
        )

    def forward(self, x):
        return self.layers(x)


def test_sampling_in_a_thread_leaves_a_training_as_it_is_alone():
    def one():
        return wganx.Trainer(generator(), Dropping(), noise=(4,), device="cpu", constraint=wganx.SpectralNorm())

    torch.manual_seed(0)
    alone = one()
    torch.manual_seed(0)
    watched = one()
    alone.fit(points(), steps=40)
    training = threading.Thread(target=watched.fit, args=(points(),), kwargs={"steps": 40})
    drawn = []
    training.start()
    while training.is_alive():
        drawn.append(watched.sample(32))
    training.join()
    expected, found = alone.critic.state_dict(), watched.critic.state_dict()
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
    assert len(drawn) > 1
    assert torch.equal(watched.sample(32), alone.sample(32))


def test_trainings_in_two_threads_are_each_as_alone():
    def one(seed):
        torch.manual_seed(seed)
        return wganx.Trainer(
            generator(), Dropping(), noise=(4,), device="cpu", seed=seed, constraint=wganx.SpectralNorm()
        )

    alone = [one(seed) for seed in (0, 1)]
    together = [one(seed) for seed in (0, 1)]
    for trainer in alone:
        trainer.fit(points(), steps=40)
    threads = [threading.Thread(target=trainer.fit, args=(points(),), kwargs={"steps": 40}) for trainer in together]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one_alone, one_together in zip(alone, together):
        expected, found = one_alone.critic.state_dict(), one_together.critic.state_dict()
        assert all(torch.equal(value, found[name]) for name, value in expected.items())

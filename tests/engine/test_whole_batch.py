"""Draws of a share of the rows are the rows of the draw for all."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from wganx.engine.ranks import Ranks
from wganx.engine.steps.whole_batch import AsWholeBatch
from wganx.errors import UsageError

LOGITS = torch.randn(9, 6, generator=torch.Generator().manual_seed(0))

DRAWS = {
    "gumbel_softmax": functional.gumbel_softmax,
    "hard gumbel_softmax": lambda x: functional.gumbel_softmax(x, 0.5, hard=True),
    "exponential_": lambda x: torch.empty_like(x).exponential_(),
    "log_normal_": lambda x: torch.empty_like(x).log_normal_(),
    "cauchy_": lambda x: torch.empty_like(x).cauchy_(),
    "geometric_": lambda x: torch.empty_like(x).geometric_(0.3),
    "random_": lambda x: torch.empty_like(x).random_(0, 50),
    "randint_like": lambda x: torch.randint_like(x, 50),
    "randint": lambda x: torch.randint(0, 50, x.shape),
    "bernoulli": lambda x: torch.bernoulli(x.sigmoid()),
    "x.bernoulli": lambda x: x.sigmoid().bernoulli(),
    "multinomial": lambda x: torch.multinomial(x.softmax(1), 2),
    "normal_": lambda x: torch.empty_like(x).normal_(),
    "dropout": functional.dropout,
    "a transformer's dropouts": lambda x: nn.Dropout(0.3)(x),
    "alpha dropout": lambda x: functional.alpha_dropout(x, 0.5, True),
    "alpha dropout in place": lambda x: functional.alpha_dropout(x.clone(), 0.5, True, inplace=True),
    "feature alpha dropout": lambda x: functional.feature_alpha_dropout(x[..., None].repeat(1, 1, 3), 0.5, True),
    "normal of a size": lambda x: torch.normal(1.0, 2.0, x.shape),
    "normal about means": lambda x: torch.normal(x, 0.5),
    "normal of deviations": lambda x: torch.normal(0.0, std=x.exp()),
    "normal of both": lambda x: torch.normal(x, x.exp()),
    "normal about one mean": lambda x: torch.normal(torch.ones(6), x.exp()),
    "a normal distribution": lambda x: torch.distributions.Normal(x, x.exp()).rsample(),
}


@pytest.mark.parametrize("draw", DRAWS)
def test_a_share_of_a_draw_is_the_rows_of_the_whole(draw):
    torch.manual_seed(3)
    whole = DRAWS[draw](LOGITS), torch.rand(3)
    for rows in (slice(0, 5), slice(5, 9)):
        torch.manual_seed(3)
        with AsWholeBatch(rows, 9, 9, Ranks()):
            own = DRAWS[draw](LOGITS[rows])
        assert torch.equal(own, whole[0][rows])
        assert torch.equal(torch.rand(3), whole[1]), "the streams are no longer in step"


def test_the_gradient_through_gumbel_softmax_is_that_of_torch():
    logits = LOGITS.clone().requires_grad_(True)
    for hard in (False, True):
        found = []
        for around in (AsWholeBatch(slice(0, 9), 9, 9, Ranks()), torch.enable_grad()):
            torch.manual_seed(3)
            with around:
                made = functional.gumbel_softmax(logits, 0.7, hard)
            found.append(torch.autograd.grad(made.square().sum(), logits)[0])
        assert torch.allclose(*found)


BY_VALUE = {
    "torch.poisson": lambda x: torch.poisson(x.exp()),
    "torch.binomial": lambda x: torch.binomial(x.new_full(x.shape, 9.0), x.sigmoid()),
    "a gamma distribution": lambda x: torch.distributions.Gamma(x.exp(), 1.0).rsample(),
    "a Dirichlet distribution": lambda x: torch.distributions.Dirichlet(x.exp()).rsample(),
    "rrelu": lambda x: functional.rrelu(x, training=True),
}


@pytest.mark.parametrize("name", BY_VALUE)
def test_what_draws_by_the_values_of_its_rows_is_refused_by_name(name):
    with AsWholeBatch(slice(0, 5), 9, 9, Ranks()):
        with pytest.raises(UsageError, match=f"^{name} draws by the values of its rows, .*; train in one process"):
            BY_VALUE[name](LOGITS[:5])
        functional.rrelu(LOGITS[:5])  # in evaluation it draws nothing


@pytest.mark.parametrize("layer", [nn.LSTM, nn.GRU, nn.RNN])
def test_dropout_between_recurrent_layers_is_refused_by_name(layer):
    rows = LOGITS[:5, None]
    with AsWholeBatch(slice(0, 5), 9, 9, Ranks()):
        for input in (rows, nn.utils.rnn.pack_sequence(list(rows))):
            with pytest.raises(UsageError, match=r"^a recurrent layer with dropout inside draws by the process"):
                layer(6, 4, 2, dropout=0.5)(input)
            layer(6, 4, 2, dropout=0.5).eval()(input)
            layer(6, 4, 2)(input)


def test_dropout_inside_of_attention_is_refused_by_name():
    layer = nn.TransformerEncoderLayer(6, 2, 8, dropout=0.1, batch_first=True)
    with AsWholeBatch(slice(0, 5), 9, 9, Ranks()):
        with pytest.raises(UsageError, match="multi-head attention with dropout inside draws by the process"):
            layer(LOGITS[:5, None])
        layer.eval()(LOGITS[:5, None])
        layer.train().self_attn.dropout = 0.0
        layer(LOGITS[:5, None])

"""The networks that there are, and layouts of files that networks come in; imports no torch."""

from __future__ import annotations

from wganx import Architecture, DataCard, Layout
from wganx_image.configs.networks import (
    DcganCriticConfig,
    DcganGeneratorConfig,
    GanZooGeneratorConfig,
    GrowingCriticConfig,
    GrowingGeneratorConfig,
    MimicryGeneratorConfig,
    R3Config,
    ResnetCriticConfig,
    ResnetGeneratorConfig,
    TranslatorCriticConfig,
    TranslatorGeneratorConfig,
)

ARCHITECTURES = [
    Architecture(
        name="dcgan",
        modality="image",
        role="generator",
        summary="convolutions that double 4 x 4 px up to 16, 32, 64 or 128 px",
        config=DcganGeneratorConfig,
        build="wganx_image.networks.dcgan:Generator",
    ),
    Architecture(
        name="dcgan",
        modality="image",
        role="critic",
        summary="strided convolutions from 16, 32, 64 or 128 px down to 4 x 4",
        config=DcganCriticConfig,
        build="wganx_image.networks.dcgan:Critic",
    ),
    Architecture(
        name="resnet",
        modality="image",
        role="generator",
        summary="residual blocks up to 32, 64 or 128 px",
        config=ResnetGeneratorConfig,
        build="wganx_image.networks.resnet:Generator",
    ),
    Architecture(
        name="resnet",
        modality="image",
        role="critic",
        summary="residual blocks from 32, 64 or 128 px down",
        config=ResnetCriticConfig,
        build="wganx_image.networks.resnet:Critic",
    ),
    Architecture(
        name="growing",
        modality="image",
        role="generator",
        summary="grows from 4 px to 1024 px at most, under task.name=grow",
        config=GrowingGeneratorConfig,
        build="wganx_image.networks.growing:Generator",
    ),
    Architecture(
        name="growing",
        modality="image",
        role="critic",
        summary="grows with its generator, and scores every picture by itself",
        config=GrowingCriticConfig,
        build="wganx_image.networks.growing:Critic",
    ),
    Architecture(
        name="growing-packs",
        modality="image",
        role="critic",
        summary="grows with its generator, and scores packs of four by how they differ too",
        config=GrowingCriticConfig,
        build="wganx_image.networks.growing:PackedCritic",
        couples_rows=4,
    ),
    Architecture(
        name="r3",
        modality="image",
        role="generator",
        summary="grouped residual blocks without norms, up to 16 to 256 px",
        config=R3Config,
        build="wganx_image.networks.r3:Generator",
    ),
    Architecture(
        name="r3",
        modality="image",
        role="critic",
        summary="grouped residual blocks without norms; at home under objective relativistic with r1+r2",
        config=R3Config,
        build="wganx_image.networks.r3:Critic",
    ),
    Architecture(
        name="translator",
        modality="image",
        role="generator",
        summary="a source picture of any size in other domains, by residual blocks",
        config=TranslatorGeneratorConfig,
        build="wganx_image.networks.translator:Translator",
    ),
    Architecture(
        name="translator",
        modality="image",
        role="critic",
        summary="patches of a picture of any size, and the domains it should be of",
        config=TranslatorCriticConfig,
        build="wganx_image.networks.translator:Critic",
    ),
    Architecture(
        name="gan-zoo",
        modality="image",
        role="generator",
        summary="the progressive generator of pytorch_GAN_zoo, 4 to 1024 px, to go on from its checkpoints",
        config=GanZooGeneratorConfig,
        build="wganx_image.pretrained.gan_zoo:Generator",
    ),
    Architecture(
        name="mimicry",
        modality="image",
        role="generator",
        summary="the residual generator of mimicry, 32 or 48 px, to go on from its checkpoints",
        config=MimicryGeneratorConfig,
        build="wganx_image.pretrained.mimicry:Generator",
    ),
]

LAYOUTS = [
    Layout(
        name="gan-zoo",
        modality="image",
        summary="checkpoints of the progressive GAN of pytorch_GAN_zoo, any size",
        read="wganx_image.pretrained.gan_zoo:read",
        classes=("models.utils.config.BaseConfig",),
        card=DataCard(source="facebookresearch/pytorch_GAN_zoo", licence="not stated for the weights", offline=False),
    ),
    Layout(
        name="mimicry",
        modality="image",
        summary="checkpoints of the WGAN-GP generators of mimicry, 32 and 48 px",
        read="wganx_image.pretrained.mimicry:read",
        card=DataCard(source="kwotsin/mimicry", licence="not stated for the weights", offline=False),
    ),
]

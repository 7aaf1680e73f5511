"""The datasets that there are; imports neither torch nor Pillow."""

from __future__ import annotations

from collections.abc import Mapping

from wganx import DataCard, Dataset
from wganx_image.configs.datasets import (
    MENDS,
    SUFFIXES,
    CelebaConfig,
    DigitsConfig,
    DownloadableConfig,
    FolderConfig,
    LsunConfig,
    ProceduralFacesConfig,
    ProceduralScenesConfig,
    ProceduralStylesConfig,
    WebDatasetConfig,
)

_BICUBIC = "bicubic with antialiasing, where dataset.size is another than the pictures' own"
_DRAWN = DataCard(source="drawn when opened, by the seed", licence="MIT", offline=True, size="as many as dataset.count")
_LANCZOS = "the largest centred square, by Lanczos"


def _idx(name: str) -> Mapping[str, str]:
    """How pictures in IDX files lie, as torchvision keeps them."""
    return {
        f"{name}/raw/train-images-idx3-ubyte": "packed as .gz or not",
        f"{name}/raw/train-labels-idx1-ubyte": "",
        f"{name}/raw/t10k-images-idx3-ubyte": "held out",
        f"{name}/raw/t10k-labels-idx1-ubyte": "",
    }


DATASETS = [
    Dataset(
        name="digits",
        modality="image",
        summary="handwritten digits, 8 px grey, ten classes; part of scikit-learn",
        config=DigitsConfig,
        open="wganx_image.datasets.arrays:open_digits",
        resize=_BICUBIC,
        card=DataCard(
            source="UCI optical recognition of handwritten digits, test part (Alpaydin and Kaynak 1998)",
            licence="CC BY 4.0",
            offline=True,
            size="1,797 pictures",
        ),
    ),
    Dataset(
        name="mnist",
        modality="image",
        summary="handwritten digits, 28 px grey, ten classes",
        config=DownloadableConfig,
        open="wganx_image.datasets.arrays:open_mnist",
        resize=_BICUBIC,
        card=DataCard(source="LeCun, Cortes and Burges", licence="CC BY-SA 3.0", offline=False, size="70,000 pictures"),
        layout=_idx("MNIST"),
    ),
    Dataset(
        name="fashion-mnist",
        modality="image",
        summary="pieces of clothing, 28 px grey, ten classes",
        config=DownloadableConfig,
        open="wganx_image.datasets.arrays:open_fashion_mnist",
        resize=_BICUBIC,
        card=DataCard(
            source="Zalando Research (Xiao, Rasul and Vollgraf 2017)",
            licence="MIT",
            offline=False,
            size="70,000 pictures",
        ),
        layout=_idx("FashionMNIST"),
    ),
    Dataset(
        name="cifar10",
        modality="image",
        summary="small photographs, 32 px colour, ten classes",
        config=DownloadableConfig,
        open="wganx_image.datasets.arrays:open_cifar10",
        resize=_BICUBIC,
        card=DataCard(
            source="Krizhevsky 2009", licence="none stated, for research", offline=False, size="60,000 pictures"
        ),
        layout={
            "cifar-10-batches-py/data_batch_1": "to data_batch_5",
            "cifar-10-batches-py/test_batch": "held out",
            "cifar-10-batches-py/batches.meta": "",
        },
    ),
    Dataset(
        name="celeba",
        modality="image",
        summary="aligned faces of celebrities with 40 attributes, 178 x 218 px colour",
        config=CelebaConfig,
        open="wganx_image.datasets.celeba:open_celeba",
        listing="wganx_image.datasets.celeba:list_celeba",
        probe="wganx_image.datasets.pictures:probe",
        suffixes=SUFFIXES,
        resize=_LANCZOS,
        card=DataCard(
            source="Liu, Luo, Wang and Tang 2015",
            licence="non-commercial research only",
            offline=False,
            size="202,599 pictures",
        ),
        layout={
            "img_align_celeba/000001.jpg": "or img_align_celeba.zip",
            "list_eval_partition.txt": "the split; or .csv",
            "list_attr_celeba.txt": "for dataset.attributes; or .csv",
        },
    ),
    Dataset(
        name="lsun",
        modality="image",
        summary="scenes of one category, 256 px and more, colour",
        config=LsunConfig,
        open="wganx_image.datasets.lsun:open_lsun",
        resize=_LANCZOS,
        card=DataCard(
            source="Yu et al. 2015", licence="none stated, for research", offline=False, size="up to 3 million"
        ),
        layout={"bedroom_train_lmdb/data.mdb": "dataset.category", "bedroom_val_lmdb/data.mdb": "held out"},
    ),
    Dataset(
        name="folder",
        modality="image",
        summary="your own pictures, in a folder or a .zip archive of one",
        config=FolderConfig,
        open="wganx_image.datasets.folder:open_folder",
        fit="wganx_image.datasets.folder:fit_folder",
        resize="the largest centred square, or the whole between bands with dataset.crop=whole, by Lanczos",
        card=DataCard(source="your own files", licence="yours", offline=True),
        layout={
            "cats/tom.jpg": "a folder a class; pictures side by side have none",
            "cats/felix.png": "",
            "dogs/rex.webp": "",
            "train/cats/tom.jpg": "or the splits above the classes;",
            "test/cats/felix.png": "otherwise a tenth is held out",
        },
        folder=True,
        scenario="photos",
        suggest="wganx_image.datasets.suiting:suggest_folder",
        suffixes=SUFFIXES,
        mends=MENDS,
        probe="wganx_image.datasets.pictures:probe",
    ),
    Dataset(
        name="procedural-faces",
        modality="image",
        summary="drawn faces of nobody, with nine attributes from smile to hat",
        config=ProceduralFacesConfig,
        open="wganx_image.datasets.faces.items:open_procedural_faces",
        card=_DRAWN,
    ),
    Dataset(
        name="procedural-scenes",
        modality="image",
        summary="drawn landscapes, with weather, season and time of day",
        config=ProceduralScenesConfig,
        open="wganx_image.datasets.scenes.items:open_procedural_scenes",
        card=_DRAWN,
    ),
    Dataset(
        name="procedural-styles",
        modality="image",
        summary="drawn landscapes of two or more styles, unpaired, such as summer, winter and night",
        config=ProceduralStylesConfig,
        open="wganx_image.datasets.scenes.items:open_procedural_styles",
        card=_DRAWN,
    ),
    Dataset(
        name="webdataset",
        modality="image",
        summary="pictures in tar shards, with classes beside them",
        config=WebDatasetConfig,
        open="wganx_image.datasets.webdataset:open_webdataset",
        listing="wganx_image.datasets.webdataset:list_webdataset",
        probe="wganx_image.datasets.pictures:probe",
        suffixes=SUFFIXES,
        resize=_LANCZOS,
        card=DataCard(source="your own files", licence="yours", offline=True),
        layout={
            "train-0000.tar": "000000.jpg, 000000.cls, 000000.json, 000001.jpg ...",
            "val-0000.tar": "held out, as is test; without either a tenth is",
        },
    ),
]

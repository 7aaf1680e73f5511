"""Where the files of each dataset of films lie, below ``dataset.root`` or ``--data``: a path of each kind, and in words
what the path does not say. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "folder": {
        "holiday.mp4": "films in files: mp4, mov, mkv, webm, avi, gif and more",
        "street/0001.png": "a folder of two pictures or more is one film",
        "street/0002.png": "",
        "radar.npy": "an array (T, H, W), (T, C, H, W) or (T, H, W, C)",
        "walking/anna.mp4": "folders are classes with dataset.labels=true",
        "high/street.mp4": "pairs for upscale: films of the same names,",
        "low/street.mp4": "one smaller",
    },
    "moving-mnist": {
        "MNIST/raw/train-images-idx3-ubyte": "packed as .gz or not",
        "MNIST/raw/t10k-images-idx3-ubyte": "digits of the clips held out",
        "mnist_test_seq.npy": "the published test clips; where it is, they are held out",
    },
    "kth": {"KTH/walking/person01_walking_d1_uncomp.avi": "or a folder of frames; persons 17 to 25 are held out"},
    "ucf101": {
        "UCF101/UCF-101/Archery/v_Archery_g01_c01.avi": "",
        "UCF101/ucfTrainTestlist/trainlist01.txt": "the splits, dataset.fold 1 to 3",
        "UCF101/ucfTrainTestlist/testlist01.txt": "",
    },
    "hmdb51": {
        "HMDB51/hmdb51_org/wave/juggle_wave_u_cm_np1_fr_med_0.avi": "",
        "HMDB51/testTrainMulti_7030_splits/wave_test_split1.txt": "the splits, dataset.fold 1 to 3",
    },
    "kinetics": {
        "kinetics/train/abseiling/0347ZoDXyP0_000095_000105.mp4": "all but train is held out",
        "kinetics/annotations/train.csv": "where films lie in no folders of actions",
    },
    "vimeo-triplet": {
        "vimeo_triplet/sequences/00001/0001/im1.png": "",
        "vimeo_triplet/sequences/00001/0001/im2.png": "",
        "vimeo_triplet/sequences/00001/0001/im3.png": "",
        "vimeo_triplet/tri_trainlist.txt": "the splits",
        "vimeo_triplet/tri_testlist.txt": "",
    },
    "vimeo-septuplet": {
        "vimeo_septuplet/sequences/00001/0001/im1.png": "",
        "vimeo_septuplet/sequences/00001/0001/im2.png": "to im7.png",
        "vimeo_septuplet/BIx4/00001/0001/im1.png": "smaller ones, for pairs",
        "vimeo_septuplet/sep_trainlist.txt": "the splits",
        "vimeo_septuplet/sep_testlist.txt": "",
    },
    "reds": {
        "REDS/train_sharp/000/00000000.png": "000, 011, 015 and 020 are held out",
        "REDS/train_sharp/000/00000001.png": "to 00000099.png",
        "REDS/train_sharp_bicubic/X4/000/00000000.png": "smaller ones, for pairs",
        "REDS/val_sharp/000/00000000.png": "for training where the four are there",
    },
    "vid4": {
        "Vid4/GT/calendar/00000000.png": "calendar, city, foliage, walk",
        "Vid4/GT/calendar/00000001.png": "",
        "Vid4/BIx4/calendar/00000000.png": "smaller ones, for pairs",
    },
    "middlebury": {
        "Middlebury/other-data/Beanbags/frame10.png": "before",
        "Middlebury/other-data/Beanbags/frame11.png": "after",
        "Middlebury/other-gt-interp/Beanbags/frame10i11.png": "the truth between",
    },
}

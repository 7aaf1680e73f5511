"""Where the files of each dataset of sound lie, below ``dataset.root`` or ``--data``: a path of each kind, and in words
what the path does not say. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

LAYOUTS: Mapping[str, Mapping[str, str]] = {
    "folder": {
        "anna/hello.wav": "a folder a class; sounds of any rate and length",
        "anna/morning.flac": "",
        "ben/hello.mp3": "",
        "ben/numbers/one.ogg": "deeper folders are classes by dataset.levels",
    },
    "table": {
        "sounds.csv": "what --data names: a column path, one a label, and text and split",
        "any/folders/hello.wav": "paths in the table begin at its own folder",
    },
    "fsdd": {"fsdd/recordings/7_jackson_32.wav": "digit, speaker, take"},
    "speech-commands": {
        "SpeechCommands/speech_commands_v0.02/yes/0a7c2a8d_nohash_0.wav": "word, speaker",
        "SpeechCommands/speech_commands_v0.02/validation_list.txt": "held out, as is what testing_list.txt names",
        "SpeechCommands/speech_commands_v0.02/testing_list.txt": "",
    },
    "sc09": {
        "SpeechCommands/speech_commands_v0.02/seven/0a7c2a8d_nohash_0.wav": "zero to nine are read",
        "SpeechCommands/speech_commands_v0.02/validation_list.txt": "held out, as is what testing_list.txt names",
        "SpeechCommands/speech_commands_v0.02/testing_list.txt": "",
    },
    "vctk": {
        "VCTK-Corpus-0.92/wav48_silence_trimmed/p225/p225_001_mic1.flac": "the first microphone is read",
        "VCTK-Corpus-0.92/txt/p225/p225_001.txt": "for dataset.text",
        "VCTK-Corpus-0.92/speaker-info.txt": "accent and gender",
    },
    "ljspeech": {
        "LJSpeech-1.1/wavs/LJ001-0001.wav": "",
        "LJSpeech-1.1/metadata.csv": "for dataset.text",
    },
    "libritts": {
        "LibriTTS/train-clean-100/19/198/19_198_000000_000000.wav": "speaker, chapter",
        "LibriTTS/train-clean-100/19/198/19_198_000000_000000.normalized.txt": "for dataset.text",
        "LibriTTS/dev-clean/84/121123/84_121123_000007_000001.wav": "dev- and test- are held out",
    },
    "cmu-arctic": {
        "ARCTIC/cmu_us_bdl_arctic/wav/arctic_a0001.wav": "speaker bdl",
        "ARCTIC/cmu_us_bdl_arctic/etc/txt.done.data": "for dataset.text",
    },
    "common-voice": {
        "CommonVoice/en/clips/common_voice_en_1.mp3": "",
        "CommonVoice/en/train.tsv": "dev.tsv and test.tsv are held out; validated.tsv where there is no other",
    },
    "mls": {
        "MLS/mls_german/train/audio/252/2156/252_2156_000000.flac": "speaker, book; dev and test are held out",
        "MLS/mls_german/train/transcripts.txt": "for dataset.text",
    },
    "css10": {
        "CSS10/german/meisterfloh/meisterfloh_0001.wav": "",
        "CSS10/german/transcript.txt": "lists the recordings",
    },
    "esd": {
        "ESD/0011/Angry/train/0011_000371.wav": "speaker, emotion; evaluation and test are held out",
        "ESD/0011/0011.txt": "for dataset.text",
    },
    "ravdess": {"RAVDESS/Actor_01/03-01-06-01-02-01-01.wav": "its seven numbers say emotion, intensity, sentence"},
    "crema-d": {"CREMA-D/AudioWAV/1001_IEO_ANG_HI.wav": "speaker, sentence, emotion, intensity"},
    "emodb": {"EmoDB/wav/03a01Fa.wav": "speaker, sentence, emotion"},
    "iemocap": {
        "IEMOCAP/Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav": "",
        "IEMOCAP/Session1/dialog/EmoEvaluation/Ses01F_impro01.txt": "emotions that listeners agreed on",
        "IEMOCAP/Session1/dialog/transcriptions/Ses01F_impro01.txt": "for dataset.text",
    },
}

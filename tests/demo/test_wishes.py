"""What a query says, held against what is offered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wganx.demo.offers import FileOption, Offer
from wganx.demo.wishes import Wish, read_wish
from wganx.errors import ConfigError, UsageError

OFFER = Offer(
    ways=("draw", "walk", "slide", "send"), choices=(), truncates=True, slides=("hair=fair", "1", "2"),
    options=(FileOption("factor", "how slow", "2"),), endings=(".png",), from_data=False, has_noise=True, notice="",
)  # fmt: skip


def test_a_whole_wish():
    query = "do=send&given.speaker=anna&given.emotion=very%20sad&seed=3&option.factor=4&name=My.Film.MP4&ending=webm"
    assert read_wish(query, OFFER) == Wish(
        "send", seed=3, given={"speaker": "anna", "emotion": "very sad"}, options={"factor": 4}, name="My.Film.MP4",
        ending=".mp4", made_as=".webm",
    )  # fmt: skip
    assert read_wish("do=walk&seed=2&to=9&count=3&truncation=0.5", OFFER) == Wish(
        "walk", count=3, seed=2, to=9, truncation=0.5
    )


def test_what_is_left_blank_is_not_said():
    assert read_wish("do=draw&given.label=&seed=&count=+&option.factor=&ending=", OFFER) == Wish("draw")


@pytest.mark.parametrize(
    ("name", "kept", "ending"),
    [
        ("../../etc/passwd", "passwd", ""),
        ("C:\\films\\a.mp4", "a.mp4", ".mp4"),
        ("/tmp/x.png/..", "..", ""),
        ("a.png\0.sh", "a.png\N{REPLACEMENT CHARACTER}.sh", ".sh"),
        ("a.p/../../b", "b", ""),
        ("a.<b>", "a.<b>", ""),
        ("noending", "noending", ""),
        ("a.verylongending", "a.verylongending", ""),
        ("猫.PNG", "猫.PNG", ".png"),
    ],
)
def test_of_a_name_only_a_plain_ending_comes_near_a_path(name, kept, ending):
    from urllib.parse import quote

    wish = read_wish(f"do=send&name={quote(name)}", OFFER)
    assert (wish.name, wish.ending) == (kept, ending)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "this demo does not do that; it can: draw, walk, slide, send"),
        ("do=fly", "this demo does not fly; it can"),
        ("do=draw&count=0", "count is a whole number from 1 to 64, not 0"),
        ("do=draw&count=65", "from 1 to 64, not 65"),
        ("do=walk&count=17", "from 1 to 16, not 17"),
        ("do=draw&seed=-1", "seed is a whole number from 0 to 2147483647, not -1"),
        ("do=draw&seed=99999999999", "from 0 to 2147483647, not 99999999999"),
        ("do=draw&seed=1e3", "not 1e3"),
        ("do=draw&truncation=much", "truncation is a number, not much"),
        ("do=slide&along=7", "there is no slider '7'; there are: hair=fair, 1, 2"),
        ("do=slide", "there is no slider ''; there are"),
        ("do=send&option.codec=raw", "files have no option 'codec' here"),
        ("do=send&ending=../x", "an ending is a dot and up to eight letters or digits, such as .png, not ../x"),
        ("do=draw&checkpoint=1", "this demo knows no 'checkpoint'"),
        ("do=draw&root", "this is no wish that the page sends"),
        (f"do=draw&given.text={'x' * 600}", "given.text is longer than 500 characters; say less"),
        ("do=draw&" + "&".join(f"given.a{n}=1" for n in range(100)), "this is no wish that the page sends"),
    ],
)
def test_what_is_not_offered_is_refused_in_words(query, message):
    with pytest.raises(UsageError) as refused:
        read_wish(query, OFFER)
    assert message in str(refused.value)


def test_an_option_that_is_no_yaml_is_refused():
    with pytest.raises(ConfigError, match="factor \\[: this is no YAML"):
        read_wish("do=send&option.factor=%5B", OFFER)


def test_what_a_run_cannot_do_is_not_done():
    with pytest.raises(UsageError, match="does not send; it can: draw"):
        read_wish("do=send&name=a.png", replace(OFFER, ways=("draw",)))

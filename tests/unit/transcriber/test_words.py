from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from services.transcriber.domain.timeline import Piece, Span, to_samples
from services.transcriber.domain.windows import GivenUp, HeardWord, Window, WindowWords
from services.transcriber.domain.words import given_up, utterances
from services.transcriber.fakes import window


def heard(*words: HeardWord) -> WindowWords:
    return WindowWords(words=words)


def test_words_go_back_to_where_their_pieces_were() -> None:
    said = utterances(
        [
            (
                window(0, (10.0, 12.0), (20.0, 22.0)),
                heard(HeardWord(" раз", 0.5, 1.0, 0.9), HeardWord(" два", 2.5, 3.0, 0.8)),
            )
        ]
    )

    assert [(word.text, word.start_s, word.end_s) for utterance in said for word in utterance.words] == [
        ("раз", 10.5, 11.0),
        ("два", 20.5, 21.0),
    ]
    assert [utterance.piece.span.start for utterance in said] == [to_samples(10.0), to_samples(20.0)]


def test_a_word_over_a_cut_belongs_to_the_piece_of_its_midpoint_and_begins_there() -> None:
    [utterance] = utterances([(window(0, (10.0, 12.0), (20.0, 22.0)), heard(HeardWord(" слово", 1.8, 2.6, 0.9)))])

    assert (utterance.start_s, utterance.end_s) == (20.0, 20.6)


def test_a_word_never_begins_long_before_the_voice() -> None:
    piece = Piece(Span(to_samples(10.0), to_samples(12.0)), Span(to_samples(10.3), to_samples(11.7)))
    quiet_start = Window(call="c", channel=0, index=0, pieces=(piece,), pcm=Path("0.f32"))

    [utterance] = utterances([(quiet_start, heard(HeardWord(" слово", 0.0, 0.8, 0.9)))])

    assert (utterance.start_s, utterance.end_s) == (10.2, 10.8)


def test_what_begins_without_a_space_belongs_to_the_word_before() -> None:
    [utterance] = utterances(
        [
            (
                window(0, (0.0, 4.0)),
                heard(
                    HeardWord(" какой", 0.0, 0.4, 0.9),
                    HeardWord("-", 0.4, 0.4, 0.7),
                    HeardWord("то", 0.4, 0.6, 0.8),
                    HeardWord(" ", 0.7, 0.7, 0.5),
                ),
            )
        ]
    )

    assert utterance.text == "какой-то"
    assert (utterance.start_s, utterance.end_s, utterance.words[0].probability) == (0.0, 0.6, 0.7)


def test_given_up_stretches_are_told_in_call_time() -> None:
    lost = GivenUp(1.0, 4.0, "ааа", "repetition")

    assert list(given_up([(window(1, (10.0, 12.0), (20.0, 22.0)), WindowWords(words=(), given_up=(lost,)))])) == [
        (1, 11.0, 22.0, lost)
    ]


seconds = st.floats(0, 30, allow_nan=False)
raw_words = st.lists(
    st.builds(HeardWord, text=st.sampled_from([" а", " бе", "ве"]), start_s=seconds, end_s=seconds, probability=seconds)
)


@st.composite
def windows_with_words(draw: st.DrawFn) -> list[tuple[Window, WindowWords]]:
    pairs = []
    begin = [0.0, 0.0]
    for index in range(draw(st.integers(0, 5))):
        for channel in (0, 1):
            spans = []
            for length_s in draw(st.lists(st.floats(0.2, 9), min_size=1, max_size=3)):
                spans.append((begin[channel], begin[channel] + length_s))
                begin[channel] += length_s + draw(st.floats(0, 3))
            pairs.append((window(channel, *spans, index=index), heard(*draw(raw_words))))
    return draw(st.permutations(pairs))


@given(windows_with_words())
def test_words_of_a_channel_ascend_whatever_the_batch_order(pairs: list[tuple[Window, WindowWords]]) -> None:
    said = utterances(pairs)

    for channel in (0, 1):
        words = [word for utterance in said if utterance.channel == channel for word in utterance.words]
        assert all(left.start_s <= right.start_s for left, right in pairwise(words))
    for utterance in said:
        start_s, end_s = utterance.piece.span.start / 16_000, utterance.piece.span.end / 16_000
        assert all(start_s - 0.001 <= word.start_s <= word.end_s <= end_s + 0.001 for word in utterance.words)


@given(windows_with_words())
def test_no_letter_is_lost_or_moved_to_the_other_channel(pairs: list[tuple[Window, WindowWords]]) -> None:
    said = utterances(pairs)

    for channel in (0, 1):
        wanted = "".join(
            word.text.replace(" ", "")
            for each, words in sorted(pairs, key=lambda pair: pair[0].index)
            if each.channel == channel
            for word in words.words
        )
        got = "".join(word.text for utterance in said if utterance.channel == channel for word in utterance.words)
        assert got == wanted

"""What speech models learned from films and videos: credits, farewells to viewers, captions of sounds. Called by `filters`.

Three kinds, by how sure it is that nobody said it on the telephone: credits go wherever they stand; phrases that a person
might use inside a sentence go only where they stand alone; those that an operator might say alone go only when the model
itself was not sure. Texts are compared in lower case, ё as е, words joined by single spaces.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

#: Alone, and less sure than this: nobody said it.
UNSURE: Final = 0.6

_NAME: Final = r"(?:\w{1,2} )?\w+"
_MADE: Final = (
    r"(?:сделал[аи]?|сделаны|делал[аи]?|создал[аи]?|создавал[аи]?|создан[оы]?|подготовил[аи]?|подготовлены|подогнал[аи]?"
    r"|добавил[аи]?|написал[аи]?|перевел[аи]?|предоставил[аи]?|предоставлены|отредактировал[аи]?)"
)
_ANYWHERE: Final = (
    rf"редактор субтитров(?: {_NAME})?(?: корректор(?: {_NAME})?)?",
    rf"(?:редактор|корректор) [а-я] {_NAME}",
    rf"субтитры (?:и перевод )?{_MADE}(?: (?:сообществом|командой|студией))?(?: (?:amara org|\w+))?",
    r"субтитры (?:и перевод|от сообщества|предоставлены сообществом|по заказу) \w+(?: org)?",
    r"(?:перевод|редактура|редакция) субтитров \w+(?: \w+)?",
    r"перевод и (?:субтитры|озвучка) \w+(?: \w+)?",
    r"dimatorzok",
    r"amara org",
    r"смотрите (?:продолжение|далее) (?:в|во) (?:следующе[йм]|ново[йм]|второй|третьей|\d+) (?:серии|части|выпуске|видео)(?: видео)?",
    r"продолжение (?:смотрите )?в (?:следующе[йм]|ново[йм]) (?:серии|части|выпуске|видео)",
    r"(?:подписывайтесь|подпишитесь|подпишись) на (?:наш |мой |этот )?(?:youtube |ютуб )?канал",
    r"(?:не забудьте|не забывайте) (?:подписаться|подписываться)(?: на (?:наш |мой )?канал)?",
    r"ставьте лайки?(?: (?:и )?подписывайтесь(?: на канал)?)?",
    r"(?:жмите|нажмите|нажимайте) (?:на )?колокольчик",
    r"до (?:встречи|свидания) в (?:следующем|новом) (?:видео|выпуске|ролике)",
    r"с вами был[аи]? игорь негода",
    r"(?:subtitles|captions|translation) by(?: the)? \w+(?: \w+){0,2}",
    r"(?:please )?(?:like and )?subscribe to (?:my|our|the) channel",
    r"(?:thank you|thanks) for watching",
)
_ALONE: Final = (
    r"продолжение следует",
    r"(?:всем )?спасибо за (?:просмотр|субтитры(?: \w+)?|подписку(?: и лайки?)?)",
    r"благодар(?:ю|им) за просмотр",
    r"спасибо что (?:смотрите|смотрели|были с нами|досмотрели)(?: (?:видео|это видео|до конца))?",
    r"приятного просмотра",
    r"субтитры",
    r"девушки отдыхают",
    r"конец (?:фильма|первой серии|серии)",
    r"to be continued",
    r"please subscribe",
)
_ALONE_UNSURE: Final = (
    r"до новых встреч",
    r"всем пока",
    r"спасибо за внимание",
    r"благодарю за внимание",
    r"пока пока",
    r"thank you",
)
#: Captions of sounds, whole utterances, when the model was not sure, or wrote them in capitals as it does most.
_SOUNDS: Final = (
    r"\w+(?:ая|яя) музыка",
    r"(?:музыка|мелодия|заставка|аплодисменты|смех в зале)",
    r"(?:играет|звучит) (?:\w+ )?музыка",
)
_SOUNDS_IN_CAPITALS: Final = (
    r"(?:смех|плач|вздох|кашель|крик|крики|стук|шум|гул|звон|взрыв|лай|гудок|гудки|песня|титры|звонок)(?: \w+){0,2}",
)
#: Other captions in capitals are known by a word of such length, abbreviations being shorter ...
_LONGER_THAN_ABBREVIATIONS: Final = 6
#: ... and a single one, which may be a name, by the model's doubt.
_SURE_OF_A_NAME: Final = 0.7

PATTERNS: Final = (*_ANYWHERE, *_ALONE, *_ALONE_UNSURE, *_SOUNDS, *_SOUNDS_IN_CAPITALS)

_MATCH_ANYWHERE: Final = re.compile(rf"\b(?:{'|'.join(_ANYWHERE)})\b")
_MATCH_ALONE: Final = re.compile(rf"(?:(?:{'|'.join(_ALONE)})(?: |$))+")
_MATCH_UNSURE: Final = re.compile(rf"(?:(?:{'|'.join((*_ALONE, *_ALONE_UNSURE))})(?: |$))+")
_MATCH_SOUND: Final = re.compile(rf"(?:(?:{'|'.join(_SOUNDS)})(?: |$))+")
_MATCH_SOUND_IN_CAPITALS: Final = re.compile(rf"(?:(?:{'|'.join((*_SOUNDS, *_SOUNDS_IN_CAPITALS))})(?: |$))+")
_NOT_A_WORD: Final = re.compile(r"[^\w]+")


def bare(word: str) -> str:
    """A word as it is compared: lower case, ё as е, no marks; empty for a mark alone, several where marks divide it."""
    return _NOT_A_WORD.sub(" ", word.lower().replace("ё", "е")).strip()


def credit_flags(words: Sequence[str], probability: float) -> list[bool]:
    """Per word of an utterance, whether it belongs to credits.

    Args:
        words: As heard.
        probability: The mean of theirs.
    """
    bares = [bare(word) for word in words]
    line = " ".join(word for word in bares if word)
    alone = _MATCH_ALONE if probability >= UNSURE else _MATCH_UNSURE
    if alone.fullmatch(line):
        return [True] * len(words)
    matches = [match.span() for match in _MATCH_ANYWHERE.finditer(line)]
    flags: list[bool] = []
    position = 0
    for word in bares:
        flags.append(bool(word) and any(begin <= position < end for begin, end in matches))
        position += len(word) + 1 if word else 0
    return flags


def is_sound_caption(words: Sequence[str], probability: float) -> bool:
    """Whether an utterance tells of a sound in place of words: `СПОКОЙНАЯ МУЗЫКА`.

    Args:
        words: As heard.
        probability: The mean of theirs.
    """
    line = " ".join(word for word in map(bare, words) if word)
    letters = [only for word in words if (only := "".join(filter(str.isalpha, word)))]
    if not letters or not all(word.isupper() for word in letters):
        return probability < UNSURE and _MATCH_SOUND.fullmatch(line) is not None
    if _MATCH_SOUND_IN_CAPITALS.fullmatch(line):
        return True
    is_name = len(letters) == 1 and probability >= _SURE_OF_A_NAME
    return not is_name and any(len(word) >= _LONGER_THAN_ABBREVIATIONS for word in letters)

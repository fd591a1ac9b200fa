"""What the exports say, in Russian and English. Called by the formats; a locale we do not have reads English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Words of one language. Names in braces are filled in; dates are given twice, for text and for a sheet."""

    title: str
    roles: Mapping[str, str]
    channel: str
    directions: Mapping[str, str]
    channel_modes: Mapping[str, str]
    swapped: str
    labels: Mapping[str, str]
    warnings: Mapping[str, str]
    attention: str
    partial: str
    breaks_off: str
    no_speech: str
    seconds: str
    decimal: str
    suppressed: str
    rate: str
    level: str
    level_and_noise: str
    job: str
    states: Mapping[str, str]
    text_date: str
    sheet_date: str
    turn_headings: Mapping[str, str]
    call_headings: Mapping[str, str]
    dialogue_headings: Mapping[str, str]
    sheets: Mapping[str, str]
    open_dialogue: str


_RU: Final = Wording(
    title="Расшифровка разговора",
    roles={"operator": "Оператор", "customer": "Клиент"},
    channel="Канал {number}",
    directions={"inbound": "входящий", "outbound": "исходящий"},
    channel_modes={
        "mono": "моно",
        "stereo": "стерео",
        "dual_mono": "два одинаковых канала (по сути моно)",
        "multichannel": "многоканальная запись",
    },
    swapped="{mode} (клиент на первом канале, оператор на втором)",
    labels={
        "call": "Звонок",
        "file": "Файл",
        "started": "Дата и время",
        "zone": "Часовой пояс",
        "direction": "Направление",
        "operator": "Оператор",
        "number": "Номер клиента",
        "queue": "Очередь",
        "duration": "Длительность",
        "channels": "Каналы",
        "speech": "Речь",
        "words": "Слов",
        "confidence": "Уверенность",
        "doubtful": "Сомнительных слов",
        "rate": "Темп речи",
        "signal": "Сигнал",
        "suppressed": "Исключено",
        "language": "Язык",
        "model": "Модель",
        "engine": "Движок",
        "job": "Задание",
    },
    warnings={
        "truncated_audio": "Запись неполная: заявлено {declared}, прочитано {decoded}.",
        "mono": "Запись моно: кто говорит, определить нельзя. Включите стереозапись на АТС.",
        "dual_mono": "Оба канала одинаковы: кто говорит, определить нельзя. Включите раздельную стереозапись на АТС.",
        "silent_channel": "{channel}: в записи тишина.",
        "too_quiet": "{channel}: записано слишком тихо ({level} дБ), слова могли потеряться. Проверьте уровень записи на АТС.",
        "clipped": "{channel}: записано с перегрузкой ({share} речи искажено). Проверьте уровень записи на АТС.",
        "crosstalk": "{channel}: слышен другой собеседник ({leaked}); эти места исключены.",
    },
    attention="Внимание",
    partial="Запись прочитана не полностью.",
    breaks_off="Запись обрывается здесь",
    no_speech="Речи в записи нет.",
    seconds="{value} с",
    decimal=",",
    suppressed="{count} (утечка из другого канала, помехи, повторы; подробно в JSON)",
    rate="{value} слов/с",
    level="{speaker} {level} дБ",
    level_and_noise="{speaker} {level} дБ (шум {noise} дБ)",
    job="{job_id} (запуск {run})",
    states={
        "queued": "В очереди",
        "transcribing": "Распознаётся",
        "transcribed": "Распознан",
        "failed": "Ошибка",
        "canceling": "Отменяется",
        "canceled": "Отменён",
        "completed": "Готов",
        "erased": "Стёрт",
    },
    text_date="%d.%m.%Y %H:%M:%S",
    sheet_date="dd.mm.yyyy",
    turn_headings={
        "number": "№",
        "start": "Начало",
        "end": "Конец",
        "duration": "Длит.",
        "speaker": "Говорит",
        "text": "Текст",
        "confidence": "Уверенность",
    },
    call_headings={
        "name": "Запись",
        "date": "Дата",
        "time": "Время",
        "operator": "Оператор",
        "direction": "Направление",
        "number": "Номер клиента",
        "chain": "Цепочка",
        "duration": "Длительность",
        "operator_share": "Доля речи: оператор",
        "customer_share": "Доля речи: клиент",
        "channel_shares": "Доля речи по каналам",
        "silence": "Самая долгая пауза",
        "silence_at": "Начало паузы",
        "words": "Слов",
        "confidence": "Уверенность",
        "state": "Состояние",
        "warnings": "Замечания",
        "dialogue": "Диалог",
    },
    dialogue_headings={"name": "Запись", "start": "Время", "speaker": "Говорит", "text": "Текст"},
    sheets={"turns": "Реплики", "call": "Звонок", "calls": "Звонки", "dialogues": "Диалоги"},
    open_dialogue="открыть",
)

_EN: Final = Wording(
    title="Call transcript",
    roles={"operator": "Operator", "customer": "Customer"},
    channel="Channel {number}",
    directions={"inbound": "inbound", "outbound": "outbound"},
    channel_modes={
        "mono": "mono",
        "stereo": "stereo",
        "dual_mono": "two identical channels (in effect mono)",
        "multichannel": "multichannel",
    },
    swapped="{mode} (customer on the first channel, operator on the second)",
    labels={
        "call": "Call",
        "file": "File",
        "started": "Date and time",
        "zone": "Time zone",
        "direction": "Direction",
        "operator": "Operator",
        "number": "Customer number",
        "queue": "Queue",
        "duration": "Duration",
        "channels": "Channels",
        "speech": "Speech",
        "words": "Words",
        "confidence": "Confidence",
        "doubtful": "Doubtful words",
        "rate": "Speech rate",
        "signal": "Signal",
        "suppressed": "Left out",
        "language": "Language",
        "model": "Model",
        "engine": "Engine",
        "job": "Job",
    },
    warnings={
        "truncated_audio": "The recording is incomplete: {declared} declared, {decoded} decoded.",
        "mono": "The recording is mono: who speaks cannot be told. Switch stereo recording on in the PBX.",
        "dual_mono": "Both channels are the same: who speaks cannot be told. Switch separate stereo recording on in the PBX.",
        "silent_channel": "{channel}: the recording is silent.",
        "too_quiet": "{channel}: recorded too quietly ({level} dB), words may be lost. Check the PBX's recording level.",
        "clipped": "{channel}: recorded too loudly ({share} of the speech is distorted). Check the PBX's recording level.",
        "crosstalk": "{channel}: the other side can be heard ({leaked}); these stretches were left out.",
    },
    attention="Attention",
    partial="Not all of the recording could be read.",
    breaks_off="The recording breaks off here",
    no_speech="Nobody speaks in the recording.",
    seconds="{value} s",
    decimal=".",
    suppressed="{count} (leaks from the other channel, noise, repetitions; details in the JSON)",
    rate="{value} words/s",
    level="{speaker} {level} dB",
    level_and_noise="{speaker} {level} dB (noise {noise} dB)",
    job="{job_id} (run {run})",
    states={
        "queued": "Queued",
        "transcribing": "Transcribing",
        "transcribed": "Transcribed",
        "failed": "Failed",
        "canceling": "Being canceled",
        "canceled": "Canceled",
        "completed": "Completed",
        "erased": "Erased",
    },
    text_date="%Y-%m-%d %H:%M:%S",
    sheet_date="yyyy-mm-dd",
    turn_headings={
        "number": "No.",
        "start": "Start",
        "end": "End",
        "duration": "Length",
        "speaker": "Speaker",
        "text": "Text",
        "confidence": "Confidence",
    },
    call_headings={
        "name": "Recording",
        "date": "Date",
        "time": "Time",
        "operator": "Operator",
        "direction": "Direction",
        "number": "Customer number",
        "chain": "Chain",
        "duration": "Duration",
        "operator_share": "Speech: operator",
        "customer_share": "Speech: customer",
        "channel_shares": "Speech by channel",
        "silence": "Longest silence",
        "silence_at": "Silence starts",
        "words": "Words",
        "confidence": "Confidence",
        "state": "State",
        "warnings": "Remarks",
        "dialogue": "Dialogue",
    },
    dialogue_headings={"name": "Recording", "start": "Time", "speaker": "Speaker", "text": "Text"},
    sheets={"turns": "Turns", "call": "Call", "calls": "Calls", "dialogues": "Dialogues"},
    open_dialogue="open",
)


def wording(locale: str) -> Wording:
    """The words of a locale: `ru`, else English."""
    return _RU if locale == "ru" else _EN

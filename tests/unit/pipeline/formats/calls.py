"""Transcripts for the exporter's tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from pipeline.contracts.call_info import CallInfo
from pipeline.contracts.events import Timings
from pipeline.contracts.transcript import Channel, Provenance, Transcript, Turn, Warning_, Word

MOSCOW: Final = timezone(timedelta(hours=3))
ROLES: Final = ("operator", "customer")

INFO: Final = CallInfo(
    file_name="2026-03-14_101530.wav",
    started_at=datetime(2026, 3, 14, 10, 15, 30, tzinfo=MOSCOW),
    direction="inbound",
    operator="Иванова А. П.",
    customer_number="+7 900 000-00-00",
    queue="Поддержка",
    metadata={"Тема": "Перевод"},
)


def turn(
    text: str,
    *,
    channel: int = 0,
    role: str | None = "operator",
    start_s: float = 0.0,
    end_s: float = 1.0,
    confidence: float | None = 0.9,
    timed: bool = True,
) -> Turn:
    """A turn; its words share its time evenly. Not `timed`: it has no words."""
    tokens = text.split() if timed else []
    step_s = (end_s - start_s) / max(1, len(tokens))
    words = tuple(
        Word(
            text=token,
            start_s=round(start_s + number * step_s, 3),
            end_s=round(start_s + (number + 1) * step_s, 3),
            confidence=0.9,
        )
        for number, token in enumerate(tokens)
    )
    return Turn(channel=channel, role=role, start_s=start_s, end_s=end_s, text=text, confidence=confidence, words=words)


def transcript(turns: Sequence[Turn] = (), **fields: Any) -> Transcript:
    """A stereo call of a minute; every field may be overridden by name."""
    values: dict[str, Any] = {
        "job_id": "job-1",
        "run": 1,
        "call_id": "call-job-1",
        "client": "acme",
        "language": "ru",
        "channel_mode": "stereo",
        "duration_s": 60.0,
        "partial": False,
        "warnings": (),
        "channels": tuple(Channel(index=index, role=role, speech_s=10.0) for index, role in enumerate(ROLES)),
        "turns": tuple(turns),
        "suppressed": (),
        "timings": Timings(queue_wait_ms=120, decode_ms=80, vad_ms=300, engine_ms=9_000),
        "provenance": Provenance(
            audio_sha256="0" * 64,
            engine="faster-whisper/1.2.1",
            model="base",
            model_sha256="905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57",
            parameters={"beam_size": 5},
        ),
    }
    return Transcript(**{**values, **fields})


def conversation() -> Transcript:
    """A short real-looking call of which the end could not be read."""
    said = (
        (0, 0.8, 6.95, "Добрый день, банк Северный, специалист Александр. Как я могу к вам обращаться?"),
        (1, 7.5, 10.14, "Здравствуйте, меня зовут Марина Сергеевна."),
        (0, 10.83, 15.11, "Очень приятно, Марина Сергеевна. Какой у вас вопрос?"),
        (
            1,
            15.56,
            41.0,
            (
                "У меня списали деньги два раза за одну и ту же покупку, три тысячи пятьсот рублей, вчера вечером в "
                "магазине на улице Ленина. Я сначала подумала, что это ошибка терминала, подождала до утра, но деньги так "
                "и не вернулись, и в приложении теперь видно две операции подряд. Что мне делать?"
            ),
        ),
        (0, 41.6, 42.0, "Понимаю."),
        (1, 41.8, 42.4, "Да."),
    )
    return transcript(
        [turn(text, channel=channel, role=ROLES[channel], start_s=a, end_s=b) for channel, a, b, text in said],
        duration_s=84.2,
        partial=True,
        warnings=(Warning_(code="truncated_audio", details={"declared_s": 252.0, "decoded_s": 84.2}),),
    )

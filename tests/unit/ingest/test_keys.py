from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.ingest import keys

KEY_IDS = st.binary(min_size=keys.KEY_ID_BYTES, max_size=keys.KEY_ID_BYTES)
SECRETS = st.binary(min_size=keys.SECRET_BYTES, max_size=keys.SECRET_BYTES)


@given(KEY_IDS, SECRETS)
def test_a_composed_key_is_parsed_back_and_matches_its_own_hash(key_id: bytes, secret: bytes) -> None:
    parsed = keys.parse(keys.compose(key_id, secret))
    assert parsed == keys.ParsedKey(key_id.hex(), secret.hex())
    assert keys.matches(parsed, keys.secret_sha256(secret.hex()))


@given(KEY_IDS, SECRETS, st.integers(min_value=4, max_value=94), st.sampled_from("0123456789abcdef"))
def test_one_mistyped_character_is_spotted_without_the_database(
    key_id: bytes, secret: bytes, place: int, typed: str
) -> None:
    text = keys.compose(key_id, secret)
    mistyped = text[:place] + typed + text[place + 1 :]
    assert (keys.parse(mistyped) is None) == (mistyped != text)


@given(st.text())
def test_any_text_at_all_can_be_asked_about(text: str) -> None:
    assert keys.parse(text) is None


def test_another_secret_no_key_and_no_stored_hash_do_not_match() -> None:
    parsed = keys.parse(keys.compose(bytes(6), bytes(32)))
    assert not keys.matches(parsed, keys.secret_sha256("another"))
    assert not keys.matches(parsed, None)
    assert not keys.matches(None, keys.secret_sha256(""))
    assert not keys.matches(None, None)

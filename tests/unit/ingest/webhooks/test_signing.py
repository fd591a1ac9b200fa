from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from services.ingest.webhooks import signing

NOW_S = int(datetime.now(UTC).timestamp())  # the stranger's verifier knows the time
OLD, NEW = (signing.secret_text(bytes([number] * signing.SECRET_BYTES)) for number in (1, 2))


def test_the_specifications_own_example_gives_its_signature() -> None:
    headers = signing.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]
    )
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(max_size=200), st.binary(min_size=24, max_size=64))
def test_a_strangers_verifier_takes_what_we_sign(text: str, secret: bytes) -> None:
    body, known = text.encode("utf-8", "ignore"), signing.secret_text(secret)
    headers = signing.headers("id", NOW_S, body, [known])
    Webhook(known).verify(body, headers, json_parse=False)


@pytest.mark.parametrize("held", [OLD, NEW])
def test_while_secrets_change_over_a_receiver_with_either_takes_it(held: str) -> None:
    Webhook(held).verify(b"{}", signing.headers("id", NOW_S, b"{}", [NEW, OLD]))


@pytest.mark.parametrize("changed", [{"webhook-id": "other"}, {"webhook-timestamp": str(NOW_S - 1)}, {"body": "{ }"}])
def test_whoever_changes_anything_is_found_out(changed: dict[str, str]) -> None:
    sent = {**signing.headers("id", NOW_S, b"{}", [NEW]), "body": "{}", **changed}
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(sent.pop("body"), sent)

import base64
import json
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st
from waymark.errors.v1 import reason_pb2

from services.platform.errors import Refusal
from services.platform.signing import SigningKey, jwk, keys_of
from services.vouchers.domain import codes, qr


def refused(text: str) -> bool:
    try:
        codes.normalise(text)
    except Refusal as refusal:
        return refusal.reason == reason_pb2.REASON_VOUCHER_CODE_INVALID
    return False


def test_a_code_has_75_random_bits_and_a_check_character() -> None:
    code = codes.new_code()
    assert len(code) == 19
    assert codes.normalise(code) == code.replace("-", "")
    assert len({codes.new_code() for _ in range(500)}) == 500


def test_a_code_is_read_however_it_was_typed() -> None:
    code = codes.grouped("01" + "A" * 13 + codes.check_character("01" + "A" * 13))
    assert codes.normalise(
        code.lower().replace("0", "o").replace("1", "l").replace("-", " ")
    ) == code.replace("-", "")


@given(st.integers(0, 14), st.sampled_from(codes.ALPHABET))
def test_any_single_slip_is_noticed(place: int, other: str) -> None:
    code = codes.new_code().replace("-", "")
    slipped = code[:place] + other + code[place + 1 :]
    assert refused(slipped) == (slipped != code)


@given(st.text(max_size=30))
def test_anything_else_is_refused_with_one_reason(text: str) -> None:
    assert refused(text)


def test_the_hmac_depends_on_key_and_code() -> None:
    code = codes.new_code()
    assert codes.code_hmac(b"a" * 32, code) == codes.code_hmac(b"a" * 32, codes.normalise(code))
    assert codes.code_hmac(b"a" * 32, code) != codes.code_hmac(b"b" * 32, code)


def test_the_qr_proves_itself_offline() -> None:
    key = SigningKey(Ed25519PrivateKey.generate())
    token = qr.voucher_token(key, "vouchers/1", "programmes/p", datetime(2030, 1, 1, tzinfo=UTC), 1)
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    assert json.loads(head) == {"alg": "EdDSA", "kid": key.id, "typ": "waymark-voucher"}
    assert json.loads(claims) == {
        "sub": "vouchers/1",
        "programme": "programmes/p",
        "exp": 1893456000,
        "issue": 1,
    }
    signed = token.rpartition(".")[0].encode()
    public = Ed25519PublicKey.from_public_bytes(key.public)
    public.verify(signature, signed)
    with pytest.raises(InvalidSignature):
        public.verify(signature, signed + b"x")
    assert qr.pictures(token)[0].startswith("<svg")


def made(key: SigningKey, issue: int = 1) -> str:
    return qr.voucher_token(key, "vouchers/1", "programmes/p", datetime(2030, 1, 1, tzinfo=UTC), issue)


def flaw_of(token: str, keys: dict[str, bytes]) -> str:
    with pytest.raises(qr.NotGenuineError) as raised:
        qr.read_token(token, keys)
    return raised.value.flaw.name


def test_a_genuine_qr_is_read_with_published_keys() -> None:
    key, former = (SigningKey(Ed25519PrivateKey.generate()) for _ in range(2))
    published = {"keys": [{"kty": "RSA", "kid": "r"}, jwk(key.public), jwk(former.public)]}
    keys = keys_of(json.dumps(published).encode())
    for each in (key, former):
        claims = qr.read_token(made(each, 3), keys)
        assert claims == qr.Claims("vouchers/1", "programmes/p", datetime(2030, 1, 1, tzinfo=UTC), 3, each.id)
    assert flaw_of(made(SigningKey(Ed25519PrivateKey.generate())), keys) == "UNKNOWN_KEY"


@given(st.integers(0, 10_000), st.sampled_from("ABCxyz019-_.= "))
def test_no_changed_character_stays_genuine(place: int, other: str) -> None:
    key = SigningKey(Ed25519PrivateKey.from_private_bytes(b"k" * 32))
    token = made(key)
    place %= len(token)
    changed = token[:place] + other + token[place + 1 :]
    if changed.strip() != token:
        flaw_of(changed, {key.id: key.public})


def test_another_algorithm_or_kind_of_token_is_none() -> None:
    key = SigningKey(Ed25519PrivateKey.generate())
    keys = {key.id: key.public}
    head, claims, _ = made(key).split(".")

    def with_header(**changes: object) -> str:
        header = {**json.loads(base64.urlsafe_b64decode(head + "==")), **changes}
        encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        signature = base64.urlsafe_b64encode(key.private.sign(f"{encoded}.{claims}".encode())).decode()
        return f"{encoded}.{claims}.{signature.rstrip('=')}"

    assert qr.read_token(with_header(), keys).voucher == "vouchers/1"  # control: the forger's tool works
    for changes in ({"alg": "none"}, {"alg": "HS256"}, {"typ": "at+jwt"}, {"kid": 5}):
        assert flaw_of(with_header(**changes), keys) == "MALFORMED"
    deep = base64.urlsafe_b64encode(b"[" * 1401).decode()
    for text in ("", "a.b", "a.b.c", "..", f"{head}.{claims}.", "x" * 3000, f"{deep}.{claims}.a"):
        assert flaw_of(text, keys) in {"MALFORMED", "FORGED"}


@pytest.mark.parametrize("issue", [0, -1, 2**31, True, 1.5])
def test_a_good_key_does_not_make_a_good_issue(issue: int) -> None:
    key = SigningKey(Ed25519PrivateKey.generate())
    assert qr.read_token(made(key, 2**31 - 1), {key.id: key.public}).issue == 2**31 - 1
    assert flaw_of(made(key, issue), {key.id: key.public}) == "MALFORMED"


def test_the_qr_as_picture_is_a_png() -> None:
    _, picture = qr.pictures(made(SigningKey(Ed25519PrivateKey.generate())))
    assert picture.startswith(b"\x89PNG\r\n\x1a\n")
    assert len(picture) < 20_000


@pytest.mark.parametrize("document", [None, [], {}, {"keys": []}, {"keys": [1]}, {"keys": [{"kty": "OKP"}]}])
def test_a_file_without_keys_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"JWK set|no JSON object"):
        keys_of(json.dumps(document).encode())

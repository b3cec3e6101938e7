"""Content credentials, signed with a certificate made for the test and read back by the C2PA's own reader."""

from __future__ import annotations

import datetime
import io
import json

import numpy as np
import pytest
from PIL import Image

from ml_backend.errors import BadInput
from ml_backend.images import read_recipe, save_picture
from ml_backend.signing import Credentials, can_sign, is_there, sign

c2pa = pytest.importorskip("c2pa")
x509 = pytest.importorskip("cryptography.x509")


@pytest.fixture(scope="module")
def credentials() -> Credentials:
    return made("Toile test")


def made(name: str) -> Credentials:
    """A certificate for signing documents, and that of the authority that vouches for it; both for a day."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    now = datetime.datetime.now(datetime.UTC)

    def certificate(subject, public, issuer, key, ca):
        def named(text):
            return x509.Name(
                [x509.NameAttribute(NameOID.COMMON_NAME, text), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test")]
            )

        flags = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False)
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=ca, crl_sign=ca, encipher_only=False, decipher_only=False, **flags
        )
        builder = (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named(issuer))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        )
        if not ca:
            builder = builder.add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
            )
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = certificate(name, own.public_key(), "Test authority", authority, ca=False)
    chain += certificate("Test authority", authority.public_key(), "Test authority", authority, ca=True)
    key = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Credentials(chain, key)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_a_signed_picture_says_what_made_it_and_is_the_same_picture(tmp_path, credentials, suffix):
    recipe = {"engine": "dreamed", "pattern_type": "floral"}
    pixels = np.random.default_rng(2).integers(0, 256, (40, 30, 3), np.uint8)
    path = tmp_path / f"print.{suffix}"
    if suffix == "png":
        save_picture(Image.fromarray(pixels), path, recipe)
    else:
        from ml_backend.printing.writers import Sheet, write_file

        write_file(path, "tiff", Sheet(30, 40, 300, recipe=recipe), [pixels])
    assert is_there() and can_sign(path)
    sign(path, recipe, "toile-floral-1", credentials)
    with c2pa.Reader(path) as reader:
        told = json.loads(reader.json())
        state = reader.get_validation_state()
    manifest = told["manifests"][told["active_manifest"]]
    assert state in ("Valid", "Trusted")
    assert manifest["title"] == "toile-floral-1"
    assert "trainedAlgorithmicMedia" in json.dumps(manifest["assertions"])
    assert manifest["signature_info"]["common_name"] == "Toile test"
    with Image.open(path) as image:
        assert np.array_equal(np.asarray(image), pixels)
        if suffix == "png":
            assert read_recipe(image) == recipe
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_picture_that_was_changed_afterwards_is_found_out(tmp_path, credentials):
    path = tmp_path / "a.png"
    save_picture(Image.new("RGB", (64, 64), "#9c2a2e"), path, {"engine": "drawn"})
    sign(path, {"engine": "drawn"}, "a", credentials)
    data = bytearray(path.read_bytes())
    at = bytes(data).rindex(b"IDAT") + 12
    data[at] ^= 1
    with c2pa.Reader("image/png", io.BytesIO(bytes(data))) as reader:
        assert reader.get_validation_state() == "Invalid"


def test_a_key_that_is_not_the_certificate_s_is_refused_and_the_file_stays(tmp_path, credentials):
    path = tmp_path / "a.png"
    save_picture(Image.new("RGB", (8, 8)), path, {"engine": "drawn"})
    before = path.read_bytes()
    for wrong in (Credentials(b"no", b"no"), Credentials(credentials.certificate, b"-----BEGIN X-----")):
        with pytest.raises(BadInput, match="does not sign"):
            sign(path, {"engine": "drawn"}, "a", wrong)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1

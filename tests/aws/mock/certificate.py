"""A certificate for 127.0.0.1 and AWS's names, signed by itself: clients are told to trust it by
AWS_CA_BUNDLE, or refuse it."""
import subprocess

NAMES = "IP:127.0.0.1,DNS:localhost,DNS:*.amazonaws.com,DNS:*.eu-west-1.amazonaws.com"


def make_certificate(folder):
    """(the certificate's file, the key's)"""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=mock",
                    "-addext", f"subjectAltName={NAMES}", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key

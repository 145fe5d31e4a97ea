"""Time stamps of kept heads, by a time-stamp authority of our own: OpenSSL behind a small HTTP server."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "unit" / "ledger"))

from ledger_world import World, people

pytest.importorskip("rfc3161_client", reason="TIME STAMPS NOT TESTED: cohortd[stamp] is not installed")

from cohortd.core.errors import SettingsError
from cohortd.core.removals import SignedHead
from cohortd.ledger import KeptHead, Ledger, append_head, read_all_kept
from cohortd.pipeline.keeping_heads import heads_lines, keep_heads
from cohortd.pipeline.proving import verify_log
from cohortd.pipeline.stamping import StampError, check_stamps, stamp
from cohortd.pipeline.wiring import HeadsPolicy
from consent import ChainSealer

HEAD = SignedHead(7, "ab" * 32, "cd" * 64, "ef" * 32)
OPENSSL = shutil.which("openssl")
CONFIG = """
[tsa]
serial = {folder}/serial
default_policy = 1.2.3.4
digests = sha256, sha384, sha512
signer_digest = sha256
ess_cert_id_alg = sha256
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


@dataclass
class Authority:
    url: str
    certificate: Path
    #: What becomes of an answer before it is sent.
    change: Callable[[bytes], bytes] = bytes


def run(folder: Path, *words: str) -> None:
    assert OPENSSL is not None
    subprocess.run([OPENSSL, *words], cwd=folder, check=True, capture_output=True)


def make_certificates(folder: Path, name: str) -> Path:
    (folder / "tsa.cnf").write_text(CONFIG.format(folder=folder))
    (folder / "serial").write_text("01\n")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "tsa.cnf")
    root = ("-x509", "-keyout", "root.key", "-out", "root.pem", "-subj", f"/CN={name}", "-days", "9")
    run(folder, "req", *key, *root, "-extensions", "root")
    run(folder, "req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", f"/CN={name} stamps")
    signed = ("-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "2", "-out", "tsa.pem", "-days", "9")
    run(folder, "x509", "-req", "-in", "tsa.csr", *signed, "-extfile", "tsa.cnf", "-extensions", "stamping")
    return folder / "root.pem"


def answered(folder: Path, query: bytes) -> bytes:
    (folder / "query").write_bytes(query)
    signer = ("-signer", "tsa.pem", "-inkey", "tsa.key")
    asked = ("-config", "tsa.cnf", "-section", "tsa", "-queryfile", "query", "-out", "answer")
    run(folder, "ts", "-reply", *asked, *signer)
    return (folder / "answer").read_bytes()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    if OPENSSL is None:
        pytest.skip("TIME STAMPS NOT TESTED: there is no openssl here to stand in for an authority")
    folder = tmp_path_factory.mktemp("authority")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            body = authority.change(answered(folder, query))
            self.send_response(200 if body else 503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        authority = Authority(url, make_certificates(folder, "Authority"))
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield authority
        server.shutdown()
        thread.join()


@pytest.fixture
def authority(serving: Authority) -> Iterator[Authority]:
    yield serving
    serving.change = bytes


def test_a_head_is_stamped_and_the_stamp_holds_beside_the_kept_head(
    authority: Authority, tmp_path: Path
) -> None:
    file = tmp_path / "heads.jsonl"
    append_head(file, replace(HEAD, seq=3))
    append_head(file, HEAD, stamp=stamp(authority.url, HEAD))
    stamps = check_stamps(read_all_kept(file), authority.certificate)

    assert (stamps.count, stamps.finding) == (1, "")
    assert stamps.newest is not None


def test_a_stamp_of_another_head_or_by_another_authority_is_found(
    authority: Authority, tmp_path: Path
) -> None:
    stamped = stamp(authority.url, HEAD)
    foreign = make_certificates(tmp_path, "Another")

    for head, certificate in (
        (replace(HEAD, seq=8), authority.certificate),
        (replace(HEAD, signature="00" * 64), authority.certificate),
        (HEAD, foreign),
    ):
        assert "not of this head" in check_stamps([KeptHead(head, stamped)], certificate).finding
    for broken in (b"unreadable", stamped[:-9]):
        assert check_stamps([KeptHead(HEAD, broken)], authority.certificate).finding


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: b"", "did not answer"),
        (lambda _: b"<html>", "no time stamp"),
        (lambda _: bytes.fromhex("30053003020102"), "no time stamp"),  # it was refused
        (lambda _: b"0" * 70_000, "too long"),
    ],
    ids=["down", "no answer", "refused", "too long"],
)
def test_an_authority_that_does_not_stamp_is_told(
    authority: Authority, change: Callable[[bytes], bytes], said: str
) -> None:
    authority.change = change

    with pytest.raises(StampError, match=said):
        stamp(authority.url, HEAD)


def test_an_answer_to_another_question_is_no_stamp(authority: Authority) -> None:
    kept: list[bytes] = []

    def keep(answer: bytes) -> bytes:
        kept.append(answer)
        return kept[0]

    authority.change = keep
    stamp(authority.url, HEAD)

    with pytest.raises(StampError, match="something else"):
        stamp(authority.url, HEAD)


def test_a_file_without_a_certificate_is_refused(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for name in ("empty.pem", "none.pem"):
        with pytest.raises(SettingsError):
            check_stamps([KeptHead(HEAD, b"x")], tmp_path / name)


@pytest.fixture
def installation(authority: Authority, tmp_path: Path) -> Iterator[Any]:
    """As much of a pipeline as keeps heads and verifies its log."""
    world = World(tmp_path)
    world.ledger.close()
    sealer = ChainSealer(tmp_path / "log.key")
    world.ledger = Ledger.open(world.url, sealer=sealer, state_dir=tmp_path / "state")
    (tmp_path / "share").mkdir()
    world.revoke(*people("ann"))
    policy = HeadsPolicy(
        [tmp_path / "share"], timestamp_url=authority.url, timestamp_certificate=authority.certificate
    )
    yield SimpleNamespace(
        ledger=world.ledger, heads=policy, log_key=sealer.public_key, clock=lambda: world.now
    )
    world.ledger.close()


def test_heads_that_the_daemon_keeps_are_stamped_and_verified_from_their_folder(
    installation: Any, tmp_path: Path
) -> None:
    assert keep_heads(installation) == 1
    true = verify_log(installation, heads_from=tmp_path / "share")
    foreign = make_certificates(tmp_path, "Another")
    doubted = verify_log(installation, heads_from=tmp_path / "share", certificate=foreign)

    assert (true.ok, true.stamps.count, true.as_json()["newest_stamp"] is None) == (True, 1, False)
    assert [line.ok for line in heads_lines(installation)] == [True]
    assert not doubted.ok
    assert "time stamp of a kept head" in doubted.finding

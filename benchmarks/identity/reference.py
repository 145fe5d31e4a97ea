"""What hashing alone costs: SHA-256 through OpenSSL's EVP interface, one message after the other."""

import ctypes
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.identity.timing import cpu_seconds

_SOURCE = """
#include <openssl/evp.h>
#include <stdint.h>
void evp(const uint8_t *data, const int64_t *offsets, int64_t rows, uint8_t *digests) {
    EVP_MD *sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    for (int64_t i = 0; i < rows; i++) {
        EVP_DigestInit_ex2(context, sha256, NULL);
        EVP_DigestUpdate(context, data + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
        EVP_DigestFinal_ex(context, digests + 32 * i, NULL);
    }
    EVP_MD_CTX_free(context);
    EVP_MD_free(sha256);
}
"""


def rows_per_second(columns: Sequence[pa.Array]) -> tuple[str, float]:
    """How many texts OpenSSL hashes on one core, and how that was found.

    Args:
        columns: Large strings, none null.
    """
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "evp.c"), Path(folder, "evp.so")
        source.write_text(_SOURCE, encoding="ascii")
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        command = [compiler or "cc", "-O3", "-shared", "-fPIC", str(source), "-o", str(library), "-lcrypto"]
        try:
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own text
        except (OSError, subprocess.CalledProcessError):
            return "openssl speed -evp sha256 -bytes 32", _by_command()
        return "a C loop over EVP_Digest*, libcrypto", _by_library(library, columns)


def _by_library(library: Path, columns: Sequence[pa.Array]) -> float:
    evp = ctypes.CDLL(str(library)).evp
    evp.argtypes, evp.restype = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p], None
    digests = np.empty((max(map(len, columns)), 32), dtype=np.uint8)

    def hash_column(texts: pa.Array) -> None:
        _, offsets, data = texts.buffers()
        evp(data.address, offsets.address, len(texts), digests.ctypes.data)

    return sum(map(len, columns)) / cpu_seconds([partial(hash_column, texts) for texts in columns])


def _by_command() -> float:
    command = [
        shutil.which("openssl") or "openssl",
        "speed",
        "-evp",
        "sha256",
        "-bytes",
        "32",
        "-seconds",
        "3",
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - no input
    found = re.search(
        r"Doing \S+ for 3s on 32 size blocks: (\d+) .* in ([0-9.]+)s", said.stderr, re.IGNORECASE
    )
    assert found is not None, "openssl speed said something else"
    return int(found[1]) / float(found[2])

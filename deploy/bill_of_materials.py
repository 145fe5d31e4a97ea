"""Write which packages an environment holds, as CycloneDX 1.6 (SBOM), the same for the same environment.

    /opt/cohortd/bin/python bill_of_materials.py requirements.lock > /opt/cohortd/sbom.cdx.json

The hashes are those of the lock file, against which every file was checked: of a package with several
files, all that it may have been.
"""

import importlib.metadata
import json
import re
import sys
import uuid
from pathlib import Path
from typing import Final

#: Names this kind of document; any fixed one would do.
_NAMESPACE: Final = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
_PRODUCT: Final = "cohortd"


def locked_hashes(lock: str) -> dict[tuple[str, str], list[str]]:
    """Read (package, version) -> SHA-256 of its files."""
    found: dict[tuple[str, str], list[str]] = {}
    key = ("", "")
    for line in lock.splitlines():
        if start := re.match(r"([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", line):
            key = (start[1], start[2])
        if digest := re.search(r"--hash=sha256:([0-9a-f]{64})", line):
            found.setdefault(key, []).append(digest[1])
    return found


def component(found: importlib.metadata.Distribution, hashes: list[str]) -> dict[str, object]:
    """Describe one package."""
    name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
    purl = f"pkg:pypi/{name}@{found.version}"
    told: dict[str, object] = {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": found.version,
        "purl": purl,
    }
    licence = found.metadata.get("License-Expression")
    if licence:
        told["licenses"] = [{"expression": licence}]
    if hashes:
        told["hashes"] = [{"alg": "SHA-256", "content": digest} for digest in sorted(hashes)]
    return told


def bill(lock: str) -> dict[str, object]:
    """Describe the environment that runs this."""
    hashes = locked_hashes(lock)
    components = {}
    for found in importlib.metadata.distributions():
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        components[name] = component(found, hashes.get((name, found.version), []))
    product = components.pop(_PRODUCT, None)
    listed = [components[name] for name in sorted(components)]
    content = json.dumps([product, listed], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, content)}",
        "version": 1,
        "metadata": {} if product is None else {"component": {**product, "type": "application"}},
        "components": listed,
    }


def main() -> None:
    """Describe this environment, by the lock file named on the command line."""
    lock = Path(sys.argv[1]).read_text(encoding="utf-8")
    json.dump(bill(lock), sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()

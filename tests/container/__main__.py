"""``python -m tests.container``: build the shipped Dockerfile without an engine, and run what it makes.

Needs root, buildah and debootstrap; says what is missing. Where packages come from is this machine's
business: pip's configuration and certificates are given by options and end up in the base.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.container import weighing
from tests.container.building import Image, Origin, build, make_base
from tests.container.places import ROOT, FellShortError, Workshop, lacking
from tests.container.under_systemd import TOOLS as FOR_SYSTEMD
from tests.container.under_systemd import prove_under_systemd


def main(arguments: list[str]) -> int:
    """Prove all; 0 if everything held, 1 if something fell short, 2 if this machine cannot."""
    parser = argparse.ArgumentParser(prog="python -m tests.container", description=__doc__)
    parser.add_argument("--suite", default="trixie", help="of Debian, for the base")
    parser.add_argument("--mirror", default="http://deb.debian.org/debian")
    parser.add_argument("--pip-conf", type=Path, help="pip's configuration for the build")
    parser.add_argument("--certificates", type=Path, help="certificates that the build trusts")
    parser.add_argument("--folder", type=Path, help="where to work; a base that lies there is used again")
    parser.add_argument("--twice", action="store_true", help="build twice and compare")
    parser.add_argument("--sbom", type=Path, help="also copy the image's bill of materials here")
    parser.add_argument("--systemd", action="store_true", help="also run the unit under a real systemd")
    called = parser.parse_args(arguments)
    if told := lacking(FOR_SYSTEMD if called.systemd else {}):
        _say("SKIP", told)
        return 2
    folder = called.folder or Path(tempfile.mkdtemp(prefix="cohortd-container-"))
    folder.mkdir(parents=True, exist_ok=True)
    shop = Workshop(folder.resolve())
    origin = Origin(called.suite, called.mirror, called.pip_conf, called.certificates)
    try:
        held = _prove(shop, origin, called)
    except FellShortError as error:
        _say("BAD", str(error))
        held = False
    finally:
        shutil.rmtree(shop.folder / "store", ignore_errors=True)
        if called.folder is None:
            shutil.rmtree(shop.folder, ignore_errors=True)
    return 0 if held else 1


def _prove(shop: Workshop, origin: Origin, called: argparse.Namespace) -> bool:
    base = make_base(shop, origin)
    _say("ok ", f"base: Debian {origin.suite}, {weighing.megabytes(base):,.0f} MB")
    began = time.monotonic()
    image = build(shop, name="cohortd")
    _say("ok ", f"built in {time.monotonic() - began:,.0f} s")
    held = [_weigh(image, weighing.megabytes(base))]
    if called.sbom is not None:
        shutil.copyfile(image.root / "opt/cohortd/sbom.cdx.json", called.sbom)
    if called.twice:
        other = build(shop, name="again")
        found = weighing.differing(image.root / "opt/cohortd", other.root / "opt/cohortd")
        told = f"{len(found)} files differ: {', '.join(found[:8])}" if found else "all files are the same"
        _say("BAD" if found else "ok ", f"built twice: {told}")
        held.append(not found)
    held.append(_run(shop, image))
    if called.systemd:
        lines = prove_under_systemd(shop, origin, image)
        print(*lines, sep="\n", flush=True)  # noqa: T201 - the answer
        held.append(all(line.startswith("ok ") for line in lines))
    return all(held)


def _weigh(image: Image, base_mb: float) -> bool:
    size = weighing.megabytes(image.root)
    fits = size <= weighing.BAR_MB
    _say(
        "ok " if fits else "BAD",
        f"unpacked: {size:,.0f} MB of at most {weighing.BAR_MB}, base {base_mb:,.0f}",
    )
    (packages,) = (image.root / "opt/cohortd").glob("lib/python3*/site-packages")
    for name, megabytes in weighing.heaviest(packages, 10):
        _say("   ", f"{megabytes:6.0f} MB {name}")
    return fits


def _run(shop: Workshop, image: Image) -> bool:
    """Run the image in name spaces of its own, with the rehearsal's settings."""
    settings = Path(
        shutil.copytree(ROOT / "deploy/rehearsal", shop.folder / "settings", dirs_exist_ok=True)
    )
    state = shop.folder / "state"
    shutil.rmtree(state, ignore_errors=True)
    state.mkdir(mode=0o700)
    for path in (state, settings, *settings.iterdir()):
        os.chown(path, *map(int, image.config["User"].split(":")))
    asked = {
        "root": str(image.root),
        "config": image.config,
        "settings": str(settings),
        "state": str(state),
        "logs": str(shop.folder),
    }
    inside = (sys.executable, "-m", "tests.container.inside", json.dumps(asked))
    spaces = ("unshare", "--mount", "--net", "--uts", "--ipc", "--")
    return os.spawnvp(os.P_WAIT, "nice", ["nice", "-n", "10", *spaces, *inside]) == 0


def _say(verdict: str, what: str) -> None:
    print(f"{verdict} {what}", flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

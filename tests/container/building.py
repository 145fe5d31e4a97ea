"""The shipped Dockerfile, built on a base that debootstrap makes: no registry is needed."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.container.places import ROOT, Workshop

_BASE: Final = "localhost/base"
#: What the official image of Python has and debootstrap's smallest system lacks.
_INCLUDE: Final = "python3,python3-venv,ca-certificates"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the base comes from, and how the build finds packages: the machine's business."""

    suite: str
    mirror: str
    pip_conf: Path | None
    certificates: Path | None


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was built: where its files lie, and how it is to be run."""

    root: Path
    config: dict[str, Any]


def make_base(shop: Workshop, origin: Origin) -> Path:
    """Make a base system, or take the one that lies there, and import it; return its files."""
    system = shop.folder / f"base-{origin.suite}"
    if not (system / "usr/bin/python3").exists():
        shutil.rmtree(system, ignore_errors=True)
        options = ("--variant=minbase", f"--include={_INCLUDE}")
        shop.run("debootstrap", *options, origin.suite, system, origin.mirror, log="debootstrap")
    # What the official slim images leave out, too.
    for left_out in (
        "var/cache/apt",
        "var/lib/apt/lists",
        "usr/share/doc",
        "usr/share/man",
        "usr/share/locale",
    ):
        shutil.rmtree(system / left_out, ignore_errors=True)
        (system / left_out).mkdir()
    for given, place in ((origin.pip_conf, "etc/pip.conf"), (origin.certificates, _CERTIFICATES)):
        if given is not None:
            shutil.copyfile(given, system / place)
    shop.run("tar", "-C", system, "-cf", shop.folder / "base.tar", ".", log="tar")
    (shop.folder / "Basefile").write_text("FROM scratch\nADD base.tar /\n", encoding="utf-8")
    command = ("bud", "--isolation", "chroot", "-f", shop.folder / "Basefile", "-t", _BASE, shop.folder)
    shop.buildah(*command, log="base")
    (shop.folder / "base.tar").unlink()
    return system


def build(shop: Workshop, *, name: str) -> Image:
    """Build the shipped Dockerfile from the sources as they are now, without any cache."""
    tag = f"localhost/{name}"
    options = ("--isolation", "chroot", "--format", "docker", "--pull-never", "--no-cache")
    shop.buildah("bud", *options, "--build-arg", f"BASE_IMAGE={_BASE}", "-t", tag, ROOT, log=name)
    told = json.loads(shop.buildah("inspect", "--type", "image", tag, log=f"{name}-inspect"))
    container = shop.buildah("from", "--pull-never", tag, log=f"{name}-from").strip()
    root = shop.buildah("mount", container, log=f"{name}-mount").strip()
    return Image(Path(root), told["Docker"]["config"])


_CERTIFICATES: Final = "etc/ssl/certs/ca-certificates.crt"

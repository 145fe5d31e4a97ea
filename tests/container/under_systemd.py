"""The unit for systemd under a real one: a small Debian that systemd boots, with the image's environment.

Booted in name spaces of its own by ``systemd-nspawn``, without a network; ``within_systemd`` runs there.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.container.building import Image, Origin
from tests.container.places import ROOT, FellShortError, Workshop

TOOLS: Final = {"systemd-nspawn": "systemd-container"}
_INCLUDE: Final = "systemd,systemd-sysv,procps,python3,ca-certificates"
#: systemd of today boots under version 2 of control groups alone, also where the machine mixes both.
_ENV: Final = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
_BOOT: Final = ("--quiet", "--register=no", "--keep-unit", "--private-network", "--boot")
_PATIENCE_S: Final = 900
_PROOF: Final = Path(__file__).with_name("within_systemd.py")
_RUN_PROOF: Final = """
[Unit]
SuccessAction=poweroff
FailureAction=poweroff
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 /proof.py
StandardOutput=append:/proof.out
StandardError=inherit
[Install]
WantedBy=multi-user.target
"""


def prove_under_systemd(shop: Workshop, origin: Origin, image: Image) -> tuple[str, ...]:
    """Boot, run the proofs, and return a line each.

    Raises:
        FellShortError: It did not boot, or a proof was not run.
    """
    root = _system(shop, origin)
    shutil.rmtree(root / "opt/cohortd", ignore_errors=True)
    shutil.copytree(image.root / "opt/cohortd", root / "opt/cohortd", symlinks=True)
    _install(shop, root)
    (root / "proof.out").unlink(missing_ok=True)
    with (shop.folder / "systemd.log").open("wb") as log:
        command = ["systemd-nspawn", *_BOOT, f"--directory={root}"]
        try:
            subprocess.run(
                command,
                env=_ENV,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=_PATIENCE_S,
                check=True,
            )
        except subprocess.SubprocessError as error:
            raise FellShortError(f"systemd: {error}; see {log.name}") from None
    said = (root / "proof.out").read_text(encoding="utf-8").splitlines()
    if not said or said[-1] != "end":
        raise FellShortError("systemd: " + "\n    ".join(said[-12:]))
    return tuple(said[:-1])


def _system(shop: Workshop, origin: Origin) -> Path:
    """Make a system that boots, or take the one that lies there, without what an earlier proof left."""
    system = shop.folder / f"systemd-{origin.suite}"
    if not (system / "usr/lib/systemd/systemd").exists():
        shutil.rmtree(system, ignore_errors=True)
        options = ("--variant=minbase", f"--include={_INCLUDE}")
        shop.run("debootstrap", *options, origin.suite, system, origin.mirror, log="debootstrap-systemd")
    for left in ("var/lib/cohortd", "var/lib/platforms", "var/backups/cohortd", "etc/cohortd"):
        shutil.rmtree(system / left, ignore_errors=True)
    return system


def _install(shop: Workshop, root: Path) -> None:
    """Do what the head of the unit's file says."""
    unit = ROOT / "deploy/systemd/cohortd.service"
    for line in unit.read_text(encoding="utf-8").splitlines():
        words = line.removeprefix("#").split()
        if words[:1] == ["useradd"] and "cohortd:" not in (root / "etc/passwd").read_text():
            shop.run("chroot", root, *words, log="useradd")
        elif words[:2] == ["install", "-d"]:
            shop.run("chroot", root, *words, log="install")
    shutil.copy(unit, root / "etc/systemd/system")
    shutil.copytree(ROOT / "deploy/rehearsal", root / "etc/cohortd", dirs_exist_ok=True)
    shutil.copy(_PROOF, root / "proof.py")
    (root / "etc/systemd/system/proof.service").write_text(_RUN_PROOF, encoding="utf-8")
    shop.run("chroot", root, "chown", "-R", "root:cohortd", "/etc/cohortd", log="chown")
    shop.run("chroot", root, "chmod", "-R", "u=rwX,g=rX,o=", "/etc/cohortd", log="chmod")
    shop.run("chroot", root, "systemctl", "enable", "proof.service", log="enable")

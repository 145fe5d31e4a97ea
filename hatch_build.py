"""Builds the native kernel into the wheel where there is a C compiler; without one the wheel is pure."""

import hashlib
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("cohortd", "identity", "native")
SOURCE, LIBRARY = FOLDER / "kernel.c", FOLDER / "kernel.so"
FLAGS = ("-std=c11", "-O3", "-shared", "-fPIC", "-fvisibility=hidden")
#: The same name leaves the kernel out where the wheel runs.
SWITCHED_OFF = "COHORTD_NO_NATIVE"
SECONDS = 120


class NativeKernel(BuildHookInterface[Any]):
    """A plain library, loaded by ctypes: one a platform, for every Python."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say of the wheel what it is for."""
        if self.target_name != "wheel":
            return
        library = Path(self.root) / LIBRARY
        library.unlink(missing_ok=True)  # an older one would do what the rules no longer say
        why_not = compile_kernel(Path(self.root) / SOURCE, library)
        if why_not:
            self.app.display_warning(f"cohortd is built without its native kernel, and slower: {why_not}")
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
        build_data["artifacts"].append(f"/{LIBRARY.as_posix()}")
        self.app.display_info(f"built the native kernel ({version} wheel for {platform})")


def compile_kernel(source: Path, library: Path) -> str:
    """Compile; say why not where it cannot be done."""
    if os.environ.get(SWITCHED_OFF, "") not in {"", "0"}:
        return f"{SWITCHED_OFF} is set"
    compiler = _compiler()
    if compiler is None:
        return "there is no C compiler (cc, gcc or clang, or what CC says)"
    # The library tells its source, so that one left behind by another version is not used.
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    command = [compiler, *FLAGS, f'-DSOURCE="{digest}"', str(source), "-o", str(library)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS)  # noqa: S603 - ours
    except subprocess.CalledProcessError as error:
        library.unlink(missing_ok=True)
        return f"{compiler} failed: {error.stderr.strip()[-500:]}"
    except (OSError, subprocess.TimeoutExpired) as error:
        library.unlink(missing_ok=True)
        return f"{compiler} failed: {type(error).__name__}"
    return ""


def _compiler() -> str | None:
    asked = os.environ.get("CC")
    names = [asked] if asked else ["cc", "gcc", "clang"]
    return next((found for name in names if (found := shutil.which(name))), None)

"""What deploy/ says of a container is what the Dockerfile and the settings say."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import config
from cohortd.cli.commands import app
from config.schedule import Schedule

DEPLOY = Path(__file__).parents[3] / "deploy"
DOCKERFILE = (DEPLOY.parent / "Dockerfile").read_text(encoding="utf-8")
UNITS = sorted((DEPLOY / "systemd").iterdir())


def _documents() -> list[dict]:
    files = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    return [
        document
        for file in files
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))
        if "kind" in document
    ]


def _pods() -> list[dict]:
    """What every workload runs: the pod's own part."""
    return [each["spec"]["template"]["spec"] for each in _documents() if each["kind"] == "Deployment"]


def _deployment() -> dict:
    return next(each["spec"] for each in _documents() if each["kind"] == "Deployment")


def _unit(file: Path) -> list[tuple[str, str]]:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line[:1].isalpha()]
    return [(name, value) for name, _, value in (line.partition("=") for line in lines)]


def _commands() -> set[str]:
    return {each.name or getattr(each.callback, "__name__", "") for each in app.registered_commands}


def test_everything_runs_as_the_images_user_with_a_read_only_root_and_no_rights() -> None:
    user = re.search(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)
    assert user is not None
    assert len(_pods()) == 1
    for pod in _pods():
        context = pod["securityContext"]
        assert (context["runAsUser"], context["runAsGroup"]) == (int(user[1]), int(user[2]))
        assert context["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "readOnlyRootFilesystem": True,
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
            }


def test_the_images_places_are_mounted_and_every_mount_has_a_volume() -> None:
    places = set(json.loads(re.findall(r"^VOLUME (.+)$", DOCKERFILE, re.MULTILINE)[0]))
    for pod in _pods():
        (container,) = pod["containers"]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}

        assert places | {"/tmp"} <= mounts.keys()
        assert set(mounts.values()) == {volume["name"] for volume in pod["volumes"]}


def test_two_daemons_run_and_are_given_more_than_their_grace_to_end() -> None:
    grace_s = Schedule().grace.total_seconds()
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))["services"]["cohortd"]
    stop = dict(_unit(DEPLOY / "systemd" / "cohortd.service"))["TimeoutStopSec"]
    page = (DEPLOY.parent / "docs" / "operations.md").read_text(encoding="utf-8")

    assert _deployment()["replicas"] == 2
    assert _deployment()["strategy"] == {"type": "Recreate"}
    assert _deployment()["template"]["spec"]["terminationGracePeriodSeconds"] > grace_s
    assert int(compose["stop_grace_period"].removesuffix("s")) > grace_s
    assert int(stop) > grace_s
    assert {int(given) > grace_s for given in re.findall(r"--stop-timeout (\d+)", page)} == {True}


def test_whatever_the_dockerfile_copies_is_sent_to_the_build() -> None:
    sent = (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)

    assert [name for line in copied for name in line.split() if f"!{name}" not in sent] == []


def test_commands_are_those_that_there_are() -> None:
    health = json.loads(re.findall(r"^HEALTHCHECK .* CMD (.+)$", DOCKERFILE, re.MULTILINE)[0])
    called = [container["args"][0] for pod in _pods() for container in pod["containers"]]
    starts = [value for file in UNITS for name, value in _unit(file) if name == "ExecStart"]

    assert {*called, health[1], *(start.split()[1] for start in starts)} <= _commands()
    assert {start.split()[0] for start in starts} == {"/opt/cohortd/bin/cohortd"}


def test_the_settings_for_kubernetes_load_with_the_secrets_they_name(tmp_path: Path) -> None:
    (tmp_path / "database").write_text("postgresql://cohortd:secret@db.internal/cohortd")
    (tmp_path / "meta_access_token").write_text("secret")
    text = (DEPLOY / "kubernetes" / "cohortd.yaml").read_text(encoding="utf-8")
    file = tmp_path / "cohortd.yaml"
    file.write_text(text.replace("/run/secrets/cohortd", str(tmp_path)), encoding="utf-8")
    mounted = {mount["mountPath"] for pod in _pods() for mount in pod["containers"][0]["volumeMounts"]}
    settings = config.load(file, environ={"COHORTD_DATA_DIR": "/var/lib/cohortd"})

    container = _pods()[0]["containers"][0]
    (service,) = [each["spec"] for each in _documents() if each["kind"] == "Service"]
    labels = _deployment()["template"]["metadata"]["labels"]
    probes = [container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe")]

    assert settings.monitoring.place == ("0.0.0.0", container["ports"][0]["containerPort"])
    assert probes == [{"path": "/healthz", "port": container["ports"][0]["name"]}] * 3
    assert service["selector"].items() <= labels.items()
    assert service["ports"][0]["targetPort"] == container["ports"][0]["name"]
    assert settings.backup is not None
    assert {"/run/secrets/cohortd", str(settings.backup.to)} <= mounted
    assert settings.database_url.startswith("postgresql://")
    assert [each.name for each in settings.destinations] == ["meta"]


def test_the_units_keep_to_where_the_image_keeps_things() -> None:
    image = dict(re.findall(r"(COHORTD_\w+)=(\S+)", DOCKERFILE))
    for file in UNITS:
        if file.suffix == ".service":
            said = _unit(file)
            told = dict(value.split("=", 1) for name, value in said if name == "Environment")

            assert {name: told[name] for name in image} == image
            assert dict(said)["User"] == "cohortd"
            assert ("ProtectSystem", "strict") in said


def test_the_service_is_started_again_for_good_and_says_everything_once() -> None:
    said = _unit(DEPLOY / "systemd" / "cohortd.service")
    often = {"Environment", "SystemCallFilter"}
    names = [name for name, _ in said if name not in often]

    assert dict(said)["StartLimitIntervalSec"] == "0"
    assert len(names) == len(set(names))
    assert len(said) == len(set(said))


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_puts_the_manifests_together() -> None:
    call = ["kubectl", "kustomize", str(DEPLOY / "kubernetes")]
    done = subprocess.run(call, capture_output=True, text=True, check=True)
    kinds = {document["kind"] for document in yaml.safe_load_all(done.stdout)}

    assert {"Deployment", "ConfigMap", "PersistentVolumeClaim", "NetworkPolicy"} <= kinds


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_units() -> None:
    call = ["systemd-analyze", "verify", "--man=no", *map(str, UNITS)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    found = [line for line in done.stderr.splitlines() if any(file.name in line for file in UNITS)]

    # The program is in the image, not where the tests run.
    assert [line for line in found if "is not executable" not in line] == []

"""Law 2 where Meta takes nobody out of a small audience: its members are replaced, or it is deleted."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from shop import Shop, grant, open_shop

from cohortd.emulators.faults import Fault, FaultKind

WHO, ALSO = "c00041", "c00045"
#: Above the size of any audience of the shop.
FLOOR = 130


@contextlib.contextmanager
def small_shop(folder: Path, how: str, *, replaces_small: bool = True) -> Iterator[Shop]:
    """Open a shop that has sent everybody, and from whose audiences Meta removes nobody."""
    with open_shop(folder / "shop", removal_floor=FLOOR, replaces_small=replaces_small) as shop:
        shop.settings["destinations"][2]["removal_refused"] = how
        shop.write()
        assert shop.sync().code == 0
        yield shop


def details(shop: Shop) -> set[str]:
    """What the removal log says of confirmed removals from Meta."""
    return {
        detail
        for (detail,) in shop.query(
            "SELECT detail FROM removal_log WHERE destination = 'meta' AND event = 'confirmed'"
        )
    }


def is_converged(shop: Shop, *without: str) -> bool:
    """Whether Meta holds exactly who may be there, and the ledger knows it."""
    wanted = shop.expected([each for each in shop.customers if each not in without], "meta")
    return shop.on("meta") == wanted and shop.unknown_to_ledger() == {}


def test_the_members_are_replaced_by_those_who_stay(tmp_path: Path) -> None:
    with small_shop(tmp_path, "replace") as shop:
        before = {audience.id for audience in shop.meta.audiences()}
        revoked = shop.call("revoke", "--customer", WHO)
        left = shop.destinations_of(WHO)
        status = shop.call("status")
        converged = is_converged(shop, WHO)
        sent = shop.wire.sent()
        again = shop.sync()
        verified = shop.call("log", "verify")
        calm = shop.wire.sent()

    assert revoked.code == 0, revoked.out
    assert "by replacing the audience's members with those who stay (119 members)" in revoked.out
    assert left == set()
    assert converged
    assert before == {audience.id for audience in shop.meta.audiences()}
    assert "by replacing the audience's members" in status.out
    assert status.code == 0
    assert details(shop) == {"by replacing the audience's members with those who stay"}
    assert again.code == 0
    assert calm == sent
    assert verified.code == 0


def test_whoever_leaves_for_another_reason_leaves_with_them(tmp_path: Path) -> None:
    with small_shop(tmp_path, "replace") as shop:
        gone = shop.customers.pop(ALSO)
        shop.write()
        waiting = shop.sync()
        shop.customers[ALSO] = gone
        stays = shop.destinations_of(ALSO)
        del shop.customers[ALSO]
        shop.call("revoke", "--customer", WHO)
        converged = is_converged(shop, WHO)
        then = shop.sync()

    assert "an audience this small" in waiting.out
    assert "meta" in stays
    assert converged
    assert then.code == 0, then.out


def test_a_revocation_in_the_consent_table_is_told_in_the_run_that_is_done_all_the_same(
    tmp_path: Path,
) -> None:
    with small_shop(tmp_path, "replace") as shop:
        shop.consent.append(grant(WHO, "2026-02-01T00:00:00Z", "revoked"))
        shop.write()
        synced = shop.sync()
        left = shop.destinations_of(WHO)

    assert synced.code == 0, synced.out
    assert any("by replacing the audience's members" in note for note in synced.json["notes"])
    assert left == set()


@pytest.mark.parametrize(("how", "replaces_small"), [("recreate", True), ("replace", False)])
def test_the_audience_is_deleted_and_made_anew(tmp_path: Path, how: str, *, replaces_small: bool) -> None:
    with small_shop(tmp_path, how, replaces_small=replaces_small) as shop:
        before = {audience.id for audience in shop.meta.audiences()}
        revoked = shop.call("revoke", "--customer", WHO)
        deleted = before - {audience.id for audience in shop.meta.audiences()}
        left = shop.destinations_of(WHO)
        status = shop.call("status")
        then = shop.sync()
        converged = is_converged(shop, WHO)
        calm = shop.sync()

    assert revoked.code == 0, revoked.out
    assert "by deleting the audience from the platform" in revoked.out
    assert len(deleted) == 1
    assert left == set()
    assert "by deleting the audience from the platform" in status.out
    assert details(shop) == {"by deleting the audience from the platform"}
    assert then.code == 0, then.out
    assert len(shop.meta.audiences()) == len(before)
    assert converged
    assert calm.code == 0


def test_nothing_is_made_anew_for_fewer_than_the_minimum(tmp_path: Path) -> None:
    with small_shop(tmp_path, "recreate") as shop:
        before = len(shop.meta.audiences())
        shop.change(audiences={"minimum_size": 120, "below_minimum": "hold"})
        shop.call("revoke", "--customer", WHO)
        shop.sync()

    assert len(shop.meta.audiences()) == before - 1


FAULTS = {
    "replace": [
        Fault(call="users.replace", kind=FaultKind.DROP_BEFORE, times=4),
        Fault(call="users.replace", kind=FaultKind.DROP_AFTER, times=4),
        Fault(call="users.replace", kind=FaultKind.HALF_APPLY, share=0.4, times=4),
        Fault(call="users.replace", kind=FaultKind.TOKEN_EXPIRED, times=1),
        Fault(call="users.replace", status=400, code=2650, subcode=1870148, times=1),
        Fault(call="users.replace", status=400, code=100, times=1),
    ],
    "recreate": [
        Fault(call="audiences.delete", kind=FaultKind.DROP_BEFORE, times=4),
        Fault(call="audiences.delete", kind=FaultKind.DROP_AFTER, times=4),
        Fault(call="audiences.delete", kind=FaultKind.DROP_AFTER, times=1),
        Fault(call="audiences.delete", status=400, code=2656, times=1),
        Fault(call="audiences.delete", status=400, code=100, times=1),
    ],
}


@pytest.mark.parametrize(
    ("how", "number"), [(how, number) for how, faults in FAULTS.items() for number in range(len(faults))]
)
def test_all_ends_well_although_the_platform_stumbles(tmp_path: Path, how: str, number: int) -> None:
    with small_shop(tmp_path, how) as shop:
        shop.meta.faults.add(FAULTS[how][number])
        shop.call("revoke", "--customer", WHO)
        known = shop.unknown_to_ledger()
        done = shop.sync_until_done(minutes=70)
        converged = is_converged(shop, WHO)

    assert known == {}
    assert done.code == 0
    assert converged


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("how", "call"), [("replace", "users.replace"), ("recreate", "audiences.delete")])
def test_a_kill_leaves_nothing_unknown_and_the_next_sync_ends_it(
    tmp_path: Path, how: str, call: str, when: str
) -> None:
    with small_shop(tmp_path, how) as shop:
        process = None

        def kill(name: str, _text: str = "") -> None:
            if name == call and process is not None and process.poll() is None:
                process.kill()
                process.wait()

        if when == "before":
            shop.wire.before = kill
        else:
            shop.wire.after = kill
        process = shop.start("revoke", "--customer", WHO)
        process.communicate(timeout=60)
        shop.wire.wait_idle()
        shop.wire.before = shop.wire.after = None
        known = shop.unknown_to_ledger()
        done = shop.sync_until_done()
        converged = is_converged(shop, WHO)

    assert process.returncode == -9
    assert known == {}
    assert done.code == 0
    assert converged

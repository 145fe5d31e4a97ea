"""Law 2 where a removal is refused, late or nowhere to go: nothing else waits for it, and it is told."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from google.ads import datamanager_v1 as dm
from shop import Shop, add_customer, grant, open_shop

from cohortd.core.delivery import BatchState, Receipt
from cohortd.emulators.faults import Fault, FaultKind
from connectors.google_data_manager import statuses

WHO = "c00041"


def _removed(answer: object) -> int:
    """Rows of a removal that Google tells of."""
    parts = dm.RetrieveRequestStatusResponse.pb(answer).request_status_per_destination
    return sum(part.audience_members_removal_status.user_data_removal_status.record_count for part in parts)


def test_what_meta_does_not_remove_from_a_small_audience_lets_it_grow_and_leaves_then(
    tmp_path: Path,
) -> None:
    with open_shop(tmp_path / "shop", removal_floor=130) as synced:
        synced.settings["destinations"][2]["removal_refused"] = "wait"
        synced.write()
        synced.sync()
        revoked = synced.call("revoke", "--customer", WHO)
        waiting = synced.call("status")
        for number in range(480, 560):
            add_customer(synced, number)
        synced.write()
        grown, then = synced.sync(), synced.sync()
        came, stayed = synced.destinations_of("c00480"), synced.destinations_of(WHO)
        after = synced.call("status")

    assert revoked.code == 1
    assert "does not remove members from an audience this small" in revoked.out
    assert waiting.code == 1
    assert "BAD revocations on meta" in waiting.out
    assert "meta" in came
    assert grown.code == 1
    assert then.code == 0, then.json["notes"]
    assert stayed == set()
    assert after.code == 0


@pytest.mark.parametrize(("reason", "fault"), [("INVALID_FORMAT", ""), ("INTERNAL_ERROR", "it failed")])
def test_a_row_that_google_will_not_remove_holds_up_no_other(
    synced: Shop, monkeypatch: pytest.MonkeyPatch, reason: str, fault: str
) -> None:
    told = statuses.receipt_of

    def refusing(pending: statuses.Pending, answers: Sequence[object], *, request: str) -> Receipt:
        """As if one row of any removal of three or more were at fault, and of smaller ones none."""
        receipt = told(pending, answers, request=request)
        rows = sum(map(_removed, answers))
        if receipt.state is BatchState.ACCEPTED or rows < 3:
            return receipt
        return Receipt(BatchState.REJECTED, request=request, unattributed={reason: 1}, fault=fault)

    monkeypatch.setattr(statuses, "receipt_of", refusing)
    for customer in ("c00000", "c00004", "c00008"):
        synced.consent.append(grant(customer, "2026-02-01T00:00:00Z", "revoked"))
    synced.write()
    synced.sync()
    synced.sync()
    counts = Counter(
        event for (event,) in synced.query("SELECT event FROM removal_log WHERE destination = 'google'")
    )

    assert counts["confirmed"] == 3
    assert counts["rejected"] == (3 if fault else 0)


def test_status_wants_a_person_where_a_removal_is_overdue(synced: Shop) -> None:
    synced.google.faults.add(Fault(call="*", kind=FaultKind.ERROR, status="UNAVAILABLE", times=None))
    synced.call("revoke", "--customer", WHO)
    soon = synced.call("status").out
    synced.ahead = timedelta(hours=40)
    late = synced.call("status")

    assert "ok  revocations: 2 removals are not confirmed yet" in soon
    assert "BAD revocations on google: 1 removals are not confirmed 36 hours" in late.out
    assert late.code == 1


def test_a_removal_from_a_destination_that_is_no_longer_set_is_told(synced: Shop) -> None:
    synced.settings["destinations"] = synced.settings["destinations"][1:]
    synced.write()
    revoked, status = synced.call("revoke", "--customer", WHO), synced.call("status")

    assert revoked.code == 1
    assert "google is no longer in the settings" in revoked.out
    assert status.code == 1
    assert "BAD revocations on google" in status.out


def test_a_wait_that_a_platform_asked_for_outlives_the_process(synced: Shop) -> None:
    synced.meta.faults.add(Fault(call="users.*", kind=FaultKind.QUOTA, retry_after_s=7200, times=1))
    synced.call("revoke", "--customer", WHO)
    early = synced.call("revoke", "--customer", "c00042")
    synced.ahead = timedelta(hours=3)
    synced.sync()

    assert early.code == 1
    assert "meta: asked to be left alone" in early.out
    assert synced.destinations_of(WHO) | synced.destinations_of("c00042") == set()

"""What people were told outlives a process, on either database."""

from datetime import timedelta

from ledger_world import NOW, World

from cohortd.ledger import FailingChannel, Told

MINUTE = timedelta(minutes=1)
PAUSED = Told("destination: destination meta", "destination meta", "paused", NOW, told_at=NOW)
OVER = Told("sync_failed: last sync", "last sync", "failed", NOW, told_at=NOW, gone_at=NOW + MINUTE)


def test_each_channel_knows_what_it_was_told_over_a_restart(world: World) -> None:
    world.ledger.alerts.keep("slack-1", [PAUSED, OVER])
    world.ledger.alerts.keep("slack-1", [OVER])
    world.ledger.alerts.keep("json-2", [PAUSED])
    world.restart()

    assert world.ledger.alerts.told("slack-1") == {OVER.key: OVER}
    assert world.ledger.alerts.told("json-2") == {PAUSED.key: PAUSED}


def test_a_channel_fails_until_it_takes_a_message(world: World) -> None:
    alerts = world.ledger.alerts
    alerts.failed("slack-1", now=NOW, again_after=MINUTE, reason="HTTP 404")
    alerts.failed("slack-1", now=NOW + MINUTE, again_after=2 * MINUTE, reason="HTTP 503")
    failing = alerts.failing()
    alerts.took("slack-1")

    assert failing == {"slack-1": FailingChannel("slack-1", NOW, 2, NOW + 3 * MINUTE, "HTTP 503")}
    assert alerts.failing() == {}


def test_channels_that_are_gone_are_forgotten_whole(world: World) -> None:
    alerts = world.ledger.alerts
    alerts.keep("slack-1", [PAUSED])
    alerts.keep("json-2", [PAUSED])
    alerts.failed("slack-1", now=NOW, again_after=MINUTE, reason="")
    alerts.forget_others(["json-2"])

    assert alerts.told("slack-1") == {}
    assert alerts.failing() == {}
    assert list(alerts.told("json-2")) == [PAUSED.key]


def test_when_the_last_consent_record_came_is_known(world: World) -> None:
    assert world.ledger.consent.last_received_at() is None

"""Whatever changes at the source, the platforms follow it, and nobody is left behind or lost."""

from shop import DESTINATIONS, Shop


def _is_true_everywhere(shop: Shop, *, names: tuple[str, ...] = DESTINATIONS) -> bool:
    return all(shop.on(name) == shop.expected(shop.customers, name) for name in names)


def _merge(shop: Shop, gone: str, stays: str) -> None:
    """Join two customers' records, as a shop does when it finds that they are one person."""
    gone_row = shop.customers.pop(gone)
    shop.customers[stays]["email"] = gone_row["email"]
    for event in shop.events:
        if event["customer_id"] == gone:
            event["customer_id"] = stays
    shop.write()


def test_of_two_customers_that_became_one_only_what_is_left_stays(synced: Shop) -> None:
    left_over = synced.customers["c00012"]["email"]
    _merge(synced, "c00008", "c00012")
    answer = synced.sync()

    assert answer.code == 0, answer.out
    assert _is_true_everywhere(synced)
    assert left_over not in {row["email"] for row in synced.customers.values()}
    assert synced.unknown_to_ledger() == {}
    assert not any(a["added"] or a["removed"] for a in synced.sync().json["audiences"])


def test_whoever_stays_of_two_who_shared_an_address_keeps_it(synced: Shop) -> None:
    synced.customers["c00012"]["email"] = synced.customers["c00008"]["email"]
    synced.write()
    synced.sync()
    synced.customers.pop("c00008")
    synced.write()
    answer = synced.sync()

    assert answer.code == 0, answer.out
    assert _is_true_everywhere(synced)


def test_a_destination_that_is_added_later_gets_everybody(shop: Shop) -> None:
    later = shop.settings["destinations"].pop()
    shop.write()
    shop.sync()
    before = {name: shop.on(name) for name in DESTINATIONS[:2]}
    shop.settings["destinations"].append(later)
    shop.write()
    answer = shop.sync()

    assert answer.code == 0, answer.out
    assert shop.on("meta") == shop.expected(shop.customers, "meta")
    assert {name: shop.on(name) for name in before} == before


def test_a_destination_that_is_dropped_keeps_its_members_and_is_told_until_it_is_put_back(
    synced: Shop,
) -> None:
    dropped = synced.settings["destinations"].pop()
    gone = synced.customers.pop("c00005")
    synced.write()
    without = synced.sync()
    held = synced.on("meta")
    synced.settings["destinations"].append(dropped)
    synced.write()
    again = synced.sync()

    assert [
        note for note in without.json["notes"] if "destination meta is no longer in the settings" in note
    ]
    assert held >= synced.expected(synced.customers, "meta")
    assert gone["email"]
    assert again.code == 0, again.out
    assert _is_true_everywhere(synced)


def _with_three_segments(shop: Shop, **audiences: object) -> None:
    """Have one segment of four merged away."""
    shop.change(
        segmentation={"k": 3},
        guards={"removed_share": 1.0, "moved_share": 1.0, "audience_drop": 1.0},
        audiences=audiences,
    )
    shop.call("recluster", "--force")


def _gone(shop: Shop) -> str:
    """The segment that is no more."""
    living = {a["audience"] for a in shop.call("plan", "--json").json["audiences"] if a["eligible"]}
    [gone] = {audience for (audience,) in shop.query("SELECT DISTINCT audience FROM remote")} - living
    return gone


def _remote_ids(shop: Shop, audience: str) -> dict[str, str]:
    rows = shop.query(
        f"SELECT destination, remote_id FROM remote WHERE audience = '{audience}' AND superseded = 0"
    )
    return {name: str(remote_id).rpartition("/")[2] for name, remote_id in rows}


def test_a_segment_that_is_merged_away_leaves_its_audience_and_its_people_go_elsewhere(
    synced: Shop,
) -> None:
    _with_three_segments(synced)
    answer = synced.sync()
    held = {remote: len(members) for remote, members in synced.held().items()}

    assert answer.code == 0, answer.out + answer.err
    assert _is_true_everywhere(synced)
    assert sorted(held.values())[:3] == [0, 0, 0]
    assert len(held) == 12


def test_an_audience_of_a_gone_segment_is_emptied_and_closed_where_the_settings_say_so(
    synced: Shop,
) -> None:
    _with_three_segments(synced, when_gone="close")
    answer, again = synced.sync(), synced.sync()
    ids = _remote_ids(synced, _gone(synced))
    closed = {a.id: a for a in [*synced.google.audiences(), *synced.meta.audiences()]}

    assert (answer.code, again.code) == (0, 0), answer.out + again.out
    assert _is_true_everywhere(synced)
    assert [closed[ids[name]].attributes.get("closed") for name in ("google", "ads")] == [True, True]
    assert closed[ids["meta"]].name.endswith("(retired)")


def test_an_audience_of_a_gone_segment_is_left_as_it_is_but_for_revocations(synced: Shop) -> None:
    before = {name: synced.on(name) for name in DESTINATIONS}
    _with_three_segments(synced, when_gone="leave")
    answer, again = synced.sync(), synced.sync()
    gone = _gone(synced)
    ids = set(_remote_ids(synced, gone).values())
    stayed = {remote: m for remote, m in synced.held().items() if remote.partition(":")[2] in ids}
    who = next(c for c in synced.customers if synced.known_of(c, "google") & set().union(*stayed.values()))
    synced.call("revoke", "--customer", who)

    assert (answer.code, again.code) == (0, 0), answer.out + again.out
    assert all(stayed.values())
    assert {name: synced.on(name) - synced.known_of(who, name) for name in DESTINATIONS} == {
        name: held - synced.known_of(who, name) for name, held in before.items()
    }
    assert synced.destinations_of(who) == set()
    assert sum("members stay there" in note for note in answer.json["notes"]) == len(DESTINATIONS)
    assert not any("members stay there" in note for note in again.json["notes"])

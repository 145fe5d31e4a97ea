"""Law 5 where consent comes in by HTTP and by files laid down, on both databases."""

import base64
import contextlib
import hashlib
import hmac
import http.client
import io
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest
from ledger_server import Server
from shop import TOKEN, Shop, open_shop, write_csv
from wire import sha256

from cohortd import bootstrap
from cohortd.ledger.schema import metadata
from cohortd.logs import set_up_logs
from cohortd.pipeline.dropping import take_all_in
from cohortd.receivers import open_receiver

SECRET, WEBHOOK = "canary-secret-of-length", base64.b64encode(b"k" * 24).decode()
#: Values that are raw whoever they are of.
MARKS = ("canary", "kanarienweg")
JSON = {"Content-Type": "application/json"}
BEARER = {**JSON, "Authorization": f"Bearer {SECRET}"}


@dataclass
class Life:
    """What was said, kept and answered while events came in."""

    shop: Shop
    people: list[dict[str, str]]
    answers: list[int] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    #: Every row of every table: of its text columns what they say, of all others their bytes.
    texts: dict[str, str] = field(default_factory=dict)
    bytes_kept: dict[str, str] = field(default_factory=dict)

    def raw(self) -> list[str]:
        """Contact fields in every form in which they may be written."""
        found = [*MARKS, TOKEN, SECRET, WEBHOOK]
        for row in self.people:
            found += [row["email"], row["phone"], row["phone"][1:], row["phone"][2:]]
        return [value for value in dict.fromkeys(found) if value]

    def digests(self) -> list[str]:
        """Whole digests of them, in hex and in Base64."""
        values = [row[name] for row in self.people for name in ("email", "phone") if row[name]]
        found = [sha256(form) for value in values for form in (value, value.lstrip("+"))]
        return [*found, *(base64.b64encode(bytes.fromhex(one)).decode() for one in found)]


def _bodies(people: list[dict[str, str]]) -> list[tuple[str, bytes, Mapping[str, str]]]:
    """Events that can be read, those that cannot, and what is no event: path, body, headers."""
    first, second, third = people
    email, phone, spaced = first["email"], second["phone"], f"  {third['email'].upper()} "
    ours = {"id": first["customer_id"], "status": "revoked", "why": email}
    good = [
        {"email": email, "status": "revoked"},
        {"phone": phone, "status": "denied", "purpose": email, "law": phone},
        {"email": spaced, "status": "granted", "at": "2026-03-01T00:00:00Z", "event": email},
        {"id": email, "status": "revoked", "event": phone},
        ours,
    ]
    poison = [
        {"email": email},
        {"email": "canary(at)example.com", "status": email},
        {"phone": "canary 12", "status": "revoked", email: phone},
        {"email": email, "status": "granted", "at": f"{email} day"},
        {"canary": {"deep": [email] * 60}},
    ]
    raw = [json.dumps(each).encode() for each in (*good, *poison)]
    raw += [b'{"email": "' + email.encode(), b"\xff" + email.encode(), b'["' + email.encode() + b'"]']
    taken = [("/consent/cmp", each, BEARER) for each in raw]
    forged = [
        ("/consent/cmp", raw[0], {**BEARER, "Authorization": f"Bearer {email}"}),
        ("/consent/signed", raw[0], {**JSON, "X-Signature": sha256(email)}),
        ("/consent/hooks", raw[0], {**JSON, **dict.fromkeys(("webhook-id", "webhook-signature"), email)}),
    ]
    no_event = [
        ("/consent/cmp", raw[0] * 9_000, BEARER),
        (f"/consent/{email}?phone={phone}", raw[0], BEARER),
        ("/consent/cmp", raw[0], {**BEARER, "Content-Type": email}),
        ("/consent/cmp", raw[0], {**BEARER, "Content-Length": phone}),
    ]
    return [*taken, *forged, *no_event, *_signed(first["email"], second["email"])]


def _signed(email: str, other: str) -> list[tuple[str, bytes, Mapping[str, str]]]:
    """One that bears its person in its id, one that is a day old, and one that is sent twice."""
    body = json.dumps({"email": other, "status": "revoked"}).encode()

    def hook(event_id: str, age_s: int) -> dict[str, str]:
        stamp = str(int(time.time()) - age_s)
        content = f"{event_id}.{stamp}.".encode() + body
        mac = hmac.new(base64.b64decode(WEBHOOK), content, hashlib.sha256).digest()
        signature = f"v1,{base64.b64encode(mac).decode()}"
        return {
            **JSON,
            "webhook-id": event_id,
            "webhook-timestamp": stamp,
            "webhook-signature": signature,
        }

    plain = {**JSON, "X-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}
    return [
        ("/consent/hooks", body, hook(email, 0)),
        ("/consent/hooks", body, hook(email, 86_400)),
        *[("/consent/signed", body, {**plain, "X-Id": other})] * 2,
    ]


def _post(port: int, path: str, body: bytes, headers: Mapping[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", path, body, dict(headers))
        return connection.getresponse().status


def _lay_down(shop: Shop, people: list[dict[str, str]]) -> None:
    """A file that can be read but for a row, one that cannot, and one named by a person."""
    drop = shop.folder / "drop"
    drop.mkdir()
    email = people[1]["email"]
    rows = [
        {"email": people[2]["email"], "status": "revoked", "recorded_at": "2026-03-02", "source": email},
        {"email": "canary(at)example.com", "status": "revoked", "recorded_at": email},
    ]
    write_csv(drop / "good.csv", rows)
    write_csv(drop / f"{email}.csv", rows[:1])
    (drop / "bad.csv").write_text(f"{email},canary\nx,{email}\n")
    for file in drop.iterdir():
        os.utime(file, (0, 0))


def _settings() -> dict[str, object]:
    mapping = {"customer_id": "id", "email": "email", "phone": "phone", "status": "status"}
    mapping |= {"purpose": "purpose", "regulation": "law", "recorded_at": "at", "event_id": "event"}
    auths = {
        "cmp": {"kind": "bearer", "secret": SECRET},
        "signed": {"kind": "hmac", "secret": SECRET, "id_header": "X-Id"},
        "hooks": {"kind": "standard_webhooks", "secret": WEBHOOK},
    }
    sources = [{"name": name, "auth": auth, "mapping": mapping} for name, auth in auths.items()]
    return {"listen": "127.0.0.1:0", "sources": sources}


def _live(life: Life) -> None:
    """A sync, events and files, a sync again, and every look at what came of it."""
    shop = life.shop
    first = life.people[0]
    life.said += _said(shop, "sync", "--wait", "--timeout", "30")
    _lay_down(shop, life.people)
    settings = bootstrap.load_settings(str(shop.config))
    with contextlib.redirect_stderr(written := io.StringIO()):
        set_up_logs("debug")
        with (
            bootstrap.open_pipeline(settings) as pipeline,
            open_receiver(settings.receiver, pipeline) as receiver,
        ):
            assert receiver is not None
            assert receiver.listens.wait(60)
            life.answers += [_post(receiver.port, *each) for each in _bodies(life.people)]
            take_all_in(pipeline, as_of=pipeline.clock())
            with pipeline.ledger.received._database.read() as connection:
                _read_tables(life, connection)
    life.said.append(written.getvalue())
    for line in ("sync --wait --timeout 30", "consent parked", "log show", "log export", "status", "check"):
        life.said += _said(shop, *line.split())
    life.said += _said(shop, "trace", "--customer", first["customer_id"])
    life.said += _said(shop, "consent", "parked", "--json")


def _said(shop: Shop, *arguments: str) -> list[str]:
    answer = shop.call(*arguments)
    return [answer.out, answer.err]


def _read_tables(life: Life, connection: object) -> None:
    for name, table in metadata.tables.items():
        for row in connection.exec_driver_sql(f"SELECT * FROM {name}").mappings():  # type: ignore[attr-defined]
            for column, value in row.items():
                place = f"{name}.{column}"
                if isinstance(value, bytes | memoryview):
                    kept = bytes(value).decode("latin-1")
                    life.bytes_kept[place] = life.bytes_kept.get(place, "") + kept + "\n"
                else:
                    life.texts[place] = life.texts.get(place, "") + f"{value}\n"
        assert table is not None


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def life(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    changes: dict[str, object] = {"log_level": "debug", "receiver": _settings()}
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("server")
        changes["database"] = server.fresh()
    logs = logging.StreamHandler(written := io.StringIO())
    logging.getLogger().addHandler(logs)
    with open_shop(tmp_path_factory.mktemp("received"), customers=130, **changes) as shop:
        del shop.settings["destinations"][:2]
        shop.settings["sources"]["consent_drop"] = {"path": "drop"}
        for row in shop.customers.values():
            row["street"] = "Kanarienweg 5"
        shop.write()
        people = [dict(shop.customers[f"c{number:05d}"]) for number in (1, 2, 4)]
        found = Life(shop, people)
        _live(found)
        found.said.append(written.getvalue())
        yield found
    logging.getLogger().removeHandler(logs)


def _seen_in(secrets: list[str], texts: Mapping[str, str]) -> list[tuple[str, str]]:
    lowered = {place: text.lower() for place, text in texts.items()}
    return [(one, place) for one in secrets for place, text in lowered.items() if one.lower() in text]


def test_the_life_was_a_full_one(life: Life) -> None:
    counted = {status: life.answers.count(status) for status in set(life.answers)}
    said = "\n".join(life.said)

    assert counted[200] >= 7
    assert counted[202] >= 7
    assert (counted[401], counted[413], counted[404], counted[415], counted[400]) == (4, 1, 1, 1, 1)
    words = ("consent_event_taken", "consent_event_parked", "consent_event_refused", "consent_file_parked")
    assert [word for word in (*words, "consent_file_taken", "batch_sent") if word not in said] == []
    assert life.shop.everything_held()
    assert [who["customer_id"] for who in life.people if life.shop.on("meta") & _of(life, who)] == []


def _of(life: Life, who: Mapping[str, str]) -> set[str]:
    return life.shop.known_of(who["customer_id"], "meta")


def test_nothing_of_an_event_is_said_raw_or_as_a_whole_digest(life: Life) -> None:
    said = {text[:60]: text for text in life.said}

    assert _seen_in([*life.raw(), *life.digests()], said) == []


def test_no_table_holds_anything_raw_nor_a_digest_as_text_but_as_the_subject_of_a_record(
    life: Life,
) -> None:
    assert _seen_in(life.raw(), life.texts | life.bytes_kept) == []
    assert {place for _, place in _seen_in(life.digests(), life.texts)} <= {"consent_record.subject"}
    assert {"received_event.body", "consent_subject.key", "suppression.key"} <= set(life.bytes_kept)


def test_no_file_holds_anything_of_an_event_but_those_that_were_laid_down(life: Life) -> None:
    """The ledger's own file as its bytes are, free pages too."""
    files = [path for path in life.shop.data_dir.rglob("*") if path.is_file()]
    kept = {str(path.name): path.read_bytes().decode("latin-1") for path in files}
    others = {name: text for name, text in kept.items() if not name.startswith("cohortd.db")}

    assert _seen_in(life.raw(), kept) == []
    assert _seen_in(life.digests(), others) == []


def test_the_platforms_receive_nothing_raw_of_it(life: Life) -> None:
    spoken = {f"{number} {name}": text for number, (name, text) in enumerate(life.shop.wire.messages)}
    mine = [value for value in life.raw() if value != TOKEN]

    assert len(spoken) > 5
    assert _seen_in(mine, spoken) == []

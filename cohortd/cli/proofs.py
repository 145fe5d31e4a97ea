"""``log verify`` and ``log prove``: that nothing was altered, shown to whoever has the public key."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from cohortd.cli.consents import Customer, Email, Phone, one_subject
from cohortd.cli.opening import opened
from cohortd.cli.options import AsJson, ConfigFile
from cohortd.cli.output import answer

PublicKeys = Annotated[
    list[str] | None,
    typer.Option(
        "--public-key",
        metavar="HEX",
        help="The key it must be signed by, as this command once showed it; may be repeated where a"
        " key was replaced. Otherwise the key that lies here.",
    ),
]
Heads = Annotated[
    Path | None,
    typer.Option(
        "--heads",
        metavar="PATH",
        help="A copy of removal-log-heads.jsonl that was kept elsewhere, or a folder of"
        " removal_log.heads_to: the log must hold them all.",
    ),
]
Certificate = Annotated[
    Path | None,
    typer.Option(
        "--timestamp-certificate",
        metavar="FILE",
        help="Check the time stamps of --heads by this authority's certificates; otherwise by the"
        " file in the settings.",
    ),
]
ProofFile = Annotated[
    Path | None,
    typer.Option(
        "--proof",
        metavar="FILE",
        help="Check a proof that log prove wrote, by --public-key alone: no settings, no database.",
    ),
]
KeptHeads = Annotated[
    Path | None,
    typer.Option(
        "--head",
        metavar="FILE",
        help="With a proof of growth: the heads you kept, at one of which it must begin.",
    ),
]
Since = Annotated[
    Path | None,
    typer.Option(
        "--since",
        metavar="FILE",
        help="Instead of a person: heads that were kept, since the newest of which the log only grew.",
    ),
]
Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Where to write the proof.")]


def register(log_app: typer.Typer) -> None:
    """Add this file's commands."""
    log_app.command()(verify)
    log_app.command()(prove)


def verify(
    config: ConfigFile = None,
    as_json: AsJson = False,
    public_key: PublicKeys = None,
    heads: Heads = None,
    timestamp_certificate: Certificate = None,
    proof_file: ProofFile = None,
    head: KeptHeads = None,
) -> None:
    """Check the removal log's chain and signature, and that it holds every head that was kept of it.

    Exits with 1 when anything was altered. Who holds the key could write the whole log anew: only a
    public key and heads that were kept elsewhere prove that nobody did.
    """
    from cohortd.pipeline.proving import verify_log

    if proof_file is not None:
        _verify_proof(proof_file, public_key or [], head, as_json=as_json)
        return
    with opened(config, as_json=as_json) as pipeline:
        proof = verify_log(
            pipeline, public_keys=public_key or (), heads_from=heads, certificate=timestamp_certificate
        )

    def tell(console: Console) -> None:
        if proof.ok:
            console.print(f"{proof.entries:,} entries, unaltered. Head {proof.head[:16]}.")
            console.print(f"Signed, and true to {proof.witnesses:,} heads kept outside the database.")
            if proof.stamps.count:
                console.print(f"{proof.stamps.count:,} heads are stamped, last at {proof.stamps.newest}.")
            console.print(f"Public key {proof.public_key}.")
        else:
            console.print(f"ALTERED: {proof.finding}")

    answer(proof.as_json(), as_json=as_json, show=tell)
    if not proof.ok:
        raise typer.Exit(1)


def _verify_proof(file: Path, public_keys: Sequence[str], kept: Path | None, *, as_json: bool) -> None:
    from cohortd.pipeline.growth_proofs import check_growth_proof
    from cohortd.pipeline.personal_proofs import check_proof

    if not public_keys:
        raise typer.BadParameter(
            "it is checked by --public-key, as cohortd log verify shows it", param_hint="--proof"
        )
    grown = check_growth_proof(file, public_keys=public_keys, kept_file=kept)
    if grown is not None:
        told, finding = grown.as_json(), grown.finding
        sentence = f"The log signed up to entry {grown.until:,} only grew since entry {grown.since:,}."
        sentence += "" if kept else " Whether that is the head you kept, --head says."
    else:
        proven = check_proof(file, public_keys=public_keys)
        told, finding = proven.as_json(), proven.finding
        sentence = f"{proven.entries:,} entries, unaltered, of the log signed up to entry {proven.seq:,}."
    said = f"ALTERED: {finding}" if finding else sentence
    answer(told, as_json=as_json, show=lambda console: console.print(said))
    if finding:
        raise typer.Exit(1)


def prove(
    output: Output,
    config: ConfigFile = None,
    as_json: AsJson = False,
    customer: Customer = None,
    email: Email = None,
    phone: Phone = None,
    since: Since = None,
) -> None:
    """Write a proof of every entry about one person, for whoever has the public key.

    It holds nobody else's entries. With --since it proves instead, without any entry, that the log
    still begins with all that was in it when a head was kept. Check it with log verify --proof.
    """
    from cohortd.pipeline.growth_proofs import write_growth_proof
    from cohortd.pipeline.personal_proofs import write_proof

    if since is not None:
        if customer or email or phone:
            raise typer.BadParameter("it is about the whole log, not a person", param_hint="--since")
        with opened(config, as_json=as_json) as pipeline:
            grown = write_growth_proof(pipeline, since, output)
        said = f"Written: {output}, from entry {grown.since:,} to entry {grown.until:,}."
        answer(
            {"file": str(output), **grown.as_json()},
            as_json=as_json,
            show=lambda console: console.print(said),
        )
        return
    kind, value = one_subject(customer, email, phone)
    with opened(config, as_json=as_json) as pipeline:
        proven = write_proof(pipeline, kind, value, output)
    sentence = f"Written: {output}, {proven.entries:,} entries of the log signed up to {proven.seq:,}."
    answer(
        {"file": str(output), **proven.as_json()},
        as_json=as_json,
        show=lambda console: console.print(sentence),
    )

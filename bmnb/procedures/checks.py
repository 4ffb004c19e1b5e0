"""Checks and verdicts that several procedures need."""

from __future__ import annotations

from bmnb.bluemind import api, proofs
from bmnb.steps import ANY, Call, Check, Result, Verdict


def no_job_runs(core: str) -> Call:
    return Call(
        core,
        "POST",
        api.EXECUTIONS,
        "no backup or other job runs",
        body=api.RUNNING_JOBS,
        judge=api.no_job_runs,
        remedy="wait until the job has ended, or stop it in Scheduled Jobs",
    )


def url_answers(server: str, address: str = "127.0.0.1") -> Check:
    """`address` is where the external-url is asked for, as seen from the server."""
    return Check(
        server,
        proofs.ask_external_url(address),
        proofs.url_answers,
        "the external-url answers",
        "look in /var/log/nginx/error.log and /var/log/bm-webserver/webserver.log",
        patience=120,
        answers=ANY,
    )


def all_root(*found: Result) -> Verdict:
    others = [f"{one.host}: user {one.stdout.strip()}" for one in found if one.stdout.strip() != "0"]
    return Verdict(not others, ", ".join(others) or "root")


def done(result: Result) -> Verdict:
    said = (result.stdout.strip() or result.stderr.strip()).splitlines()
    return Verdict(result.ok, said[-1] if said else ("yes" if result.ok else f"exit status {result.exit}"))


def something_printed(result: Result) -> Verdict:
    return Verdict(result.ok and bool(result.stdout.strip()), "yes" if result.stdout.strip() else "no")


def nothing_printed(result: Result) -> Verdict:
    lines = (result.stdout + result.stderr).strip().splitlines()
    return Verdict(result.ok and not lines, "; ".join(lines[:5]) or "none")

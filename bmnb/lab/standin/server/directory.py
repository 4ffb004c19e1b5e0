"""Servers, domains, users, groups and mailboxes, as they stand in the database."""

from __future__ import annotations

import json
from typing import Any

from .here import Fault, literal, sql


def rows(query: str) -> list[Any]:
    """Each row of a query as an object."""
    return [json.loads(line[0]) for line in sql(f"SELECT row_to_json(found) FROM ({query}) found")]


def item(uid: str, number: int, name: str, value: dict[str, Any]) -> dict[str, Any]:
    """An ItemValue."""
    nothing = dict.fromkeys(("externalId", "createdBy", "updatedBy", "created", "updated"))
    known = {"value": value, "uid": uid, "internalId": number, "version": 1, "displayName": name, "flags": []}
    return {**known, **nothing}


def servers() -> list[dict[str, Any]]:
    found = rows("SELECT item_id, uid, ip, fqdn, name, tags FROM t_server ORDER BY uid")
    return [
        item(
            one["uid"], one["item_id"], one["name"], {key: one[key] for key in ("ip", "fqdn", "name", "tags")}
        )
        for one in found
    ]


def server(uid: str) -> dict[str, Any]:
    for one in servers():
        if one["uid"] == uid:
            return one
    raise Fault("NOT_FOUND", f"server {uid} not found")


def update_server(uid: str, value: Any) -> None:
    """Change a server's address and name."""
    server(uid)
    sql(
        f"UPDATE t_server SET ip = {literal(value['ip'])}, name = {literal(value['name'])} "
        f"WHERE uid = {literal(uid)}"
    )


def assignments(domain: str) -> list[Any]:
    return rows(
        'SELECT domain_uid AS "domainUid", server_uid AS "serverUid", tag FROM t_server_assignment '
        f"WHERE domain_uid = {literal(domain)} ORDER BY tag"
    )


def domains() -> list[dict[str, Any]]:
    found = rows("SELECT * FROM t_domain ORDER BY item_id")
    return [
        item(
            one["name"],
            one["item_id"],
            one["label"],
            {
                "label": one["label"],
                "name": one["name"],
                "description": None,
                "properties": one["properties"],
                "global": one["global"],
                "aliases": one["aliases"],
                "defaultAlias": one["default_alias"],
            },
        )
        for one in found
    ]


def _known(domain: str) -> None:
    if domain not in [one["uid"] for one in domains()]:
        raise Fault("NOT_FOUND", f"domain {domain} not found")


def uids(table: str, domain: str) -> list[str]:
    """Uids of the entries of a domain."""
    _known(domain)
    found = sql(
        f"SELECT i.uid FROM {table} e JOIN t_container_item i ON i.id = e.item_id "
        f"JOIN t_container c ON c.id = i.container_id WHERE c.domain_uid = {literal(domain)} ORDER BY i.id"
    )
    return [line[0] for line in found]


def emails(domain: str) -> list[Any]:
    """Uid and address of each user who is neither archived nor of the system."""
    _known(domain)
    return rows(
        "SELECT m.left_address || '@' || m.right_address AS email, i.uid FROM t_domain_user u "
        "JOIN t_container_item i ON i.id = u.item_id JOIN t_container c ON c.id = i.container_id "
        "JOIN t_mailbox_email m ON m.item_id = u.item_id AND m.is_default "
        f"WHERE c.domain_uid = {literal(domain)} AND NOT u.archived AND NOT u.system ORDER BY i.id"
    )


def mailboxes(domain: str) -> list[Any]:
    """The mailboxes of a domain, each with its name and kind, and whether its user is archived."""
    _known(domain)
    found = rows(
        "SELECT m.item_id, i.uid, m.name, m.kind, m.routing, m.quota, coalesce(u.archived, false) AS archived "
        "FROM t_mailbox m JOIN t_container_item i ON i.id = m.item_id JOIN t_container c ON c.id = i.container_id "
        f"LEFT JOIN t_domain_user u USING (item_id) WHERE c.domain_uid = {literal(domain)} ORDER BY i.id"
    )
    told = ("name", "routing", "quota", "archived")
    return [
        item(
            one["uid"], one["item_id"], one["name"], {"type": one["kind"], **{key: one[key] for key in told}}
        )
        for one in found
    ]

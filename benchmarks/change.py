"""What the client's users do between the last hot pass and the stop, the same for the same seed. Runs on the origin."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

DATA, META = Path("/var/spool/cyrus/data"), Path("/var/spool/cyrus/meta")

ROWS = """
UPDATE t_message_body SET size = size + 1 WHERE guid IN (SELECT guid FROM t_message_body ORDER BY guid LIMIT {0} OFFSET 1000);
DELETE FROM t_message_body WHERE guid IN (SELECT guid FROM t_message_body ORDER BY guid DESC LIMIT {0});
INSERT INTO t_message_body (guid, subject, size, date_header, created, headers)
  SELECT decode(md5('new ' || n), 'hex'), 'neu ' || n, 1000, '2026-03-02', '2026-03-02', '{{}}' FROM generate_series(1, {0}) n;
UPDATE t_mailbox_record SET system_flags = system_flags # 1 WHERE item_id % {1} = 1;
DELETE FROM t_mailbox_record WHERE item_id % {1} = 2;
UPDATE t_container_item SET flags = flags + 1 WHERE id % {1} = 1;
INSERT INTO t_changeset SELECT 1, 1000000000 + n, n, 1, '2026-03-02' FROM generate_series(1, {0}) n;
"""


def main() -> None:
    share, seed = float(sys.argv[1]), sys.argv[2]
    chance = random.Random(seed)
    messages = sorted(path for path in DATA.rglob("*.") if path.is_file())
    indexes = sorted(META.rglob("cyrus.index"))
    number = max(4, round(len(messages) * share / 4))
    chosen = chance.sample(messages, 3 * number)
    for place, path in enumerate(chosen[:number]):
        (path.parent / f"{900_000_000 + place}.").write_bytes(
            b"Subject: new\r\n\r\n" + chance.randbytes(5000)
        )
    for path in chosen[number : 2 * number]:
        path.unlink()
    for place, path in enumerate(chosen[2 * number :]):
        path.rename(path.parent / f"{800_000_000 + place}.")
    flagged = chance.sample(indexes, min(number, len(indexes)))
    for place, path in enumerate(flagged):
        before = path.stat()
        with path.open("r+b") as file:
            file.write(chance.randbytes(16))
        if place % 10 == 0:
            # rewritten within the second of the first write: the time in seconds is the same, the size too
            moment = before.st_mtime_ns // 10**9 * 10**9 + 123_456_789
            os.utime(path, ns=(moment, moment))
    count = "psql -XAt -d bj-data -c 'SELECT count(*) FROM t_message_body'"
    rows = int(subprocess.run(as_postgres(count), stdout=subprocess.PIPE, check=True).stdout)
    each = max(1, round(rows * share / 3))
    sql = ROWS.format(each, round(3 / share))
    subprocess.run(as_postgres("psql -Xq1 -v ON_ERROR_STOP=1 -d bj-data"), input=sql.encode(), check=True)
    print(json.dumps({"files": 3 * number + len(flagged), "rows of one table": 3 * each}))


def as_postgres(line: str) -> list[str]:
    return ["runuser", "-u", "postgres", "--", "sh", "-c", f"cd / && {line}"]


if __name__ == "__main__":
    main()

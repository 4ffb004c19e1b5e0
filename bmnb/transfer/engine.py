"""The fast engine: what costs time is done while the origin's services run, and what is left side by side.

A hot pass learns what the origin has, and copies it, databases too. Once the services are stopped, a cold
pass looks once at the origin's metadata and once at its rows, and moves what changed since. Where a server
lacks what a part needs, that part is done as the document does it; the step's table says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bmnb.bluemind.paths import DATABASES, dump_of
from bmnb.steps import Action, Command, Condition, Together
from bmnb.transfer import access, databases, fast, files
from bmnb.transfer.placing import put
from bmnb.transfer.programs import carry_files, postgres
from bmnb.transfer.programs.replication import end_on_origin, end_on_target

OPEN_LINE = "open the connection of the cold pass"

DUMP_FAILS = "mend what pg_dump or pg_restore names: the engine `literal` would meet it too"

LACKING = {
    "files": "a server lacks Python 3.7, GNU find, sort or tar: rsync does it",
    "databases": "a server lacks Python 3.7 or PostgreSQL 10: dump and import do it",
}


@dataclass(frozen=True)
class Fast:
    """The actions of a migration's passes. `folder` is the run's on the servers; `streams` 0 lets it choose.

    `databases` that not every BlueMind has are carried where the target knows that the origin has them.
    `limit` is what a hot pass may take of the line, in MB a second; 0 is all of it. With `replicate` rows that
    change come by logical replication, where both servers allow it as they are. With `journal` the origin keeps a
    journal of changes between the passes, where its kernel offers one.
    """

    origin: str
    target: str
    folder: str
    trees: tuple[str, ...]
    added: bool
    streams: int
    limit: int = 0
    replicate: bool = False
    journal: bool = True
    databases: tuple[str, ...] = tuple(DATABASES)

    def hot_pass(self, *first: Command) -> Iterator[Action]:
        """Everything is copied, or what changed since the last pass: then it rehearses the cold pass.

        `first` is what the databases need of their server before they come.
        """
        both = (self.origin, self.target)
        yield from put(both, self.folder, fast.PROGRAMS, "put the programs of the fast engine there")
        yield Command(
            self.target,
            fast.probe(self.folder, self.origin, self.replicate, self.databases),
            "find out which parts it can do on these servers",
            read=fast.read_probe,
            ensure=True,
        )
        yield Command(
            self.target,
            fast.measure_ciphers(self.folder, self.origin, self.limit),
            "choose the cipher by measurement",
            when=Condition(
                self.target,
                f"find {self.folder} -maxdepth 1 -name 'fast-*' | grep -q .",
                "the fast engine does no part",
            ),
            read=fast.read_ciphers,
        )
        if self.journal:
            yield Command(
                self.origin,
                fast.keep_journal(self.folder, self.trees),
                "keep a journal of changes",
                when=self._if("files"),
                read=fast.read_journal,
                ensure=True,
                remedy="run this cell again; where it fails again, set `change_journal` to false",
            )
        yield from first
        yield Together((self._files(live=True), *self._databases(live=True)))
        yield self._literal_files(live=True)
        yield Command(self.target, fast.open_line(self.folder, self.origin), OPEN_LINE)

    def stop(self, stops: Iterable[Command]) -> Iterator[Action]:
        """Stop both servers at once; their PostgreSQL, which bmctl takes down too, comes up meanwhile."""
        yield Together(tuple(stops))
        start = postgres.START_SOON
        servers = (self.origin, self.target)
        yield Together(
            tuple(Command(server, start, "have PostgreSQL started", ensure=True) for server in servers)
        )

    def have_answers(self) -> Command:
        """PostgreSQL of the origin answers before its unit is started; it may also have stopped since."""
        return Command(self.origin, postgres.START, "start PostgreSQL", ensure=True)

    def take_back(self) -> Iterator[Command]:
        """Where an earlier import was put in place, the pass goes on with it."""
        yield Command(
            self.target,
            f"( {postgres.START} ) && {databases.take_back(self.databases)}",
            "take back what an earlier import has put in place",
            ensure=True,
        )

    def cold_pass(self, *beside: Command) -> Iterator[Action]:
        """What changed since the last hot pass: trees, databases and configuration side by side."""
        configuration = fast.carry_configuration(self.folder, self.origin, self.added)
        yield Together(
            (
                self._files(live=False),
                *self._databases(live=False),
                Command(self.target, configuration, "configuration, in one stream", ensure=True),
                *beside,
            )
        )
        yield self._literal_files(live=False)

    def copy_overlooked(self, differs: str, settled: str) -> Iterator[Command]:
        """The comparison is the proof: where the trees differ, what a journal named was not all that had changed.

        `differs` is a line that finds out, `settled` one that says that it was settled.
        """
        if not self.journal:
            return
        line = fast.copy_overlooked(self.folder, self.origin, self.trees, self.streams)
        yield Command(
            self.target,
            f"( {line} ) && {settled}",
            "what the journal of changes has overlooked",
            when=Condition(
                self.target,
                f"{fast.relied_on_journal(self.folder)} && {differs}",
                "it has overlooked nothing, or was not asked",
            ),
            read=fast.read_told,
            parts=fast.read_parts,
            ensure=True,
        )

    def end_journal(self) -> Iterator[Command]:
        if self.journal:
            yield Command(self.origin, fast.end_journal(self.folder), "end the journal of changes")

    def dump(self) -> Iterator[Action]:
        start = postgres.START_UNIT
        yield Command(self.origin, start, "start PostgreSQL", when=self._unless("databases"), ensure=True)
        yield Together(tuple(map(self._dump, self.databases)))

    def _dump(self, database: str) -> Command:
        file = dump_of(database)
        line = databases.dump(self.folder, self.origin, database, file)
        complete = f"tail -n 5 {self.folder}/{file} | grep -q -e '{databases.COMPLETE}'"
        return Command(
            self.target,
            f"( {line} ) && {complete}",
            f"dump {database}",
            when=self._unless("databases", database),
            ensure=True,
        )

    def configuration(self) -> Iterator[Action]:
        yield Command(self.target, fast.rebuild_maps(self.added), "Postfix's maps, from their -flat files")

    def imports(self) -> Iterator[Action]:
        for database in self.databases:
            parts = [
                databases.adopt_password(),
                databases.drop_unfinished(database),
                self._create(database),
                databases.set_time_zone(database),
                databases.import_dump(self.folder, database, dump_of(database)),
                databases.analyze(database),
            ]
            line = "\n".join(["set -e", *(f"(\n{part}\n)" for part in parts)])
            yield Command(self.target, line, f"import {database}", when=self._unless("databases", database))

    def _create(self, database: str) -> str:
        if database in DATABASES:
            return databases.create(database)
        return databases.create_alike(self.folder, self.origin, database)

    def end_replication(self) -> Iterator[Command]:
        """Leave nothing of it on either server, the origin first: what is left there would fill its disk."""
        if not self.replicate:
            return
        for server, end in ((self.origin, end_on_origin), (self.target, end_on_target)):
            yield Command(server, fast.end_replication(end, self.databases), "end the replication")

    def forget(self, server: str) -> Iterator[Command]:
        yield Command(server, fast.forget(self.folder), "remove the fast engine's programs and lists")

    def close_line(self) -> Command:
        return Command(self.target, fast.close_line(self.folder), "close the connection of the cold pass")

    def clean_up(self) -> Iterator[Action]:
        """Remove what the engine keeps on the target; the origin is out of reach by then."""
        yield self.close_line()
        yield Command(self.target, databases.unmark(self.databases), "remove the fast engine's marks")
        yield from self.forget(self.target)

    def _files(self, live: bool) -> Command:
        return Command(
            self.target,
            fast.copy_trees(self.folder, self.origin, self.trees, live, self.streams, self._limit(live)),
            "all trees" if live else "what changed in the trees",
            when=self._if("files"),
            read=fast.read_told,
            parts=fast.read_parts,
            again=(carry_files.LOST,) if live else (),
            ensure=not live,
            remedy="run this cell again: what has come is not sent again",
        )

    def _databases(self, live: bool) -> Iterator[Command]:
        for database in self.databases:
            yield Command(
                self.target,
                fast.copy_rows(
                    self.folder, self.origin, database, self.streams, self._limit(live), self.replicate
                ),
                f"changes of {database}, by replication"
                if self.replicate
                else f"rows of {database}, proven equal",
                when=self._if("databases", database),
                read=fast.read_told,
                parts=fast.read_parts,
                gauge=fast.tables(self.folder, self.origin, database),
                again=(postgres.LOST,) if live else (),
                ensure=not live,
                remedy="run this cell again; where it fails again, "
                + ("take `database_copy: rows`" if self.replicate else DUMP_FAILS),
            )

    def _literal_files(self, live: bool) -> Command:
        return Command(
            self.target,
            files.synchronize_all(self.origin, self.trees, access.ssh(self.folder)),
            "all trees, with rsync",
            when=self._unless("files"),
            env={"LC_ALL": "C.UTF-8", "RSYNC_RSH": access.ssh(self.folder)},
            accept=(0, files.VANISHED) if live else (0,),
            again=files.BROKEN_OFF if live else (),
            ensure=not live,
            read=files.read_all,
            parts=files.read_trees,
        )

    def _limit(self, live: bool) -> int:
        return self.limit if live else 0

    def carries_databases(self) -> Condition:
        return self._if("databases")

    def carries(self, database: str) -> Condition:
        """Whether a hot pass has made a copy of it."""
        return self._if("databases", database)

    def _if(self, part: str, database: str = "") -> Condition:
        return self._where(f"test -e {self.folder}/fast-{part}", LACKING[part], database)

    def _unless(self, part: str, database: str = "") -> Condition:
        otherwise = "the fast engine has carried them over"
        return self._where(f"test ! -e {self.folder}/fast-{part}", otherwise, database)

    def _where(self, line: str, otherwise: str, database: str) -> Condition:
        if database in ("", *DATABASES):
            return Condition(self.target, line, otherwise)
        there = databases.is_there(self.folder, database)
        return Condition(self.target, f"{there} && {line}", f"{databases.ABSENT}, or {otherwise}")

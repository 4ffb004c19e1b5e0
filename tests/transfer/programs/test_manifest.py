"""What the index of a manifest gives is what reading all its lines gives."""

from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bmnb.transfer.programs.lines import UNPROVEN, path_of, write
from bmnb.transfer.programs.manifest import Manifest, Scope, folder_in, index, parent

FOLDERS = [b"/t", b"/t/a", b"/t/a/x", b"/t/b", b"/t/b 1 d - "]


def own(folder: bytes) -> bytes:
    return b"5.0 %d 1 d - 1.0 755 0 0 %s" % (FOLDERS.index(folder) + 10, folder)


def entry(folder: bytes, name: int) -> bytes:
    return b"5.0 99 1 f 3 1.0 644 0 0 %s/%d." % (folder, name)


def unproven(line: bytes) -> bytes:
    return UNPROVEN + line.split(b" ", 3)[3]


some_folder = st.sampled_from(FOLDERS)
proven = st.one_of(st.builds(own, some_folder), st.builds(entry, some_folder, st.integers(0, 9)))
lines = st.lists(st.one_of(proven, st.builds(unproven, proven)), max_size=30)
scopes = st.builds(Scope, st.sets(some_folder, max_size=2), st.sets(some_folder, max_size=1))


def manifest(folder: str, told: Iterable[bytes], added: Iterable[bytes]) -> Manifest:
    path, index_path = (Path(folder) / name for name in ("manifest", "index"))
    write(str(path), told)
    write(str(index_path), index(told))
    with path.open("ab") as file:
        file.writelines(line + b"\0" for line in added)
    return Manifest(str(path), str(index_path), [b"/t"])


@given(lines, lines, scopes)
def test_the_index_leads_to_just_the_lines_of_a_scope(told: list[bytes], added: list[bytes], scope: Scope):
    with TemporaryDirectory() as folder:
        one = manifest(folder, told, added)
        every = [*told, *added]
        inside = [line for line in every if path_of(line) in scope]
        assert list(one.within(scope)) == inside
        left = [line for line in every if path_of(line) not in scope]
        assert one.left[b"/t", "files"] == len(left)
        assert one.left[b"/t", "bytes"] == 3 * sum(path_of(line)[-1:] == b"." for line in left)
        assert one.folders() == {found for line in every for found in folder_in(line)}
        assert one.unproven() == {parent(path_of(line)) for line in every if line.startswith(UNPROVEN)}


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        (b"/t/named", True),
        (b"/t/named/entry", True),
        (b"/t/named/folder/entry", False),
        (b"/t/whole/folder/entry", True),
        (b"/t/whole", False),
        (b"/t/other", False),
    ],
)
def test_a_scope_has_entries_of_named_folders_and_all_below_whole_ones(path: bytes, inside: bool):
    assert (path in Scope([b"/t/named"], [b"/t/whole"])) == inside

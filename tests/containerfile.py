"""The steps of a Containerfile done in a Debian tree, where no container engine is at hand."""

import json
import re
import shutil
from dataclasses import dataclass
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

from bmnb.lab.host import call
from bmnb.lab.images import cached
from tests.new_user import reaching_out

ROOT = Path(__file__).parent.parent
FILE = ROOT / "Containerfile"
RELEASE = "bookworm"


def steps(text: str) -> list[tuple[str, str]]:
    """Instruction and value; a comment is none, and a line that ends with a backslash goes on."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(word, value) for word, _, value in (line.partition(" ") for line in joined.splitlines()) if word]


@dataclass
class Container:
    """A tree, and as whom and where the next step is done."""

    tree: Path
    user: str = "root"
    folder: str = "/"
    ports: tuple[int, ...] = ()
    command: tuple[str, ...] = ()

    def words(self, *command: str) -> list[str]:
        """What does a command there, in processes of its own that end with it."""
        given = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"]
        given += ["SSL_CERT_FILE=/certificates", "PIP_CERT=/certificates"]
        home = "/root" if self.user == "root" else f"/home/{self.user}"
        return [
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", f"--mount-proc={self.tree}/proc"),
            *("chroot", f"--userspec={self.user}:{self.user}", str(self.tree)),
            *("env", "-i", f"--chdir={self.folder}", f"HOME={home}", *given, *command),
        ]

    def run(self, line: str) -> str:
        """What a line of the shell prints there."""
        return call(*self.words("sh", "-c", line))

    def do(self, instruction: str, value: str) -> None:
        """One step as an engine does it. Raise KeyError for an instruction that this does not know."""
        {
            "RUN": self.run,
            "COPY": self._copy,
            "USER": lambda name: setattr(self, "user", name),
            "WORKDIR": self._enter,
            "EXPOSE": lambda port: setattr(self, "ports", (*self.ports, int(port))),
            "CMD": lambda words: setattr(self, "command", tuple(json.loads(words))),
        }[instruction](value)

    def _copy(self, value: str) -> None:
        source, target = value.split()
        shutil.copytree(ROOT / source, self.tree / target.lstrip("/"), ignore=_ignored, dirs_exist_ok=True)

    def _enter(self, folder: str) -> None:
        (self.tree / folder.lstrip("/")).mkdir(parents=True, exist_ok=True)
        self.folder = folder


def _ignored(folder: str, names: list[str]) -> set[str]:
    """What .containerignore leaves out; only a pattern after `**/` is for folders below the top."""
    patterns = (ROOT / ".containerignore").read_text().split()
    here = [one.removeprefix("**/") for one in patterns if "**/" in one or Path(folder) == ROOT]
    return {name for name in names if any(fnmatch(name, one) for one in here)}


def packages(first: str) -> Path:
    """A tree of Debian after the first step, which installs Debian's packages; made once."""

    def build(place: Path) -> None:
        call("mmdebstrap", "--variant=minbase", "--aptopt=Acquire::Languages none", RELEASE, place)
        reaching_out(place)
        Container(place).run(first)

    return cached(f"container-{sha256(first.encode()).hexdigest()[:12]}", build)

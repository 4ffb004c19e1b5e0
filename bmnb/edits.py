"""Edits of files that are somebody else's: repeatable, read back, and taken back to the byte.

What such a file is besides its content stays: links are written through; owner, mode, access list and label
are kept.
"""

from __future__ import annotations

from shlex import quote

REPLACE = """replace() {
  local file new
  file=$(readlink -f -- "$1") && new=$(mktemp -- "$file.XXXXXX") || return
  cp --attributes-only --preserve=all -- "$file" "$new" && cat > "$new" && mv -f -- "$new" "$file" && return
  rm -f -- "$new"; return 1
}"""
"""A function of bash that gives a file another content, which comes in as input, whole or not at all."""

HAS = """has() {
  local line
  while IFS= read -r line; do LC_ALL=C grep -aqxF -e "$line" -- "$file" || return 1; done <<< "$lines"
}"""


def rewrite(path: str, through: str) -> str:
    """Pass a file through a filter, where that changes anything."""
    return f"""{REPLACE}
new=$(mktemp) && trap 'rm -f "$new"' EXIT && {through} < {path} > "$new" || exit
cmp -s "$new" {path} || replace {path} < "$new" || exit"""


def add(find: str, state: str) -> str:
    """Add the lines that come in as input at the end of the file whose path `find` prints, once.

    `state` keeps what the file was: absent (and its folder with it), or without a newline at its end, which it
    gets while the lines are there. It is appended to, so that nothing else of it is ever written.
    """
    return f"""set -e; umask 077
{HAS}
file=$({find})
lines=$(cat); text=$lines$'\\n'; size=0; was=whole
if [ -e "$file" ]; then
  if has; then exit 0; fi
  size=$(stat -Lc %s -- "$file")
  if [ "$size" -gt 0 ] && [ "$(tail -c 1 -- "$file" | wc -l)" -eq 0 ]; then was=unended; text=$'\\n'$text; fi
else
  folder=$(dirname -- "$(readlink -m -- "$file")"); was=absent
  [ -d "$folder" ] || {{ was=folder-absent; mkdir -p -- "$folder"; }}
fi
mkdir -p "$(dirname {state})"
printf '%s\\n' $was "$file" > {state}.new; mv {state}.new {state}
if ! printf %s "$text" >> "$file"; then
  part=$(tail -c +$((size + 1)) -- "$file"; printf .)
  case $text in "${{part%.}}"*) truncate -s $size -- "$file" ;; esac
  exit 1
fi
case $was in *absent) if command -v restorecon > /dev/null; then restorecon -R -- "$folder"; fi ;; esac
has || {{ echo "$file does not have what was added" >&2; exit 1; }}"""


def take_away(find: str, state: str, pattern: str) -> str:
    """Take the lines that match a basic regular expression out of that file: nothing else of it changes.

    Where they are at its end, it becomes what it was before `add`, to the byte. The expression holds no #.
    """
    mine, others = f"LC_ALL=C grep -a {quote(pattern)}", quote(f"\\#{pattern}#d")
    return f"""set -e; umask 077
{REPLACE}
was=whole; file=
if [ -f {state} ]; then {{ read -r was; IFS= read -r file; }} < {state}; fi
[ -n "$file" ] || file=$({find})
if [ -e "$file" ] && {mine} -q -- "$file"; then
  kept=$(mktemp); trap 'rm -f "$kept"' EXIT
  LC_ALL=C sed {others} -- "$file" > "$kept"
  if [ $was = unended ] && tail -n 1 -- "$file" | {mine} -q; then truncate -s -1 "$kept"; fi
  if cmp -s -n "$(stat -c %s "$kept")" "$kept" "$file"; then truncate -s "$(stat -c %s "$kept")" -- "$file"
  else replace "$file" < "$kept"; fi
  if {mine} -- "$file" >&2; then echo "is still in $file" >&2; exit 1; fi
  case $was in *absent) [ -s "$file" ] || rm -f -- "$(readlink -f -- "$file")" ;; esac
  if [ $was = folder-absent ]; then rmdir --ignore-fail-on-non-empty -- "$(dirname -- "$file")"; fi
fi
rm -f {state}"""

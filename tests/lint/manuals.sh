#!/usr/bin/env bash
# Renders every manual page; fails on a warning of asciidoctor or of man. Usage: manuals.sh ROOT
set -uo pipefail
cd "$1" || exit 2
command -v asciidoctor >/dev/null || { echo "skipped: needs the package asciidoctor"; exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
status=0
fail() { printf '%s\n' "$1" >&2; status=1; }

for page in docs/man/*.adoc; do
  name=$(basename "$page" .adoc)
  asciidoctor --backend manpage --failure-level WARN --out-file "$out/$name" "$page" || fail "$page: does not render"
  [ -s "$out/$name" ] || fail "$page: renders to nothing"
  if command -v man >/dev/null; then
    said=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings --encoding=UTF-8 --local-file "$out/$name" 2>&1 >/dev/null)
    [ -z "$said" ] || fail "$page: $said"
  fi
  # Each page that SEE ALSO and other pages name is there.
  for other in $(grep -oE '\*?timepool[a-z.-]*\*?\([0-9]\)' "$page" | tr -d '*' | sort -u); do
    [ -f "docs/man/$(sed 's/(\([0-9]\))/.\1/' <<<"$other").adoc" ] || fail "$page: names $other, which is not there"
  done
done
exit $status

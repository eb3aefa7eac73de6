#!/usr/bin/env bash
# Rules on the tree itself that no compiler checks. Usage: tree.sh ROOT
set -uo pipefail
cd "$1" || exit 2
git rev-parse --git-dir >/dev/null 2>&1 || { echo "skipped: not a git checkout"; exit 77; }
status=0
fail() { printf '%s\n' "$1" >&2; status=1; }

code=$(git ls-files -co --exclude-standard '*.cc' '*.h' '*.c' '*.ts')
for file in $code; do
  [ -f "$file" ] || continue
  lines=$(wc -l < "$file")
  [ "$lines" -le 800 ] || fail "$file: $lines lines, more than 800: split it"
done
hits=$(grep -nE '^.{101,}$' $code 2>/dev/null | cut -c1-120); [ -z "$hits" ] || fail "longer than 100 columns:
$hits"
hits=$(grep -nE 'using namespace std;|std::(format|views)\b|#pragma once.*#pragma once' $code); [ -z "$hits" ] || fail "not used here:
$hits"
# What `new` took before TRY returns from its arguments nobody gives back.
hits=$(grep -nE '\bnew [A-Za-z_:<>]+\(.*TRY\(' $code); [ -z "$hits" ] || fail "TRY inside new leaks:
$hits"
for file in $(git ls-files -co --exclude-standard 'src/*.h'); do
  [ -f "$file" ] || continue
  head -n 30 "$file" | grep -q '#pragma once' || fail "$file: no #pragma once near its top"
  head -n 1 "$file" | grep -q '^//' || fail "$file: does not begin with a comment that says what it is"
done
hits=$(git ls-files | grep -E '(^|/)(util|utils|common|helpers|misc)(/|\.|$)'); [ -z "$hits" ] || fail "a name that says nothing:
$hits"
hits=$(git grep -nIE '(deb\.debian\.org|registry\.npmjs\.org|pypi\.org|crates\.io|proxy\.golang\.org)' -- . ':!tests/lint/tree.sh'); [ -z "$hits" ] || fail "a package registry's host:
$hits"
exit $status

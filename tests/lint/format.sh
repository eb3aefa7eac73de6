#!/usr/bin/env bash
# Fails when clang-format would change a file. Usage: format.sh ROOT
set -uo pipefail
cd "$1" || exit 2
command -v clang-format-19 >/dev/null || { echo "skipped: needs the package clang-format-19"; exit 77; }
git rev-parse --git-dir >/dev/null 2>&1 || { echo "skipped: not a git checkout"; exit 77; }
git ls-files -co --exclude-standard '*.cc' '*.h' '*.c' | xargs -r clang-format-19 --dry-run --Werror

#!/usr/bin/env bash
# Fails when an archive of a pure library refers to a symbol that does I/O, reads a clock, draws
# randomness, starts a thread, takes a lock or throws. Usage: pure_symbols.sh ARCHIVE...
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: $0 ARCHIVE..." >&2; exit 2; }
forbidden='^(socket|bind|connect|listen|accept4?|send(to|msg|mmsg)?|recv(from|msg|mmsg)?|open(64|at)?|fopen(64)?|read|write|poll|select|epoll_.*|clock_(gettime|settime|adjtime|nanosleep)|gettimeofday|time|nanosleep|usleep|sleep|getrandom|getentropy|rand|random|srand|arc4random.*|pthread_.*|getenv|system|fork|exec.*|__cxa_throw|__cxa_allocate_exception|_ZNSt6chrono3_V2.*3nowEv|_ZNSt13random_device.*|_ZNSt6thread.*|_ZNSt5mutex.*)$'
status=0
for archive in "$@"; do
  [ -s "$archive" ] || { echo "$archive: no such archive" >&2; exit 2; }
  hits=$(nm --undefined-only "$archive" | awk '/:$/ {file=$1} $1=="U" || $1=="w" {sub(/@.*/, "", $2); print $2, file}' |
         grep -vE '^pthread_(once|key_create)|^__pthread_key_create' | awk -v re="$forbidden" '$1 ~ re' | sort -u || true)
  if [ -n "$hits" ]; then
    printf '%s is not pure:\n%s\n' "$(basename "$archive")" "$hits" >&2
    status=1
  fi
done
exit $status

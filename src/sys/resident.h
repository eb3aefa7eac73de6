// Resident memory of the process.
#pragma once

namespace timepool::sys {

// Gives back the pages of code and constants that were only needed to start: parsers, tables of
// settings, the dynamic linker. What is used again comes back from the page cache by itself. Only
// mappings that were never written are touched. Worth it after each step of the start: the peak
// counts too.
void release_startup_pages();

// Starts the program again, once, with the symbols of its libraries bound at the start (ld.so(8),
// LD_BIND_NOW): bound one by one as they are called, they keep most of a megabyte of symbol tables
// resident, which release_startup_pages() otherwise gives back. First in main(). Nothing where they
// are bound, where a library is preloaded (it would be set up twice), or where it can't be done.
void bind_symbols_at_start(char** argv);

// Gives back the pages of the heap on which nothing is left: once, when all is set up.
void release_startup_heap();

// From now on blocks of 128 KiB and more go back to the system as soon as they are freed: what a
// reload needed for a moment (files of prefixes) is not kept. Otherwise the C library takes the
// size of the first such block that is freed for usual, and keeps the ones up to it.
void return_large_blocks();

}  // namespace timepool::sys

// Resident memory of the process.
#pragma once

namespace timepool::sys {

// Gives back the pages of code and constants that were only needed to start: parsers, tables of
// settings, the dynamic linker. What is used again comes back from the page cache by itself. Only
// mappings that were never written are touched. For a program that from now on mostly sleeps.
void release_startup_pages();

}  // namespace timepool::sys

#include "sys/resident.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdint>
#include <cstdlib>

namespace timepool::sys {
namespace {

int release(dl_phdr_info* object, std::size_t, void*) {
  const std::uintptr_t page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = object->dlpi_phdr[i];
    // What is writable, or was while it was relocated, is in segments with PF_W.
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = (object->dlpi_addr + header.p_vaddr + page - 1) / page * page;
    const std::uintptr_t end = (object->dlpi_addr + header.p_vaddr + header.p_memsz) / page * page;
    if (end <= begin) continue;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): addresses of mappings are numbers here.
    static_cast<void>(::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED));
  }
  return 0;
}

}  // namespace

void return_large_blocks() {
  constexpr int kLarge = 128 * 1024;
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
}

void bind_symbols_at_start(char** argv) {
  if (std::getenv("LD_BIND_NOW") != nullptr || std::getenv("LD_PRELOAD") != nullptr) return;
  // By its path, not /proc/self/exe: the process is named for what it executes.
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (size <= 0 || ::setenv("LD_BIND_NOW", "1", 1) != 0) return;
  ::execv(path.data(), argv);
}

void release_startup_heap() {
  ::malloc_trim(0);
}

void release_startup_pages() {
  ::dl_iterate_phdr(release, nullptr);
}

}  // namespace timepool::sys

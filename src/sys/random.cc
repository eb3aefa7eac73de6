#include "sys/random.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace timepool::sys {

void fill_random(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t count = ::getrandom(out.data(), out.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    CHECK(count > 0);
    out = out.subspan(static_cast<std::size_t>(count));
  }
}

std::uint64_t random_u64() {
  std::array<std::byte, 8> bytes{};
  fill_random(bytes);
  std::uint64_t out = 0;
  std::memcpy(&out, bytes.data(), sizeof out);
  return out;
}

}  // namespace timepool::sys

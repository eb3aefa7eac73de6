#include "base/utf8.h"

namespace timepool {
namespace {

// The bytes that follow the first of a UTF-8 character, or -1 when none begins with it (RFC 3629
// 3).
int continuations(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xc2 && first < 0xe0) return 1;
  if (first >= 0xe0 && first < 0xf0) return 2;
  if (first >= 0xf0 && first < 0xf5) return 3;
  return -1;
}

// True when a second byte makes `first` an overlong form, a surrogate or above U+10FFFF.
bool out_of_range(unsigned char first, unsigned char second) {
  return (first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
         (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90);
}

}  // namespace

std::string as_utf8(std::string_view text) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const int more = continuations(byte(i));
    const std::size_t size = static_cast<std::size_t>(more < 0 ? 0 : more) + 1;
    bool good = more >= 0 && size <= text.size() - i;
    for (std::size_t k = 1; good && k < size; ++k) good = (byte(i + k) & 0xc0) == 0x80;
    if (good && size > 1) good = !out_of_range(byte(i), byte(i + 1));
    out.append(good ? text.substr(i, size) : std::string_view("?"));
    i += good ? size : 1;
  }
  return out;
}

}  // namespace timepool

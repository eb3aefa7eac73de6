// Any file as saved sessions: no crash, and what is taken is written the same again. The first
// octet says whether a right check sum is put behind the rest.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/byte_writer.h"
#include "base/check.h"
#include "base/siphash.h"
#include "nts/saved_sessions.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;
  if (size == 0) return 0;
  const Bytes input = std::as_bytes(std::span(data + 1, size - 1));
  std::vector<std::byte> file(input.begin(), input.end());
  if ((data[0] & 1) != 0) {
    std::array<std::byte, 8> sum{};
    ByteWriter writer(sum);
    writer.u64(siphash24({0, 0}, file));
    file.insert(file.end(), sum.begin(), sum.end());
  }
  const auto parsed = nts::parse_sessions(file);
  if (!parsed.ok()) {
    CHECK(!nts::name_of(parsed.error()).empty());
    return 0;
  }
  const std::vector<std::byte> again = nts::format_sessions(*parsed);
  CHECK(again.size() <= nts::kMaxSavedSessionsBytes);
  const auto twice = nts::parse_sessions(again);
  CHECK(twice.ok() && twice->sessions.size() == parsed->sessions.size());
  CHECK(nts::format_sessions(*twice) == again);
  return 0;
}

// Any octets as a journal, with their digest made right; what is read is written as it was.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/check.h"
#include "base/siphash.h"
#include "dns/transfer/journal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;  // NOLINT: a test program of one file
  const Bytes input = std::as_bytes(std::span(data, size));
  static_cast<void>(dns::parse_journal(input));
  std::vector<std::byte> bytes(input.begin(), input.end());
  const std::uint64_t digest =
      siphash24({0x7472'616e'7366'6572, 0x6a6f'7572'6e61'6c31}, Bytes(bytes));
  for (int shift = 56; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<std::byte>(digest >> shift & 0xff));
  }
  const auto journal = dns::parse_journal(bytes);
  if (!journal.ok() || journal->history == nullptr) return 0;
  const std::vector<std::byte> again = dns::format_journal(*journal->history);
  const auto second = dns::parse_journal(again);
  CHECK(second.ok() && second->history != nullptr);
  CHECK(dns::format_journal(*second->history) == again);
  CHECK(second->history->difference_count() == journal->history->difference_count());
  return 0;
}

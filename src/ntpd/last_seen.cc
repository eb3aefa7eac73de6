#include "ntpd/last_seen.h"

#include <cstring>

namespace timepool::ntpd {
namespace {

constexpr int kTries = 8;
// The port has 16 bits, the interface index 32, the family one.
constexpr unsigned kScopeShift = 16;
constexpr std::uint64_t kV4Flag = std::uint64_t{1} << 63;

}  // namespace

void LastSeen::note(UnixTime at, const Endpoint& from) {
  Words words{static_cast<std::uint64_t>(at.ns()), 0, 0, from.port};
  const Bytes address = from.address.bytes();
  std::memcpy(&words[1], address.data(), address.size());
  words[3] |= static_cast<std::uint64_t>(from.scope_id & 0x7fff'ffff) << kScopeShift;
  if (from.address.is_v4()) words[3] |= kV4Flag;
  const std::uint32_t sequence = sequence_.load(std::memory_order_relaxed);
  sequence_.store(sequence + 1, std::memory_order_relaxed);
  // A reader that sees one of the words sees the odd number, too.
  for (std::size_t i = 0; i < kWords; ++i) words_[i].store(words[i], std::memory_order_release);
  sequence_.store(sequence + 2, std::memory_order_release);
}

std::optional<LastSeen::Value> LastSeen::value() const {
  for (int i = 0; i < kTries; ++i) {
    const std::uint32_t before = sequence_.load(std::memory_order_acquire);
    if (before == 0) return std::nullopt;
    if (before % 2 != 0) continue;
    Words words;
    for (std::size_t k = 0; k < kWords; ++k) words[k] = words_[k].load(std::memory_order_acquire);
    if (sequence_.load(std::memory_order_relaxed) != before) continue;
    std::array<std::byte, 16> address;
    std::memcpy(address.data(), &words[1], address.size());
    Value out;
    out.at = UnixTime::from_ns(static_cast<std::int64_t>(words[0]));
    out.from.address =
        IpAddress::from_bytes(Bytes(address).first((words[3] & kV4Flag) != 0 ? 4 : 16));
    out.from.port = static_cast<std::uint16_t>(words[3]);
    out.from.scope_id = static_cast<std::uint32_t>(words[3] >> kScopeShift) & 0x7fff'ffff;
    return out;
  }
  return std::nullopt;
}

}  // namespace timepool::ntpd

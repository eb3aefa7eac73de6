#include "ntpd/server_counters.h"

#include <algorithm>
#include <bit>
#include <numeric>

namespace timepool::ntpd {
namespace {

constexpr std::size_t kKindMask = 0x3f;

std::size_t bucket_of(std::int64_t ns) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0)) / 1000;
  return std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(us)), kLatencyBuckets - 1);
}

}  // namespace

std::uint64_t ServerCounts::of_version(unsigned version) const {
  const auto first = kinds.begin() + version * 8;
  return std::accumulate(first, first + 8, std::uint64_t{0});
}

std::uint64_t ServerCounts::of_mode(unsigned mode) const {
  std::uint64_t out = 0;
  for (std::size_t kind = mode; kind < kinds.size(); kind += 8) out += kinds[kind];
  return out;
}

std::uint64_t ServerCounts::total() const {
  return std::accumulate(reasons.begin(), reasons.end(), std::uint64_t{0});
}

std::uint64_t ServerCounts::answered() const {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (ntp::is_answered(static_cast<ntp::Reason>(i))) out += reasons[i];
  }
  return out;
}

void ServerCounters::count(ntp::Reason reason, Bytes datagram) {
  add(reasons_[static_cast<std::size_t>(reason)], 1);
  if (datagram.empty()) return;
  add(kinds_[std::to_integer<std::size_t>(datagram[0]) & kKindMask], 1);
}

void ServerCounters::count_reply(Duration took) {
  add(latency_[bucket_of(took.ns())], 1);
  add(latency_sum_ns_, static_cast<std::uint64_t>(std::max<std::int64_t>(took.ns(), 0)));
}

void ServerCounters::add_to(ServerCounts& out) const {
  const auto sum = [](const auto& from, auto& to) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i].load(std::memory_order_relaxed);
  };
  sum(reasons_, out.reasons);
  sum(kinds_, out.kinds);
  sum(latency_, out.latency);
  out.latency_sum_ns += latency_sum_ns_.load(std::memory_order_relaxed);
}

}  // namespace timepool::ntpd

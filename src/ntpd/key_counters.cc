#include "ntpd/key_counters.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <string_view>

namespace timepool::ntpd {
namespace {

constexpr std::array<std::string_view, kKeyLossCount> kLossNames{
    "limit_connections", "limit_network", "limit_rate", "displaced",
    "handshake_late",    "lost",          "stopped",    "no_certificate"};

}  // namespace

std::string name_of_key_outcome(std::size_t index) {
  if (index < nts::kKeReasonCount) {
    return std::string(name_of(static_cast<nts::KeReason>(index)));
  }
  index -= nts::kKeReasonCount;
  if (index < net::kTlsFaultCount) {
    const auto fault = static_cast<net::TlsFault>(index);
    return fault == net::TlsFault::kNone ? "" : "tls_" + std::string(name_of(fault));
  }
  return std::string(kLossNames[index - net::kTlsFaultCount]);
}

std::uint64_t KeyCounts::total() const {
  return std::accumulate(outcomes.begin(), outcomes.end(), std::uint64_t{0});
}

void KeyCounters::count_duration(Duration took) {
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(took.ns() / 1'000'000, 0));
  add(durations_[std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(ms)),
                                       kKeyDurationBuckets - 1)],
      1);
  add(duration_sum_us_, static_cast<std::uint64_t>(std::max<std::int64_t>(took.ns() / 1000, 0)));
}

void KeyCounters::add_to(KeyCounts& out) const {
  const auto value = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
  for (std::size_t i = 0; i < outcomes_.size(); ++i) out.outcomes[i] += value(outcomes_[i]);
  for (std::size_t i = 0; i < durations_.size(); ++i) out.durations[i] += value(durations_[i]);
  out.duration_sum_us += value(duration_sum_us_);
  out.accept_errors += value(accept_errors_);
}

}  // namespace timepool::ntpd

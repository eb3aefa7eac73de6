#include "ntp/server/client_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace timepool::ntp {
namespace {

constexpr int kTagShift = 16;
constexpr std::uint32_t kCameAgain = 0x8000;
constexpr std::uint32_t kStampMask = 0x7fff;
constexpr int kStampShift = kTickBits + 4;  // 16 s
constexpr std::int64_t kStampSeconds = 16;
constexpr int kLastShift = kTickBits - 8;  // `last` counts 2^-8 s
constexpr int kLogIntervalOfUnit = -64;
constexpr std::size_t kAddressWords = 2;  // the first ones
constexpr std::size_t kCounters = 3;      // which word they are

std::uint32_t tag_of(std::uint64_t hash) {
  const auto tag = static_cast<std::uint32_t>(hash & 0xffff);
  return tag == 0 ? 1 : tag;
}

std::uint64_t octet(LogInterval value) {
  return static_cast<std::uint8_t>(value);
}
LogInterval interval_in(std::uint64_t word, int shift) {
  return static_cast<LogInterval>(static_cast<std::uint8_t>(word >> shift));
}

// The words of a record: the address, the bucket with version and mode, the counters, and when.
std::array<std::uint64_t, 5> pack(const Client& it) {
  return {it.key.high, it.key.low,
          it.moment | std::uint64_t{it.version} << 40 | std::uint64_t{it.mode} << 48,
          std::uint64_t{it.requests} << 32 | it.dropped,
          std::uint64_t{it.last} << 32 | octet(it.interval) | octet(it.after_answer) << 8 |
              octet(it.after_drop) << 16 | std::uint64_t{it.last_dropped} << 24};
}

Client unpack(const std::array<std::uint64_t, 5>& words) {
  Client out;
  out.key = {words[0], words[1]};
  out.moment = words[2] & kMomentMask;
  out.version = static_cast<std::uint8_t>(words[2] >> 40);
  out.mode = static_cast<std::uint8_t>(words[2] >> 48);
  out.requests = static_cast<std::uint32_t>(words[3] >> 32);
  out.dropped = static_cast<std::uint32_t>(words[3]);
  out.last = static_cast<std::uint32_t>(words[4] >> 32);
  out.interval = interval_in(words[4], 0);
  out.after_answer = interval_in(words[4], 8);
  out.after_drop = interval_in(words[4], 16);
  out.last_dropped = (words[4] >> 24 & 1) != 0;
  return out;
}

ClientReport report_of(const Client& client, std::uint64_t now) {
  ClientReport out;
  out.address = address_of(client.key);
  out.requests = client.requests;
  out.dropped = client.dropped;
  const std::uint32_t ago = static_cast<std::uint32_t>(now >> kLastShift) - client.last;
  // A client that asks just now may seem to ask in a moment.
  const bool ahead = ago > 0xffff'0000;
  out.age = ahead ? Duration() : Duration::nanoseconds(std::int64_t{ago} * (1'000'000'000 / 256));
  if (client.interval != kNoInterval) {
    out.interval = Duration::from_seconds(std::exp2(client.interval / 8.0));
  }
  out.version = client.version;
  out.mode = client.mode;
  return out;
}

}  // namespace

LogInterval log_interval(std::uint32_t span) {
  const std::uint32_t whole = std::max(span, std::uint32_t{1});
  const auto exponent = static_cast<int>(std::bit_width(whole)) - 1;
  // Between two powers of two a straight line: within 0.09 of the logarithm.
  const auto eighths = static_cast<int>((std::uint64_t{whole} << 3 >> exponent) & 7);
  return static_cast<LogInterval>(std::min(kLogIntervalOfUnit + exponent * 8 + eighths, 127));
}

LogInterval averaged(LogInterval average, LogInterval next) {
  if (average == kNoInterval) return next;
  const int away = next - average;
  const int step = away > 0 ? (away + 3) / 4 : (away - 3) / 4;
  return static_cast<LogInterval>(average + step);
}

ClientTable::ClientTable(std::size_t clients)
    : sets_(std::max<std::size_t>((clients + kWays - 1) / kWays, 1)),
      headers_(make_zeroed<std::uint32_t>(sets_ * kWays)),
      words_(make_zeroed<std::uint64_t>(sets_ * kWays * kWords)) {
  CHECK(clients <= kMaxClients);
}

std::uint32_t ClientTable::age_of(std::uint32_t header, std::uint64_t now) {
  return (static_cast<std::uint32_t>(now >> kStampShift) - header) & kStampMask;
}

std::uint32_t ClientTable::find(const AddressKey& key, std::uint64_t hash) const {
  const std::size_t first = first_of(hash);
  const std::uint32_t tag = tag_of(hash);
  for (std::size_t i = first; i < first + kWays; ++i) {
    if (headers_[i] >> kTagShift != tag) continue;
    const std::uint64_t* const words = &words_[i * kWords];
    if (words[0] == key.high && words[1] == key.low) return static_cast<std::uint32_t>(i);
  }
  return kNone;
}

ClientTable::Place ClientTable::place_for(std::uint64_t hash, std::uint64_t now) const {
  constexpr auto kOnce = static_cast<std::uint32_t>(kRememberOnce.ns() / 1'000'000'000 / 16);
  constexpr auto kAgain = static_cast<std::uint32_t>(kRemember.ns() / 1'000'000'000 / 16);
  static_assert(kStampSeconds == 16);
  const std::size_t first = first_of(hash);
  std::size_t oldest = kNone;
  std::uint32_t oldest_age = 0;
  for (std::size_t i = first; i < first + kWays; ++i) {
    const std::uint32_t header = headers_[i];
    if (header == 0) return {static_cast<std::uint32_t>(i), false};
    const std::uint32_t age = age_of(header, now);
    const bool again = (header & kCameAgain) != 0;
    if (again && age <= kAgain) continue;
    // The longer it is over its time, the better.
    const std::uint32_t overdue = again ? age - kAgain + kOnce : age;
    if (oldest == kNone || overdue > oldest_age) {
      oldest = i;
      oldest_age = overdue;
    }
  }
  if (oldest == kNone) return {};
  return {static_cast<std::uint32_t>(oldest), oldest_age <= kOnce};
}

Client ClientTable::load(std::uint32_t index) const {
  Words words;
  // Nobody else writes.
  std::copy_n(&words_[index * kWords], kWords, words.begin());
  return unpack(words);
}

void ClientTable::store(std::uint32_t index, std::uint64_t hash, const Client& client,
                        std::uint64_t now) {
  std::uint32_t& header = headers_[index];
  if (header == 0) used_.store(used() + 1, std::memory_order_relaxed);
  header = tag_of(hash) << kTagShift | (client.requests > 1 ? kCameAgain : 0) |
           (static_cast<std::uint32_t>(now >> kStampShift) & kStampMask);
  const Words words = pack(client);
  std::uint64_t* const place = &words_[index * kWords];
  const auto write = [place](std::size_t i, std::uint64_t word) {
    std::atomic_ref<std::uint64_t>(place[i]).store(word, std::memory_order_release);
  };
  // The address stays as it is in most cases.
  std::size_t first = kAddressWords;
  if (place[0] != words[0] || place[1] != words[1]) {
    // peek() must not take the last owner's counters for the new one's.
    write(kCounters, 0);
    first = 0;
  }
  for (std::size_t i = first; i < kWords; ++i) write(i, words[i]);
}

std::optional<Client> ClientTable::peek(std::size_t index) const {
  Words words;
  const auto read = [&](std::size_t i) {
    return std::atomic_ref<std::uint64_t>(words_[index * kWords + i])
        .load(std::memory_order_acquire);
  };
  // A new owner's counters are 0 until its address is written, and that is looked at once more.
  for (std::size_t i = 0; i < kWords; ++i) words[i] = read(i);
  const Client out = unpack(words);
  if (out.requests == 0 || read(0) != words[0] || read(1) != words[1]) return std::nullopt;
  return out;
}

std::vector<ClientReport> ClientTable::top(std::size_t count, MonoTime now) const {
  const std::uint64_t ticks = ticks_of(now);
  const auto more = [](const Client& a, const Client& b) {
    return a.requests != b.requests ? a.requests > b.requests : a.key < b.key;
  };
  std::vector<Client> heap;  // the least of those taken first
  heap.reserve(std::min(count, clients()));
  for (std::size_t i = 0; i < clients() && count > 0; ++i) {
    const std::optional<Client> client = peek(i);
    if (!client) continue;
    if (heap.size() == count) {
      if (!more(*client, heap.front())) continue;
      std::pop_heap(heap.begin(), heap.end(), more);
      heap.pop_back();
    }
    heap.push_back(*client);
    std::push_heap(heap.begin(), heap.end(), more);
  }
  std::sort_heap(heap.begin(), heap.end(), more);
  std::vector<ClientReport> out;
  out.reserve(heap.size());
  for (const Client& client : heap) out.push_back(report_of(client, ticks));
  return out;
}

}  // namespace timepool::ntp

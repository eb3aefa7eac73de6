#include "dnsd/query_counts.h"

#include <algorithm>

namespace timepool::dnsd {
namespace {

constexpr std::size_t kLetters = 26;
constexpr std::size_t kNoRcode = kCountedRcodes.size() + 1;

// Written by one thread alone: no read-modify-write needed.
void bump(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

// Of `value` in `all`; their number when it is not there.
template <class Array, class Value>
std::size_t index_in(const Array& all, Value value) {
  return static_cast<std::size_t>(std::find(all.begin(), all.end(), value) - all.begin());
}

template <class Array>
void add_all(Array& to, const Array& from) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] += from[i];
}

template <class Counters, class Array>
void read_all(const Counters& from, Array& to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = from[i].load(std::memory_order_relaxed);
}

}  // namespace

void QueryCounts::add(const QueryCounts& other) {
  add_all(reasons, other.reasons);
  add_all(types, other.types);
  add_all(rcodes, other.rcodes);
  add_all(countries, other.countries);
  with_subnet += other.with_subnet;
  limit_uncounted += other.limit_uncounted;
}

std::string type_label(std::size_t index) {
  return index < kCountedTypes.size() ? format(kCountedTypes[index]) : "other";
}

std::string rcode_label(std::size_t index) {
  if (index < kCountedRcodes.size()) return format(kCountedRcodes[index]);
  return index == kNoRcode ? "none" : "other";
}

std::string country_label(std::size_t index) {
  if (index >= kLetters * kLetters) return "unknown";
  return {static_cast<char>('a' + index / kLetters), static_cast<char>('a' + index % kLetters)};
}

std::size_t country_index(dns::CountryCode country) {
  if (!country.known()) return kLetters * kLetters;
  const std::size_t first = std::size_t{country.bits()} >> 8;
  const std::size_t second = std::size_t{country.bits()} & 0xff;
  return (first - 'a') * kLetters + (second - 'a');
}

void QueryCounter::note(const dns::Outcome& outcome, dns::CountryCode country) {
  bump(reasons_[static_cast<std::size_t>(outcome.reason)]);
  bump(rcodes_[outcome.verdict == dns::Verdict::kDrop ? kNoRcode
                                                      : index_in(kCountedRcodes, outcome.rcode)]);
  bump(countries_[country_index(country)]);
  if (outcome.client_subnet) bump(with_subnet_);
  if (outcome.type != wire::dns::RrType{}) bump(types_[index_in(kCountedTypes, outcome.type)]);
}

void QueryCounter::note_dropped(dns::Reason reason) {
  bump(reasons_[static_cast<std::size_t>(reason)]);
  bump(rcodes_[kNoRcode]);
  bump(countries_[kCountries - 1]);
}

QueryCounts QueryCounter::counts() const {
  QueryCounts out;
  read_all(reasons_, out.reasons);
  read_all(types_, out.types);
  read_all(rcodes_, out.rcodes);
  read_all(countries_, out.countries);
  out.with_subnet = with_subnet_.load(std::memory_order_relaxed);
  return out;
}

}  // namespace timepool::dnsd

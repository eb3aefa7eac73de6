// QueryCounter: how many queries of which kind one thread has answered: exactly one reason, one
// rcode and one country for each. The thread counts, anybody reads. All labels are of fixed sets.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "dns/responder.h"
#include "dns/zone/country.h"

namespace timepool::dnsd {

// The types that are counted apart, and the rest together.
inline constexpr std::array kCountedTypes{
    wire::dns::RrType::kA,   wire::dns::RrType::kAaaa,  wire::dns::RrType::kNs,
    wire::dns::RrType::kSoa, wire::dns::RrType::kCname, wire::dns::RrType::kTxt,
    wire::dns::RrType::kMx,  wire::dns::RrType::kSrv,   wire::dns::RrType::kPtr,
    wire::dns::RrType::kDs,  wire::dns::RrType::kHttps, wire::dns::RrType::kAny};
// The codes that are answered, and "none" for queries without an answer.
inline constexpr std::array kCountedRcodes{
    wire::dns::Rcode::kNoError,  wire::dns::Rcode::kFormErr, wire::dns::Rcode::kServFail,
    wire::dns::Rcode::kNxDomain, wire::dns::Rcode::kNotImp,  wire::dns::Rcode::kRefused,
    wire::dns::Rcode::kNotAuth,  wire::dns::Rcode::kBadVers, wire::dns::Rcode::kBadCookie};
// Two letters, and the last for addresses of no country.
inline constexpr std::size_t kCountries = 26 * 26 + 1;

struct QueryCounts {
  std::array<std::uint64_t, dns::kReasons> reasons{};
  std::array<std::uint64_t, kCountedTypes.size() + 1> types{};    // the last: all others
  std::array<std::uint64_t, kCountedRcodes.size() + 2> rcodes{};  // all others, none
  std::array<std::uint64_t, kCountries> countries{};
  std::uint64_t with_subnet = 0;
  std::uint64_t limit_uncounted = 0;  // answers that found no place in the table of limits

  void add(const QueryCounts& other);
};

// "A", ...; "other" for the last.
std::string type_label(std::size_t index);
// "NOERROR", ..., "other", "none".
std::string rcode_label(std::size_t index);
// "de", ..., "unknown" for the last.
std::string country_label(std::size_t index);
std::size_t country_index(dns::CountryCode country);

class QueryCounter {
 public:
  void note(const dns::Outcome& outcome, dns::CountryCode country);
  // A datagram that was not even looked at.
  void note_dropped(dns::Reason reason);
  QueryCounts counts() const;

 private:
  template <std::size_t kSize>
  using Counters = std::array<std::atomic<std::uint64_t>, kSize>;

  Counters<dns::kReasons> reasons_{};
  Counters<kCountedTypes.size() + 1> types_{};
  Counters<kCountedRcodes.size() + 2> rcodes_{};
  Counters<kCountries> countries_{};
  std::atomic<std::uint64_t> with_subnet_{0};
};

}  // namespace timepool::dnsd

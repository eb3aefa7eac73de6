// QueryHandler: answers queries for one UDP worker, or for all TCP connections, and counts exactly
// one reason for each. Called from one thread; the counts are read from any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dns/rate_limit.h"
#include "dns/reason.h"
#include "dns/responder.h"
#include "dnsd/serving.h"
#include "net/published.h"
#include "sys/udp_socket.h"

namespace timepool::dnsd {

// The types that are counted apart, and the rest together.
inline constexpr std::array kCountedTypes{
    wire::dns::RrType::kA,   wire::dns::RrType::kAaaa,  wire::dns::RrType::kNs,
    wire::dns::RrType::kSoa, wire::dns::RrType::kCname, wire::dns::RrType::kTxt,
    wire::dns::RrType::kMx,  wire::dns::RrType::kSrv,   wire::dns::RrType::kPtr,
    wire::dns::RrType::kDs,  wire::dns::RrType::kHttps, wire::dns::RrType::kAny};

struct QueryCounts {
  std::array<std::uint64_t, dns::kReasons> reasons{};
  std::array<std::uint64_t, kCountedTypes.size() + 1> types{};  // the last: all others
  std::uint64_t with_subnet = 0;
  std::uint64_t limit_uncounted = 0;  // answers that found no place in the table of limits

  void add(const QueryCounts& other);
};

// "A", ...; "other" for the last.
std::string type_label(std::size_t index);

class QueryHandler {
 public:
  // `limited_networks`: how many networks and kinds of answers are counted for limits, or 0 where
  // nothing comes by UDP.
  QueryHandler(net::Published<Serving>& serving, std::size_t limited_networks);

  // For net::UdpServer.
  void begin_batch();
  std::size_t operator()(const sys::Datagram& datagram, Bytes request, MutableBytes reply);

  // One query on a connection, as `rx` says; begin_batch() first. 0: no answer.
  std::size_t answer_stream(const dns::Rx& rx, Bytes request, MutableBytes reply) {
    return answer(rx, request, reply);
  }

  QueryCounts counts() const;

 private:
  std::size_t answer(const dns::Rx& rx, Bytes request, MutableBytes reply);
  // Cuts or drops what is over a limit or needs a cookie first.
  void guard(const dns::Rx& rx, dns::Outcome& outcome, MutableBytes reply);
  void count(const dns::Outcome& outcome);

  net::Published<Serving>::Reader reader_;
  const Serving* serving_ = nullptr;
  dns::Worker worker_;
  std::optional<dns::ResponseLimiter> limiter_;
  std::uint64_t ticks_ = 0;  // of this batch
  std::array<std::atomic<std::uint64_t>, dns::kReasons> reasons_{};
  std::array<std::atomic<std::uint64_t>, kCountedTypes.size() + 1> types_{};
  std::atomic<std::uint64_t> with_subnet_{0};
};

}  // namespace timepool::dnsd

// QueryHandler: answers queries for one UDP worker or one thread of connections: respond(), the
// limits on answers, the counters and the log. Called from one thread; the counts are read from
// any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "dns/rate_limit.h"
#include "dns/responder.h"
#include "dnsd/answer_stream.h"
#include "dnsd/query_counts.h"
#include "dnsd/query_log.h"
#include "dnsd/serving.h"
#include "dnsd/status_names.h"
#include "net/published.h"
#include "sys/udp_socket.h"

namespace timepool::dnsd {

struct HandlerPlace {
  // Of this thread among all that answer, for Tally and QueryLog.
  std::size_t lane = 0;
  // How many networks and kinds of answers are counted for limits; 0 where nothing comes by UDP.
  std::size_t limited_networks = 0;
};

class QueryHandler {
 public:
  // `log` outlives it, and is not null.
  QueryHandler(net::Published<Serving>& serving, const HandlerPlace& place, QueryLog* log);

  // For net::UdpServer.
  void begin_batch();
  std::size_t operator()(const sys::Datagram& datagram, Bytes request, MutableBytes reply);

  // One query on a connection, as `rx` says; begin_batch() first. 0: no answer.
  std::size_t answer_stream(const dns::Rx& rx, Bytes request, MutableBytes reply);

  // The rest of the last answer by TCP, if it has more than one message.
  std::unique_ptr<AnswerStream> take_stream() { return std::move(stream_); }

  QueryCounts counts() const;

 private:
  dns::Outcome answer(const dns::Rx& rx, Bytes request, MutableBytes reply);
  // A request with a key, or for a zone: off the fast path. Whether it was proved with a key.
  bool answer_keyed(const dns::Rx& rx, Bytes request, MutableBytes reply, dns::Outcome& outcome);
  // One of geodns' names of its status, for those who may ask (status_names.h).
  bool answer_status(const dns::Rx& rx, Bytes request, MutableBytes reply, dns::Outcome& outcome);
  // Into the log.
  void note(UnixTime received, const Endpoint& from, const Endpoint& to, Transport transport,
            const dns::Outcome& outcome, Bytes request, Bytes reply);
  // Cuts or drops what is over a limit or needs a cookie first.
  void guard(const dns::Rx& rx, dns::Outcome& outcome, MutableBytes reply);

  net::Published<Serving>::Reader reader_;
  const Serving* serving_ = nullptr;
  const HandlerPlace place_;
  QueryLog* const log_;
  dns::Worker worker_;
  std::optional<dns::ResponseLimiter> limiter_;
  std::uint64_t ticks_ = 0;  // of this batch
  QueryCounter counter_;
  const StatusNames status_names_;
  std::unique_ptr<AnswerStream> stream_;
};

}  // namespace timepool::dnsd

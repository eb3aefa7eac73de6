// Exchange: one request to a server and the judgement of what comes back. The association and the
// one-shot query both stand on it.
//
// Invariants: a reply is only taken when its origin timestamp is the 64 random bits of the request
// that is waiting, and each request is answered at most once; a datagram that is no answer changes
// nothing; the request says nothing about this machine (B23).
#pragma once

#include <cstdint>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "ntp/authenticator.h"
#include "ntp/local_time.h"
#include "ntp/random_stream.h"
#include "ntp/reply_reason.h"
#include "ntp/sample.h"

namespace timepool::ntp {

struct ExchangeConfig {
  std::uint8_t version = 4;  // 1 to 4
  // log2 seconds: how well the local clock can be read.
  std::int8_t precision = -20;
  // The most that the local clock's frequency is off, in parts in 10^9. A free-running crystal
  // keeps within 50 parts in a million; RFC 5905's 15 (PHI) is for a disciplined clock.
  std::int64_t clock_error_ppb = 50'000;
  Duration max_delay = Duration::seconds(3);
  Duration max_distance = Duration::seconds(3);
};

// How a reply came.
struct ReplyRx {
  LocalTime now;      // when it is handled
  UnixTime received;  // by the kernel's timestamp; now.unix where there is none
};

struct Reply {
  ReplyReason reason = ReplyReason::kUnsolicited;
  // Whether sample.offset and sample.delay are measurements, whatever else is wrong with them.
  bool has_times = false;
  Sample sample;  // what the server said, when is_answer(reason)
};

class Exchange {
 public:
  explicit Exchange(const ExchangeConfig& config) : config_(config) {}

  // Writes a new request, which replaces the one that waits, if any. False, and nothing waits, when
  // the authenticator has nothing to prove it with or it does not fit.
  bool start(LocalTime now, RandomStream& random, Authenticator& authenticator, ByteWriter& out);
  // The kernel's time of sending. Ignored when none waits or when it is before the request was
  // made or more than a second after.
  void handle_transmit_timestamp(UnixTime sent);
  // Judges a datagram. An answer ends the exchange.
  Reply handle_datagram(const ReplyRx& rx, Bytes datagram, Authenticator& authenticator);

  bool waiting() const { return waiting_; }

 private:
  ReplyReason judge_origin(const wire::ntp::Header& header) const;

  ExchangeConfig config_;
  bool waiting_ = false;
  bool answered_ = false;  // the last request was
  NtpTimestamp cookie_;    // the random transmit timestamp of the last request
  LocalTime started_;
  UnixTime sent_;
};

// 2^exponent seconds, for the log2 fields of the header; saturates, at least a nanosecond.
Duration exp2_seconds(int exponent);
// The error that a clock of this frequency error gathers in `span`; not negative.
Duration drift_over(Duration span, std::int64_t clock_error_ppb);

}  // namespace timepool::ntp

// Exchange: one request to a server and the judgement of what comes back. The association and the
// one-shot query both stand on it.
//
// Invariants: a reply is only taken when its origin timestamp is one of the 64 random bits of the
// request that is waiting, and each request is answered at most once; a datagram that is no answer
// changes nothing; the request says nothing about this machine (B23).
//
// Basic mode (RFC 5905): the reply brings the server's time of sending itself, as it was guessed
// before it was sent. Interleaved mode (RFC 9769): the reply brings the true time of sending of the
// reply before, so a sample measures the exchange before; the first request, and the one after
// kMaxInterleavedInVain without an answer, are basic, and a server that knows only basic mode
// answers in it.
#pragma once

#include <cstdint>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "ntp/authenticator.h"
#include "ntp/leap_nearness.h"
#include "ntp/local_time.h"
#include "ntp/random_stream.h"
#include "ntp/reply_reason.h"
#include "ntp/request_history.h"
#include "ntp/sample.h"
#include "ntp/timestamp.h"

namespace timepool::ntp {

struct ExchangeConfig {
  std::uint8_t version = 4;  // 1 to 4
  // log2 seconds: how well the local clock can be read.
  std::int8_t precision = -20;
  // The most that the local clock's frequency is off, in parts in 10^9. A free-running crystal
  // keeps within 50 parts in a million; RFC 5905's 15 (PHI) is for a disciplined clock.
  std::int64_t clock_error_ppb = 50'000;
  // How much it may change between two measurements beyond what they show, as EstimatorConfig's.
  std::int64_t max_clock_error_ppb = 1'000;
  Duration max_delay = Duration::seconds(3);
  Duration max_distance = Duration::seconds(3);
  bool interleaved = false;
  // No server's time is before it (B10): when this program was built, say. Zero: no such limit.
  UnixTime earliest;
};

// A server may step its clock back: its third such reply in a row is taken.
inline constexpr int kMaxStaleInARow = 2;
// RFC 9769 2: so many interleaved requests without an answer, and the next is a basic one.
inline constexpr int kMaxInterleavedInVain = 4;

// How a reply came.
struct ReplyRx {
  LocalTime now;      // when it is handled
  UnixTime received;  // in raw time, by the best timestamp; now.raw where there is none
  StampSource source = StampSource::kProgram;  // of `received`
  Duration error = {};  // the most that `received` is off, beside the resolution of the local clock
  LeapNearness leap = {};
};

struct Reply {
  ReplyReason reason = ReplyReason::kUnsolicited;
  // Whether sample.offset and sample.delay are measurements, whatever else is wrong with them.
  bool has_times = false;
  // The sample measures an exchange that the reply before measured already, in basic mode.
  bool repeated = false;
  Sample sample;  // what the server said, when is_answer(reason)
};

class Exchange {
 public:
  explicit Exchange(const ExchangeConfig& config) : config_(config) {}

  // Writes a new request, which replaces the one that waits, if any. False, and nothing waits, when
  // the authenticator has nothing to prove it with or it does not fit.
  bool start(LocalTime now, RandomStream& random, Authenticator& authenticator, ByteWriter& out);
  // Writes a request of which the answer is of no interest. False as above.
  bool warm_up(RandomStream& random, Authenticator& authenticator, ByteWriter& out);
  // The time of sending of the last request, in raw time. Ignored when it is before the request was
  // made or more than a second after, or less precise than what is known. One that comes after the
  // answer still serves interleaved mode.
  void handle_transmit_timestamp(const TransmitStamp& stamp);
  // Judges a datagram. An answer ends the exchange.
  Reply handle_datagram(const ReplyRx& rx, Bytes datagram, Authenticator& authenticator);
  // The answer is not waited for any more.
  void abandon();
  // The timestamps kept for interleaved mode are worth nothing: raw time was lost.
  void forget_previous() { previous_.known = false; }

  // The system clock was stepped: kernel timestamps of the request that waits may be from either
  // side of the step, so its reply will be no measurement.
  void handle_clock_step() { stepped_ = waiting_; }

  bool waiting() const { return waiting_; }

 private:
  // The four times of an exchange, as far as they are known, on our side and on the server's.
  struct Times {
    bool known = false;
    bool measured = false;  // a sample was made of it
    LocalTime at;           // when the reply was handled
    TransmitStamp t1;
    NtpTimestamp t2;
    UnixTime t4;
    StampSource t4_source = StampSource::kProgram;
    Duration t4_error;
  };

  ReplyReason judge_origin(const wire::ntp::Header& header, MonoTime now);
  ReplyReason judge_broadcast(const wire::ntp::Header& header, MonoTime now);
  void judge_answer(const ReplyRx& rx, const wire::ntp::Header& header, Reply& out);
  void measure(const Times& times, const wire::ntp::Header& header, Reply& out);
  bool is_stale(const wire::ntp::Header& header);
  void write_request(NtpTimestamp transmit, ByteWriter& out);

  ExchangeConfig config_;
  bool waiting_ = false;
  bool answered_ = false;         // the last request was
  bool stepped_ = false;          // the clock was, while the last request waited
  bool interleaved_ = false;      // the last request was an interleaved one
  NtpTimestamp transmit_cookie_;  // the random transmit timestamp of the last request
  NtpTimestamp receive_cookie_;   // the random receive timestamp of an interleaved one
  LocalTime started_;
  TransmitStamp sent_;
  Times previous_;  // the last exchange that was answered with times
  bool previous_is_last_ = false;
  int in_vain_ = 0;
  RequestHistory history_;
  // B9.
  bool broadcast_seen_ = false;
  MonoTime next_broadcast_;
  // B10.
  bool server_time_known_ = false;
  NtpTimestamp server_time_;
  int stale_in_a_row_ = 0;
};

// 2^exponent seconds, for the log2 fields of the header; saturates, at least a nanosecond.
Duration exp2_seconds(int exponent);
// The error that a clock of this frequency error gathers in `span`; not negative.
Duration drift_over(Duration span, std::int64_t clock_error_ppb);

}  // namespace timepool::ntp

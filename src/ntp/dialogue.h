// Dialogue: how an association talks with its server: writes what is sent and judges what comes
// back. One for each mode of RFC 5905 3: a client's requests (ntp/exchange.h), symmetric mode with
// a configured peer (ntp/peer_exchange.h), a server's broadcasts (ntp/broadcast_exchange.h).
#pragma once

#include <cstdint>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "ntp/authenticator.h"
#include "ntp/leap_nearness.h"
#include "ntp/local_time.h"
#include "ntp/random_stream.h"
#include "ntp/reply_reason.h"
#include "ntp/sample.h"
#include "ntp/timestamp.h"

namespace timepool::ntp {

// Which of them.
enum class TalkMode : std::uint8_t { kClient, kSymmetric, kBroadcast };

// How a datagram came.
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
  // It is a broadcast, proved to be the server's, new and in time: nobody asked for it.
  bool broadcast = false;
  // What the other side said, when is_answer(reason), kPeerUnasked, or broadcast.
  Sample sample;
};

// Of a datagram that is not looked at further.
inline Reply refused(ReplyReason reason) {
  Reply out;
  out.reason = reason;
  return out;
}
// Why a packet of this verdict does not count; kAccepted when it does.
inline ReplyReason reply_reason_of(AuthVerdict verdict) {
  switch (verdict) {
    case AuthVerdict::kAuthentic:
      return ReplyReason::kAccepted;
    case AuthVerdict::kNak:
      return ReplyReason::kCryptoNak;
    case AuthVerdict::kNotAuthentic:
      break;
  }
  return ReplyReason::kNotAuthentic;
}

class Dialogue {
 public:
  virtual ~Dialogue() = default;

  // Writes what is sent next, which replaces what waits for an answer, if anything does; `poll` is
  // log2 of the interval in use. False, and nothing waits, when the authenticator has nothing to
  // prove it with or it does not fit.
  virtual bool start(LocalTime now, std::int8_t poll, RandomStream& random,
                     Authenticator& authenticator, ByteWriter& out) = 0;
  // Writes a packet of which the answer is of no interest. False as above.
  virtual bool warm_up(RandomStream& random, Authenticator& authenticator, ByteWriter& out) = 0;
  // The time of sending of what was last written, in raw time. Ignored when it is before that or
  // more than a second after, or less precise than what is known.
  virtual void handle_transmit_timestamp(const TransmitStamp& stamp) = 0;
  // Judges a datagram. An answer ends the waiting.
  virtual Reply handle_datagram(const ReplyRx& rx, Bytes datagram,
                                Authenticator& authenticator) = 0;
  // The answer is not waited for any more, and what comes before the next start() is not heard.
  virtual void abandon() = 0;
  // Timestamps kept from one exchange to the next are worth nothing: raw time was lost.
  virtual void forget_previous() = 0;
  // The system clock was stepped: kernel timestamps of what waits may be from either side of the
  // step, so its answer will be no measurement.
  virtual void handle_clock_step() = 0;
  virtual bool waiting() const = 0;
};

}  // namespace timepool::ntp

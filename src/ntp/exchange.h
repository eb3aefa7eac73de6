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

#include "ntp/dialogue.h"
#include "ntp/four_times.h"
#include "ntp/request_history.h"

namespace timepool::ntp {

// A server may step its clock back: its third such reply in a row is taken.
inline constexpr int kMaxStaleInARow = 2;
// RFC 9769 2: so many interleaved requests without an answer, and the next is a basic one.
inline constexpr int kMaxInterleavedInVain = 4;

class Exchange final : public Dialogue {
 public:
  explicit Exchange(const ExchangeConfig& config) : config_(config) {}

  // Writes a new request. The interval is nobody's business (B23).
  bool start(LocalTime now, RandomStream& random, Authenticator& authenticator, ByteWriter& out);
  bool start(LocalTime now, std::int8_t, RandomStream& random, Authenticator& authenticator,
             ByteWriter& out) override {
    return start(now, random, authenticator, out);
  }
  bool warm_up(RandomStream& random, Authenticator& authenticator, ByteWriter& out) override;
  // One that comes after the answer still serves interleaved mode.
  void handle_transmit_timestamp(const TransmitStamp& stamp) override;
  Reply handle_datagram(const ReplyRx& rx, Bytes datagram, Authenticator& authenticator) override;
  void abandon() override;
  void forget_previous() override { previous_.known = false; }
  void handle_clock_step() override { stepped_ = waiting_; }
  bool waiting() const override { return waiting_; }

 private:
  // An exchange, as far as it is known.
  struct Times {
    bool known = false;
    bool measured = false;  // a sample was made of it
    FourTimes four;
  };

  ReplyReason judge_origin(const wire::ntp::Header& header, MonoTime now);
  ReplyReason judge_broadcast(const wire::ntp::Header& header, MonoTime now);
  void judge_answer(const ReplyRx& rx, const wire::ntp::Header& header, Reply& out);
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

}  // namespace timepool::ntp

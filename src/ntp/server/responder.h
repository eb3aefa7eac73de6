// The NTP server: a request in, a reply or a reason out. Pure: the functions have no state, so that
// any number of threads may call them with one ServerState; a Responder has the memory of one
// worker.
//
// Invariants: a reply is never longer than its request; only a client's request is answered, so two
// servers can't answer each other; each datagram gets exactly one reason.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/aead.h"
#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/random_source.h"
#include "base/time.h"
#include "ntp/server/interleaved_store.h"
#include "ntp/server/nts_answer.h"
#include "ntp/server/reason.h"
#include "ntp/server/server_state.h"
#include "ntp/server/service.h"
#include "ntp/server/symmetric_key.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

enum class Verdict : std::uint8_t { kDrop, kReply };

struct Response {
  Verdict verdict = Verdict::kDrop;
  Reason reason = Reason::kTooShort;
  std::size_t length = 0;   // of the reply; 0 when dropped
  NtpTimestamp receive;     // as the reply tells it; its name in interleaved mode
  bool remembered = false;  // its client asks for interleaved mode: sent() is worth calling
  bool interleaved = false;
  KeyId key = 0;          // the reply is to be signed by; 0: by none
  std::uint32_t nts = 0;  // of the NTS session that seals it; 0: of none
};

// How a datagram came.
struct RxInfo {
  UnixTime received;  // by the kernel's timestamp where there is one
  Endpoint client;
  Endpoint local;
  std::uint32_t interface = 0;  // that it came by: the system's index; 0: not known
  MonoTime now = MonoTime();    // for the rate limits; does not go back
};

// A server without memory: plain answers only. Judges `request` and writes the reply into `out` (at
// least wire::ntp::kHeaderSize octets, CHECKed; it may be the request's own buffer). The transmit
// timestamp is left zero: set_transmit() fills it at the last moment before sending.
Response respond(const RxInfo& rx, Bytes request, const ServerState& state, MutableBytes out);

// Fills the transmit timestamp of a reply that respond() wrote with the same state.
void set_transmit(MutableBytes reply, const ServerState& state, UnixTime now);

// One worker's server, with what it remembers of its clients. One thread.
class Responder {
 public:
  struct Options {
    // Replies remembered for interleaved mode, 16 octets each; 0: basic mode only.
    std::size_t interleaved_replies = 0;
    // Clients remembered, RateLimiter::kOctetsPerClient each; 0: nobody is, nor limited.
    std::size_t clients = 0;
    LimiterSeed seed{};
    // For NTS; without them its fields say nothing, whatever keys of cookies there are.
    std::shared_ptr<const AeadMaker> aeads = nullptr;
    std::shared_ptr<RandomSource> random = nullptr;
  };
  // Replies between respond() and finish() at the most.
  static constexpr std::size_t kMaxPending = NtsAnswer::kMaxPending;

  explicit Responder(const Options& options);

  // Before a batch of datagrams, where service.state.shift.may_step(): what the clocks read now.
  void begin_batch(const Service& service, UnixTime system, MonoTime mono);
  // As above; `service` is the newest, and finish() takes the same. A kiss is a reply, too. `out`
  // has room for as many octets as the request, or 48. The first request after the service has got
  // keys of cookies allocates what NTS needs, no other does.
  Response respond(const RxInfo& rx, Bytes request, const Service& service, MutableBytes out);
  // The last step before sending, at `now`: fills what depends on it. `reply` is the
  // `response.length` octets that respond() wrote, which answered it by `response`.
  void finish(const Response& response, const Service& service, UnixTime now, MutableBytes reply);
  // The reply of `response` left at `when`, by the best knowledge there is: that is what its client
  // is told in interleaved mode. To be called after finish(), for each reply that was sent and is
  // `remembered`; again when better knowledge comes, for correct().
  void sent(const Response& response, const Service& service, UnixTime when);
  void correct(const Response& response, const Service& service, UnixTime when);
  // What it knows of its clients; null without.
  const RateLimiter* limiter() const { return limiter_.get(); }
  // Adds what was done with cookies; from any thread.
  void add_counts(nts::CookieCounts& out) const;

 private:
  NtpTimestamp told(const ServerState& state, UnixTime when) const;
  NtsAnswer* nts_of(const Service& service);
  Reason admit(const RxInfo& rx, Bytes request, const Service& service, wire::ntp::Header& header);

  std::optional<InterleavedStore> interleaved_;
  std::unique_ptr<RateLimiter> limiter_;
  ServedTime served_;
  std::shared_ptr<const AeadMaker> aeads_;
  std::shared_ptr<RandomSource> random_;
  std::unique_ptr<NtsAnswer> nts_;
  // The same for other threads.
  std::atomic<const NtsAnswer*> nts_counts_{nullptr};
};

}  // namespace timepool::ntp

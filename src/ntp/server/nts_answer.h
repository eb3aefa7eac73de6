// NtsAnswer: what a worker needs to answer requests under NTS besides the rest of the server: the
// answerer of the fields with its keys, replies that are not sealed yet, and a limit on how often
// it says NTSN. One thread; nothing allocates but the constructor.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/random_source.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "nts/answerer.h"

namespace timepool::ntp {

class NtsAnswer {
 public:
  // Replies between write() and finish() at the most: a batch.
  static constexpr std::size_t kMaxPending = 64;
  // A worker's NTSN a second, and at once: a hundred thousand clients of a server that lost its
  // keys ask 1,600 times a second at their usual interval. It is no longer than half a request.
  static constexpr double kNaksPerSecond = 2000;
  static constexpr double kNaksAtOnce = 2000;

  // `random` outlives it.
  NtsAnswer(const AeadMaker& aeads, RandomSource& random);

  void use(const nts::CookieKeys& keys) { fields_.use(keys); }
  nts::Asked judge(Bytes request, const wire::ntp::Packet& packet) {
    return fields_.judge(request, packet);
  }
  // Writes what follows the header of the reply; its ticket, not 0, is for finish().
  std::uint32_t write(const nts::Asked& asked, ByteWriter& reply);
  // Seals the reply of a ticket that at most kMaxPending - 1 came after (CHECKed).
  void finish(std::uint32_t ticket, MutableBytes reply);
  // Takes one of the NTSN; false when there is none.
  bool may_nak(MonoTime now);

  const nts::Cookies& cookies() const { return fields_.cookies(); }

 private:
  struct Pending {
    std::uint32_t ticket = 0;
    nts::Seal seal;
  };

  RandomPool random_;
  nts::Answerer fields_;
  std::array<Pending, kMaxPending> pending_{};
  std::uint32_t last_ticket_ = 0;
  BucketRate nak_rate_ = BucketRate::of(kNaksPerSecond, kNaksAtOnce);
  std::uint64_t nak_moment_ = 0;
};

}  // namespace timepool::ntp

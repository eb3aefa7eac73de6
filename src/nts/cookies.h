// Cookies: makes and opens the cookies of one server (RFC 8915 6) for one thread, which has the
// schedule of every key ready. A cookie is
//
//   key id (4) | nonce (16) | AES-SIV-CMAC-256 of C2S | S2C, with the key id as associated data
//
// 100 octets for AES-SIV-CMAC-256, 68 for AES-128-GCM-SIV: multiples of four, and the length tells
// the algorithm. Nothing allocates but the constructor. The counts are for any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/aead.h"
#include "base/random_source.h"
#include "nts/cookie_keys.h"
#include "nts/cookie_maker.h"
#include "nts/session_keys.h"

namespace timepool::nts {

// What was done since the start. `opened` by the key's place in CookieKeys.
struct CookieCounts {
  std::array<std::uint64_t, kMaxCookieKeys> opened{};
  std::uint64_t made = 0;
  std::uint64_t unknown_key = 0;  // its key was never ours, or is forgotten
  std::uint64_t forged = 0;       // under a key of ours, and does not open
};

class Cookies final : public CookieMaker {
 public:
  // `random` outlives it.
  Cookies(const AeadMaker& aeads, RandomSource& random);

  // From now on these; a value of the same serial is known already.
  void use(const CookieKeys& keys);
  bool usable() const { return keys_ > CookieKeys::kCurrent; }

  std::size_t cookie_size(AeadId aead) const override;
  bool make(const SessionKeys& keys, ByteWriter& out) override;
  // What is in a cookie; nothing when it is none of ours.
  std::optional<SessionKeys> open(Bytes cookie);

  // Adds what was counted so far.
  void add_counts(CookieCounts& out) const;

 private:
  struct Place {
    std::uint32_t id = 0;
    std::unique_ptr<Aead> aead;
  };
  using Counter = std::atomic<std::uint64_t>;
  static void count(Counter& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  Place* find(std::uint32_t id);

  RandomSource& random_;
  std::uint64_t serial_ = 0;
  std::size_t keys_ = 0;
  std::array<Place, kMaxCookieKeys> places_;
  std::array<Counter, kMaxCookieKeys> opened_{};
  Counter made_{0};
  Counter unknown_key_{0};
  Counter forged_{0};
};

}  // namespace timepool::nts

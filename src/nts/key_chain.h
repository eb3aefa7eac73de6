// KeyChain: the keys of cookies from epoch to epoch, as a ratchet. Epochs are counted from 1970 by
// the clock, each as long as a key seals. The chain's secret of an epoch gives that epoch's key and
// the secret of the next, by HMAC-SHA-256, one way: whoever learns it can't tell keys before it.
//
//   key      HKDF-Expand(secret, "timepool nts cookie key", 32)       RFC 5869 2.3
//   key id   its first 4 octets of (secret, "timepool nts cookie key id")
//   next     HKDF-Expand(secret, "timepool nts next secret", 32)
//
// Servers that begin with the same seed have the same keys in each epoch without ever talking, and
// open each other's cookies while their clocks differ by less than an epoch. An epoch only begins;
// a clock that goes back changes nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/duration.h"
#include "base/result.h"
#include "base/static_vector.h"
#include "base/time.h"
#include "nts/cookie_keys.h"

namespace timepool::nts {

using ChainSecret = std::array<std::byte, 32>;
// HMAC-SHA-256 of key and message (crypto/digest.h), which the pure core does not compute itself.
using HmacSha256 = std::array<std::byte, 32> (*)(Bytes key, Bytes message);

inline constexpr Duration kMinRotation = Duration::seconds(600);
inline constexpr Duration kMaxRotation = Duration::seconds(366LL * 86'400);
// Epochs that one call goes on: 27 years of days. A clock that is further ahead is not believed.
inline constexpr std::uint64_t kMaxEpochsAtOnce = 10'000;
// Octets of the longest text of a chain.
inline constexpr std::size_t kMaxChainText = 8192;

enum class ChainFault : std::uint8_t {
  kNotOurs,      // the first line is not that of such a file
  kTruncated,    // it ends before its end line
  kBadLine,      // a line that is none of ours, or in another place
  kBadNumber,    // a number or a length of hexadecimal digits that can't be
  kTooManyKeys,  // more past keys than are ever kept
  kTooLong,
};
inline constexpr std::size_t kChainFaultCount = 6;
// "the file is cut off", ...
std::string_view describe(ChainFault fault);

enum class ChainStep : std::uint8_t {
  kSame,     // nothing to do
  kRotated,  // other keys
  kTooFar,   // the clock is more than kMaxEpochsAtOnce ahead: nothing was done
};

class KeyChain {
 public:
  KeyChain(const KeyChain&) = default;
  KeyChain& operator=(const KeyChain&) = default;
  ~KeyChain() { wipe(); }

  // A chain that begins in the epoch of `now` with a secret of 32 random octets; `rotation` is one
  // of whole seconds within the bounds above (CHECKed).
  static KeyChain begin(const ChainSecret& secret, Duration rotation, UnixTime now);

  // Goes on to the epoch of `now` and forgets past keys beyond `past` (at most kMaxPastKeys).
  ChainStep advance(UnixTime now, std::size_t past, HmacSha256 hmac);
  // When the next epoch begins.
  UnixTime next_epoch() const;
  std::uint64_t epoch() const { return epoch_; }
  Duration rotation() const { return rotation_; }
  std::size_t past() const { return past_.size(); }

  // The keys of now; CHECKs that advance() was called.
  CookieKeys keys(std::uint64_t serial) const;
  // Another chain that goes on from here with another secret or rotation: the keys of this one are
  // its past keys.
  KeyChain succeeded_by(const ChainSecret& secret, Duration rotation, UnixTime now) const;
  // Takes the keys of another chain, which was in use until now, among its past keys.
  void take_past(const KeyChain& before);

  // The chain as a file: the secret of its epoch and its past keys, one a line.
  std::string text() const;
  static Result<KeyChain, ChainFault> parse(std::string_view text);
  // The two may differ in their past keys only.
  bool same_seed(const KeyChain& other) const;
  // Overwrites its secrets; its end does too.
  void wipe();

 private:
  KeyChain() = default;
  CookieKey derive(const ChainSecret& secret, HmacSha256 hmac) const;
  void forget(std::size_t past);
  void look_ahead(HmacSha256 hmac);

  Duration rotation_ = kMaxRotation;
  std::uint64_t epoch_ = 0;
  ChainSecret secret_{};
  bool ready_ = false;
  CookieKey next_;
  CookieKey current_;
  StaticVector<CookieKey, kMaxPastKeys> past_;  // the newest first
};

}  // namespace timepool::nts

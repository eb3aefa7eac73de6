// SavedSessions: the sessions and retry schedules of a client from one run to the next (RFC 8915
// 5.7, 4.2), so that a restart needs no key establishment, and many restarts make no more of them
// than the rule allows. The codec of the file; reading and writing it is the caller's: it holds
// secrets, and a cookie that is in it may not be sent before it is gone from there (NC10).
//
// The file, big-endian: "TPNC", u16 version (2), u16 number of sessions; of each session the key
// establishment server (u8 length and octets of its name, u16 port, address: u8 4 or 6, 4 or 16
// octets), the NTP server (address, u16 port), i64 when the keys were established (ns since 1970),
// i64 and i64 the certificate's beginning and end, u8 how they were judged (DatesJudged), u16
// algorithm, the keys (each of its length), u8 whether there are other keys, those, u8 number
// of cookies, each u16 length and octets; u16 number of retries, of each the key establishment
// server, u32 attempts, i64 when the next may begin. At the end SipHash-2-4 of all before, under a
// key of zeros: against damage, not against people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "nts/certificate_dates.h"
#include "nts/establishment.h"

namespace timepool::nts {

// With whom a key establishment is made: who must prove the name at that address.
struct KeyServer {
  std::string name;
  std::uint16_t port = 0;
  IpAddress address;
  auto operator<=>(const KeyServer&) const = default;
};

struct SavedSession {
  KeyServer from;
  Endpoint server;       // whom the cookies are for
  UnixTime established;  // by the system clock
  CertificateDates certificate;
  Establishment keys;  // without its server
};

struct SavedRetry {
  KeyServer with;
  std::uint32_t attempts = 0;
  UnixTime next;  // by the system clock
};

struct SavedSessions {
  std::vector<SavedSession> sessions;
  std::vector<SavedRetry> retries;
};

inline constexpr std::size_t kMaxSavedSessions = 128;
inline constexpr std::size_t kMaxSavedRetries = 256;
inline constexpr std::size_t kMaxKeyServerName = 255;
// Magic, version, two counts, check sum.
inline constexpr std::size_t kFrameSize = 18;
// 275 (key server) + 19 (server) + 8 + 17 + 2 + 4 * 32 + 2 + 8 * 1106.
inline constexpr std::size_t kMaxSessionSize = 9299;
inline constexpr std::size_t kMaxRetrySize = 275 + 12;
inline constexpr std::size_t kMaxSavedSessionsBytes =
    kFrameSize + kMaxSavedSessions * kMaxSessionSize + kMaxSavedRetries * kMaxRetrySize;

// What is beyond the limits is left out.
std::vector<std::byte> format_sessions(const SavedSessions& saved);

enum class SavedSessionsFault : std::uint8_t {
  kForeign,  // no file of saved sessions
  kVersion,  // of another version of this program
  kDamaged,  // the check sum is wrong
  kCut,      // it ends early, or goes on after its end
  kTooMany,  // more entries than there can be
  kEntry,    // a value that no entry has
};
// "foreign", "version", ...
std::string_view name_of(SavedSessionsFault fault);
Result<SavedSessions, SavedSessionsFault> parse_sessions(Bytes bytes);

}  // namespace timepool::nts

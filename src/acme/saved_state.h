// SavedState: what a client of ACME knows from one run to the next: its account at each authority,
// what failed and when it may try again, the certificate it has and when that is to be renewed. A
// value with a text form; reading and writing the file is the caller's, and no secret is in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/fault.h"
#include "acme/renewal_info.h"
#include "base/result.h"
#include "base/time.h"

namespace timepool::acme {

// The text is one JSON object (UTF-8, at most kMaxStateText octets), times as
// "2026-11-21T12:34:56Z":
//
//   {"version": 1,
//    "authorities": [                     as often as there were some, by their directory
//      {"directory": "https://...",       the authority
//       "account": "https://...",         absent: none yet
//       "failures": 3,                    in a row
//       "next_try": "...",                not before; absent: at once
//       "last_failure": {"at": "...", "kind": "challenge", "text": "..."}}],
//    "certificate": {                     absent: there is none yet
//      "directory": "https://...",        who issued it
//      "names": ["time.example.org"],
//      "id": "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE",   RFC 9773 4.1; "" where it has none
//      "not_before": "...", "not_after": "...",
//      "renew_at": "...",                 chosen by its lifetime
//      "profile": "..."},                 absent: the default
//    "renewal": {                         absent: the authority was not asked, or said nothing
//      "start": "...", "end": "...", "explanation": "...",
//      "renew_at": "...",                 chosen within the window
//      "replaced": true},                 absent: false; the authority has it as replaced
//    "ask_again": "..."}                  for renewal information; absent: at once
//
// Members that are not named here are left out when it is written again. Another version, and
// anything that is not as above, is refused whole: then the account is looked up by its key, and
// the certificate is known by its own file.

inline constexpr std::size_t kMaxAuthorities = 8;
// 8 authorities of 7 kB each, 100 names of 253 octets, and some.
inline constexpr std::size_t kMaxStateText = 128 << 10;

struct SavedAuthority {
  std::string directory;
  std::string account;
  std::uint32_t failures = 0;
  std::optional<UnixTime> next_try;
  struct LastFailure {
    UnixTime at;
    FailureKind kind = FailureKind::kLocal;
    std::string text;
    bool operator==(const LastFailure&) const = default;
  };
  std::optional<LastFailure> last_failure;
  bool operator==(const SavedAuthority&) const = default;
};

struct SavedCertificate {
  std::string directory;
  std::vector<std::string> names;  // as they were asked for, sorted
  std::string id;
  UnixTime not_before;
  UnixTime not_after;
  UnixTime renew_at;
  std::string profile;
  bool operator==(const SavedCertificate&) const = default;
};

struct SavedRenewal {
  RenewalWindow window;
  UnixTime renew_at;
  bool replaced = false;
  bool operator==(const SavedRenewal&) const = default;
};

struct SavedState {
  static constexpr int kVersion = 1;
  std::vector<SavedAuthority> authorities;
  std::optional<SavedCertificate> certificate;
  std::optional<SavedRenewal> renewal;
  std::optional<UnixTime> ask_again;
  bool operator==(const SavedState&) const = default;

  // The authority's entry, made when there is none. Beyond kMaxAuthorities one that is not in use
  // gives place: the first that has neither an account nor the certificate, else the first.
  SavedAuthority& authority(std::string_view directory);
  const SavedAuthority* find(std::string_view directory) const;
};

std::string format_state(const SavedState& state);

enum class StateFault : std::uint8_t {
  kNotJson,
  kVersion,  // of another version of this program
  kTooLong,
  kEntry,  // a member is missing, or not what it must be
};
std::string_view name_of(StateFault fault);
Result<SavedState, StateFault> parse_state(std::string_view text);

}  // namespace timepool::acme

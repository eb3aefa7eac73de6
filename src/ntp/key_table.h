// The key file of NTP as chrony, ntpd and NTPsec know it, one key a line:
//
//   # number  type    key                                   who may use it (ntpd's fourth column)
//   10        AES128  HEX:0123456789abcdef0123456789abcdef
//   11        SHA256  ASCII:a-key-without-spaces            192.0.2.0/24,2001:db8::7
//
// A key without HEX: or ASCII: is text, but more than 20 characters that are all hexadecimal digits
// are its octets, as in ntpd (chrony takes them for text: write ASCII:). A word that begins with #
// begins a comment; so do ! ; and % at the start of a line. Pure: text in, entries or the first
// fault out; nothing of a file with a fault is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/mac.h"
#include "base/result.h"
#include "ntp/server/symmetric_key.h"

namespace timepool::ntp {

inline constexpr std::size_t kMaxKeys = 16'384;
inline constexpr std::size_t kMaxKeyLine = 1024;
// Each key of 256 octets on the average, with its comment.
inline constexpr std::size_t kMaxKeyFileSize = kMaxKeys * 256;
inline constexpr std::size_t kMaxKeySize = 256;
inline constexpr std::size_t kMaxKeyPrefixes = 64;
// A text of more characters that looks hexadecimal is.
inline constexpr std::size_t kMaxPlainText = 20;

enum class KeyFileError : std::uint8_t {
  kTooLong,           // above kMaxKeyFileSize
  kTooManyKeys,       // above kMaxKeys
  kLineTooLong,       // above kMaxKeyLine
  kNotText,           // an octet that is no printable ASCII, tabulator or line end
  kBadNumber,         // not 1 to 4294967295
  kTwice,             // the number was there before
  kNoType,            // the line ends after the number
  kBadType,           // no MAC that we have
  kNoKey,             // the line ends after the type
  kBadHex,            // HEX: with something else than pairs of hexadecimal digits
  kEmptyKey,          // nothing after HEX: or ASCII:
  kKeyTooLong,        // above kMaxKeySize
  kBadLength,         // AES has keys of 16 or 32 octets, by its type
  kBadAddress,        // an address or prefix of the list is none
  kTooManyAddresses,  // above kMaxKeyPrefixes
  kTooManyWords,      // a fifth column
};
inline constexpr std::size_t kKeyFileErrorCount = 16;
// What is wrong, for the operator: "the number is not 1 to 4294967295".
std::string_view describe(KeyFileError error);

struct KeyFileFault {
  KeyFileError error = KeyFileError::kTooLong;
  std::size_t line = 0;  // from 1; 0: the file as a whole
  bool operator==(const KeyFileFault&) const = default;
};

struct KeyEntry {
  KeyId id = 0;
  MacType type = MacType::kAes128Cmac;
  std::vector<std::byte> secret;
  std::vector<Prefix> allowed;  // empty: anybody
  std::size_t line = 0;
  bool operator==(const KeyEntry&) const = default;
};

Result<std::vector<KeyEntry>, KeyFileFault> parse_key_table(std::string_view text);

}  // namespace timepool::ntp

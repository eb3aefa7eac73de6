// Numbers of the DNS protocol (IANA "Domain Name System Parameters") and their text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/dns/malformed.h"

namespace timepool::wire::dns {

inline constexpr std::size_t kHeaderSize = 12;
// RFC 1035 4.2.1: the largest UDP message without EDNS.
inline constexpr std::size_t kMaxPlainUdp = 512;
inline constexpr std::size_t kMaxMessage = 65535;

// Any 16-bit value is a type; the named ones are those that have a meaning here.
enum class RrType : std::uint16_t {
  kA = 1,
  kNs = 2,
  kCname = 5,
  kSoa = 6,
  kPtr = 12,
  kHinfo = 13,
  kMx = 15,
  kTxt = 16,
  kAaaa = 28,
  kSrv = 33,
  kDname = 39,
  kOpt = 41,
  kDs = 43,
  kRrsig = 46,
  kNsec = 47,
  kDnskey = 48,
  kNsec3 = 50,
  kNsec3param = 51,
  kTlsa = 52,
  kCds = 59,
  kCdnskey = 60,
  kSvcb = 64,
  kHttps = 65,
  kSpf = 99,
  kNxname = 128,  // RFC 9824: only in NSEC type bitmaps
  kTsig = 250,
  kIxfr = 251,
  kAxfr = 252,
  kAny = 255,
  kCaa = 257,
};

enum class RrClass : std::uint16_t { kIn = 1, kCh = 3, kHs = 4, kNone = 254, kAny = 255 };

enum class Opcode : std::uint8_t { kQuery = 0, kStatus = 2, kNotify = 4, kUpdate = 5, kDso = 6 };

// 12 bits: the low four in the header, the rest in OPT (RFC 6891 6.1.3).
enum class Rcode : std::uint16_t {
  kNoError = 0,
  kFormErr = 1,
  kServFail = 2,
  kNxDomain = 3,
  kNotImp = 4,
  kRefused = 5,
  kYxDomain = 6,
  kYxRrset = 7,
  kNxRrset = 8,
  kNotAuth = 9,
  kNotZone = 10,
  kBadVers = 16,
  kBadCookie = 23,
};

enum class Section : std::uint8_t { kAnswer = 0, kAuthority = 1, kAdditional = 2 };

// RFC 6895 3.1: OPT, TSIG, and the types 128 to 255 are no data of a zone.
constexpr bool is_meta(RrType type) {
  const auto value = static_cast<std::uint16_t>(type);
  return type == RrType::kOpt || (value >= 128 && value <= 255);
}

// "AAAA"; RFC 3597 5: "TYPE731" for a type without a name.
std::string format(RrType type);
// "IN"; "CLASS32" for a class without a name.
std::string format(RrClass klass);
// "QUERY", "OPCODE7".
std::string format(Opcode opcode);
// "NXDOMAIN", "RCODE77".
std::string format(Rcode rcode);
// What format writes, in either case.
Result<RrType, Malformed> parse_type(std::string_view text);
Result<RrClass, Malformed> parse_class(std::string_view text);

}  // namespace timepool::wire::dns

#include "wire/ntp/reference_id.h"

#include <array>
#include <cstdio>

#include "base/md5.h"

namespace timepool::wire::ntp {
namespace {

bool is_kiss_character(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool looks_like_kiss(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!is_kiss_character(c)) return false;
  }
  return true;
}

}  // namespace

ReferenceId ReferenceId::of_address(const IpAddress& address) {
  if (address.is_v4()) return from_bits(address.v4_bits());
  const auto digest = md5(address.bytes());
  ByteReader reader(digest);
  return from_bits(reader.u32());
}

std::string text_of(ReferenceId id) {
  std::string out;
  bool ended = false;
  for (int shift = 24; shift >= 0; shift -= 8) {
    const auto c = static_cast<unsigned char>(id.bits() >> shift & 0xff);
    if (c == 0) {
      ended = true;
      continue;
    }
    if (ended || c < 0x20 || c > 0x7e) return "";
    out += static_cast<char>(c);
  }
  return out;
}

std::string format(ReferenceId id, std::uint8_t stratum) {
  if (stratum >= 2 && stratum <= 15) return timepool::format(IpAddress::v4(id.bits()));
  std::string text = text_of(id);
  if (!text.empty()) return text;
  std::array<char, 16> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%08X", static_cast<unsigned>(id.bits()));
  return buffer.data();
}

KissCode kiss_code(std::uint8_t stratum, ReferenceId id) {
  if (stratum != 0) return KissCode::kNone;
  if (id == kKissRate) return KissCode::kRate;
  if (id == kKissDeny) return KissCode::kDeny;
  if (id == kKissRstr) return KissCode::kRstr;
  if (id == kKissNtsn) return KissCode::kNtsn;
  return looks_like_kiss(text_of(id)) ? KissCode::kOther : KissCode::kNone;
}

std::string_view name_of(KissCode code) {
  switch (code) {
    case KissCode::kRate:
      return "RATE";
    case KissCode::kDeny:
      return "DENY";
    case KissCode::kRstr:
      return "RSTR";
    case KissCode::kNtsn:
      return "NTSN";
    case KissCode::kOther:
      return "other";
    case KissCode::kNone:
      break;
  }
  return "none";
}

}  // namespace timepool::wire::ntp

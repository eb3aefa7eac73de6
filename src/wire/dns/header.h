// The DNS header (RFC 1035 4.1.1, flags AD and CD of RFC 4035).
#pragma once

#include <cstdint>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/result.h"
#include "wire/dns/constants.h"

namespace timepool::wire::dns {

struct Header {
  static constexpr std::uint16_t kQr = 0x8000;  // response
  static constexpr std::uint16_t kAa = 0x0400;  // authoritative answer
  static constexpr std::uint16_t kTc = 0x0200;  // truncated
  static constexpr std::uint16_t kRd = 0x0100;  // recursion desired
  static constexpr std::uint16_t kRa = 0x0080;  // recursion available
  static constexpr std::uint16_t kZ = 0x0040;   // reserved
  static constexpr std::uint16_t kAd = 0x0020;  // authentic data
  static constexpr std::uint16_t kCd = 0x0010;  // checking disabled

  std::uint16_t id = 0;
  std::uint16_t flags = 0;  // the bits above, opcode and the low four bits of rcode
  std::uint16_t question_count = 0;
  std::uint16_t answer_count = 0;
  std::uint16_t authority_count = 0;
  std::uint16_t additional_count = 0;

  constexpr bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
  constexpr void set(std::uint16_t flag, bool on = true) {
    flags = static_cast<std::uint16_t>(on ? flags | flag : flags & ~flag);
  }
  constexpr Opcode opcode() const { return static_cast<Opcode>(flags >> 11 & 0xf); }
  constexpr void set_opcode(Opcode opcode) {
    flags = static_cast<std::uint16_t>((flags & ~0x7800) | (static_cast<int>(opcode) & 0xf) << 11);
  }
  // The low four bits; Message::rcode() has all twelve.
  constexpr Rcode rcode() const { return static_cast<Rcode>(flags & 0xf); }
  constexpr void set_rcode(Rcode rcode) {
    flags = static_cast<std::uint16_t>((flags & ~0xf) | (static_cast<int>(rcode) & 0xf));
  }
  constexpr std::uint16_t count(Section section) const {
    return section == Section::kAnswer      ? answer_count
           : section == Section::kAuthority ? authority_count
                                            : additional_count;
  }
  bool operator==(const Header&) const = default;
};

// Errors: kShortHeader.
inline Result<Header, Malformed> parse_header(ByteReader& reader) {
  Header header{reader.u16(), reader.u16(), reader.u16(), reader.u16(), reader.u16(), reader.u16()};
  if (!reader.ok()) return fail(Malformed::kShortHeader);
  return header;
}

inline void write(ByteWriter& writer, const Header& header) {
  for (const std::uint16_t field :
       {header.id, header.flags, header.question_count, header.answer_count, header.authority_count,
        header.additional_count}) {
    writer.u16(field);
  }
}

}  // namespace timepool::wire::dns

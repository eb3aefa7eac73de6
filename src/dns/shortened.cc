#include "dns/shortened.h"

#include <cstring>

#include "base/check.h"
#include "wire/dns/constants.h"
#include "wire/dns/edns.h"
#include "wire/dns/header.h"

namespace timepool::dns {
namespace {

using wire::dns::Header;
using wire::dns::Rcode;

unsigned word_at(MutableBytes bytes, std::size_t at) {
  return std::to_integer<unsigned>(bytes[at]) << 8 | std::to_integer<unsigned>(bytes[at + 1]);
}
void put_word(MutableBytes bytes, std::size_t at, unsigned value) {
  bytes[at] = static_cast<std::byte>(value >> 8 & 0xff);
  bytes[at + 1] = static_cast<std::byte>(value & 0xff);
}

// Where in OPT the upper bits of the rcode stand (RFC 6891 6.1.3).
constexpr std::size_t kUpperRcode = 5;

std::uint16_t shorten(MutableBytes reply, const ReplyParts& parts, unsigned flags, Rcode rcode) {
  CHECK(parts.length <= reply.size() && parts.question_end >= wire::dns::kHeaderSize &&
        parts.question_end <= parts.length);
  std::size_t size = parts.question_end;
  const auto code = static_cast<unsigned>(rcode);
  if (parts.opt != 0) {
    CHECK(parts.opt >= parts.question_end && parts.opt + wire::dns::kOptSize <= parts.length);
    const std::size_t opt = wire::dns::kOptSize + word_at(reply, parts.opt + std::size_t{9});
    CHECK(parts.opt + opt <= parts.length);
    std::memmove(reply.data() + size, reply.data() + parts.opt, opt);
    reply[size + kUpperRcode] = static_cast<std::byte>(code >> 4);
    size += opt;
  }
  const unsigned kept = word_at(reply, 2) & ~0xfU & ~unsigned{Header::kTc};
  put_word(reply, 2, kept | flags | (code & 0xf));
  put_word(reply, 6, 0);
  put_word(reply, 8, 0);
  put_word(reply, 10, parts.opt != 0 ? 1 : 0);
  return static_cast<std::uint16_t>(size);
}

}  // namespace

std::uint16_t shorten_to_truncated(MutableBytes reply, const ReplyParts& parts) {
  return shorten(reply, parts, Header::kTc, Rcode::kNoError);
}

std::uint16_t shorten_to_bad_cookie(MutableBytes reply, const ReplyParts& parts) {
  CHECK(parts.opt != 0);
  return shorten(reply, parts, 0, Rcode::kBadCookie);
}

}  // namespace timepool::dns

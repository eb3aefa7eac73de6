#include "dns/reply.h"

#include "base/check.h"
#include "wire/dns/header.h"

namespace timepool::dns {

using wire::dns::Header;
using wire::dns::Rcode;

bool Reply::put_all(wire::dns::Section section, Bytes records, std::size_t count,
                    std::size_t owner_at) {
  if (!fits(section, records.size(), owner_at)) return false;
  std::memcpy(out_.data() + size_, records.data(), records.size());
  std::size_t at = size_;
  for (std::size_t i = 0; i < count; ++i) {
    put16(at, 0xc000 | owner_at);
    at = end_of_record(at);
  }
  size_ += records.size();
  CHECK(at == size_);
  counts_[index(section)] = static_cast<std::uint16_t>(counts_[index(section)] + count);
  return true;
}

wire::dns::NameView Reply::name_at(std::size_t at) const {
  std::size_t end = at;
  while (out_[end] != std::byte{0}) end += 1 + std::to_integer<std::size_t>(out_[end]);
  return wire::dns::NameView::from_valid_wire(Bytes(out_).subspan(at, end + 1 - at));
}

void Reply::close() {
  if (!truncated_) return;
  // The client asks again by TCP. By TCP itself the limit is the longest message that there is.
  size_ = question_end_;
  counts_ = {};
  if (rcode_ != Rcode::kNxDomain) rcode_ = Rcode::kNoError;
}

std::size_t Reply::finish(std::uint16_t query_flags, bool question, std::size_t opt_size) {
  size_ += opt_size;
  CHECK(size_ <= out_.size());
  // RFC 4035 3: CD is copied, though nothing is checked here. RA, Z and AD are clear.
  unsigned flags = Header::kQr | (query_flags & (0x7800U | Header::kRd | Header::kCd));
  if (authoritative_) flags |= Header::kAa;
  if (truncated_) flags |= Header::kTc;
  put16(2, flags | (static_cast<unsigned>(rcode_) & 0xf));
  put16(4, question ? 1 : 0);
  put16(6, counts_[0]);
  put16(8, counts_[1]);
  put16(10, counts_[2] + (opt_size > 0 ? 1U : 0U));
  return size_;
}

}  // namespace timepool::dns

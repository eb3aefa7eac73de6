#include "dns/reply_options.h"

#include "base/check.h"
#include "dns/octet_writer.h"
#include "wire/dns/edns.h"

namespace timepool::dns {
namespace {

using wire::dns::OptionCode;

constexpr std::size_t kOptionHead = 4;  // code and length
constexpr std::size_t kExtendedErrorSize = kOptionHead + 2;

std::size_t address_size(const wire::dns::ClientSubnet& subnet) {
  return (std::size_t{subnet.source} + 7) / 8;
}

// Writers are passed by value, so that they stay in registers.
OctetWriter head(OctetWriter out, OptionCode code, std::size_t size) {
  out.u32(static_cast<std::uint32_t>(code) << 16 | static_cast<std::uint32_t>(size));
  return out;
}

// OPT's fields before its options: the root, type, size, extended rcode, version 0, flags, length.
OctetWriter put_fixed(OctetWriter out, std::uint16_t udp_size, unsigned extended_rcode,
                      std::uint16_t flags, std::size_t length) {
  out.u64(static_cast<std::uint64_t>(wire::dns::RrType::kOpt) << 40 |
          std::uint64_t{udp_size} << 24 | std::uint64_t{extended_rcode} << 16 |
          std::uint64_t{flags} >> 8);
  out.u8(static_cast<std::uint8_t>(flags));
  out.u16(static_cast<std::uint16_t>(length));
  return out;
}

OctetWriter put_subnet(OctetWriter out, const wire::dns::ClientSubnet& subnet, std::uint8_t scope) {
  const std::size_t size = address_size(subnet);
  out.u64(static_cast<std::uint64_t>(OptionCode::kClientSubnet) << 48 |
          std::uint64_t{4 + size} << 32 | std::uint64_t{subnet.family} << 16 |
          std::uint64_t{subnet.source} << 8 | scope);
  out.bytes(subnet.address.bytes().first(size));
  return out;
}

OctetWriter put_cookie(OctetWriter out, const wire::dns::Cookie& shown, const ServerCookie& own) {
  out = head(out, OptionCode::kCookie, shown.client.size() + own.size());
  out.bytes(shown.client);
  out.bytes(own);
  return out;
}

}  // namespace

ReplyOptions::ReplyOptions(const Asked& asked) : asked_(asked) {
  if (!asked.query.edns) return;
  const auto& edns = *asked.query.edns;
  size_ = wire::dns::kOptSize;
  if (edns.header.version != 0) return;
  if (wants_nsid()) size_ += kOptionHead + asked.served.settings.identity.size();
  if (edns.client_subnet) size_ += kOptionHead + 4 + address_size(*edns.client_subnet);
  if (edns.cookie) size_ += kOptionHead + 8 + ServerCookie().size();
  if (wants_keepalive()) size_ += kOptionHead + 2;
}

std::size_t ReplyOptions::write(const Reply& reply, std::size_t room, MutableBytes to) const {
  if (!asked_.query.edns) return 0;
  const auto& edns = *asked_.query.edns;
  const bool error =
      reply.extended_error() && edns.header.version == 0 && size_ + kExtendedErrorSize <= room;
  const std::size_t unpadded = size_ + (error ? kExtendedErrorSize : 0);
  const std::size_t padded = edns.padding ? padding(reply, unpadded, room) : 0;
  const std::size_t size = unpadded + padded;
  CHECK(to.size() >= size);
  std::uint16_t flags = wire::dns::EdnsHeader::kDo;  // RFC 3225 3
  if (reply.compact()) flags |= wire::dns::EdnsHeader::kCo;
  OctetWriter out = put_fixed(OctetWriter(to), asked_.served.settings.max_udp,
                              static_cast<unsigned>(reply.rcode()) >> 4, edns.header.flags & flags,
                              size - wire::dns::kOptSize);
  if (edns.header.version == 0) {
    if (wants_nsid()) {
      const std::string& identity = asked_.served.settings.identity;
      out = head(out, OptionCode::kNsid, identity.size());
      out.text(identity);
    }
    if (edns.client_subnet) out = put_subnet(out, *edns.client_subnet, reply.scope());
    if (edns.cookie) out = put_cookie(out, *edns.cookie, asked_.cookie.answer);
    if (wants_keepalive()) {
      out = head(out, OptionCode::kKeepalive, 2);
      out.u16(keepalive());
    }
  }
  if (error) {
    out = head(out, OptionCode::kExtendedError, 2);
    out.u16(static_cast<std::uint16_t>(*reply.extended_error()));
  }
  // Last, since it depends on the size of everything else.
  if (padded > 0) {
    out = head(out, OptionCode::kPadding, padded - kOptionHead);
    out.zeros(padded - kOptionHead);
  }
  CHECK(out.size() == size);
  return size;
}

std::size_t ReplyOptions::padding(const Reply& reply, std::size_t size, std::size_t room) const {
  const auto& edns = *asked_.query.edns;
  // RFC 7830 6: where anybody can read it, padding hides nothing.
  if (!asked_.rx.encrypted || edns.header.version != 0) return 0;
  const std::size_t least = reply.size() + size + kOptionHead;
  const std::size_t whole = (least + kPaddedBlock - 1) / kPaddedBlock * kPaddedBlock;
  const std::size_t wanted = whole - reply.size() - size;
  // RFC 8467 4.1: as much as the message may still hold.
  if (size + wanted <= room) return wanted;
  return size + kOptionHead <= room ? room - size : 0;
}

}  // namespace timepool::dns

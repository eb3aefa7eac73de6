#include "dns/reply_options.h"

#include "base/check.h"
#include "wire/dns/edns.h"

namespace timepool::dns {
namespace {

using wire::dns::OptionCode;

constexpr std::size_t kOptionHead = 4;  // code and length
constexpr std::size_t kExtendedErrorSize = kOptionHead + 2;

std::size_t address_size(const wire::dns::ClientSubnet& subnet) {
  return (std::size_t{subnet.source} + 7) / 8;
}

void head(OctetWriter& out, OptionCode code, std::size_t size) {
  out.u16(static_cast<std::uint16_t>(code));
  out.u16(static_cast<std::uint16_t>(size));
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
  const std::size_t padded = padding(reply, unpadded, room);
  const std::size_t size = unpadded + padded;
  CHECK(to.size() >= size);
  OctetWriter out(to);
  out.u8(0);
  out.u16(static_cast<std::uint16_t>(wire::dns::RrType::kOpt));
  out.u16(asked_.served.settings.max_udp);
  out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(reply.rcode()) >> 4));
  out.u8(0);
  std::uint16_t flags = wire::dns::EdnsHeader::kDo;  // RFC 3225 3
  if (reply.compact()) flags |= wire::dns::EdnsHeader::kCo;
  out.u16(edns.header.flags & flags);
  out.u16(static_cast<std::uint16_t>(size - wire::dns::kOptSize));
  if (edns.header.version == 0) write_options(reply, out);
  if (error) {
    head(out, OptionCode::kExtendedError, 2);
    out.u16(static_cast<std::uint16_t>(*reply.extended_error()));
  }
  // Last, since it depends on the size of everything else.
  if (padded > 0) {
    head(out, OptionCode::kPadding, padded - kOptionHead);
    out.zeros(padded - kOptionHead);
  }
  CHECK(out.size() == size);
  return size;
}

std::size_t ReplyOptions::padding(const Reply& reply, std::size_t size, std::size_t room) const {
  const auto& edns = *asked_.query.edns;
  // RFC 7830 6: where anybody can read it, padding hides nothing.
  if (!edns.padding || !asked_.rx.encrypted || edns.header.version != 0) return 0;
  const std::size_t least = reply.size() + size + kOptionHead;
  const std::size_t whole = (least + kPaddedBlock - 1) / kPaddedBlock * kPaddedBlock;
  const std::size_t wanted = whole - reply.size() - size;
  // RFC 8467 4.1: as much as the message may still hold.
  if (size + wanted <= room) return wanted;
  return size + kOptionHead <= room ? room - size : 0;
}

void ReplyOptions::write_options(const Reply& reply, OctetWriter& out) const {
  const auto& edns = *asked_.query.edns;
  const ResponderSettings& settings = asked_.served.settings;
  if (wants_nsid()) {
    head(out, OptionCode::kNsid, settings.identity.size());
    out.text(settings.identity);
  }
  if (edns.client_subnet) {
    const auto& subnet = *edns.client_subnet;
    head(out, OptionCode::kClientSubnet, 4 + address_size(subnet));
    out.u16(subnet.family);
    out.u8(subnet.source);
    out.u8(reply.scope());
    out.bytes(subnet.address.bytes().first(address_size(subnet)));
  }
  if (edns.cookie) {
    head(out, OptionCode::kCookie, 8 + ServerCookie().size());
    out.bytes(edns.cookie->client);
    out.bytes(asked_.cookie.answer);
  }
  if (wants_keepalive()) {
    head(out, OptionCode::kKeepalive, 2);
    out.u16(keepalive());
  }
}

}  // namespace timepool::dns

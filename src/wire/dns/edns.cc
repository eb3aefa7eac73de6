#include "wire/dns/edns.h"

#include <algorithm>
#include <new>

namespace timepool::wire::dns {
namespace {

constexpr std::size_t kClientCookie = 8;
constexpr std::size_t kMinServerCookie = 8;
constexpr std::size_t kMaxServerCookie = 32;

// For what was checked to be there.
std::uint16_t load16(const std::byte* at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(at[0]) << 8 |
                                    std::to_integer<unsigned>(at[1]));
}
std::uint32_t load32(const std::byte* at) {
  return std::uint32_t{load16(at)} << 16 | load16(at + 2);
}

// RFC 7871 6. `out` must be fresh; it is filled where nothing is wrong.
Result<void, Malformed> read_client_subnet(Bytes data, EdnsIn in, ClientSubnet& out) {
  constexpr std::size_t kHead = 4;
  if (data.size() < kHead) return fail(Malformed::kSubnetLength);
  out.family = load16(data.data());
  out.source = std::to_integer<std::uint8_t>(data[2]);
  out.scope = std::to_integer<std::uint8_t>(data[3]);
  if (out.family > 2) return fail(Malformed::kSubnetFamily);
  const int bits = out.family == 0 ? 0 : out.family == 1 ? 32 : 128;
  if (out.source > bits || out.scope > bits) return fail(Malformed::kSubnetPrefix);
  if (in == EdnsIn::kQuery && out.scope != 0) return fail(Malformed::kSubnetScope);
  const auto count = static_cast<std::size_t>(out.source + 7) / 8;
  if (data.size() - kHead != count) return fail(Malformed::kSubnetLength);
  // Bits behind the prefix, in its last octet.
  const unsigned spare = 0xffU >> (out.source % 8);
  if (out.source % 8 != 0 && (std::to_integer<unsigned>(data.back()) & spare) != 0) {
    return fail(Malformed::kSubnetBits);
  }
  if (out.family == 1) {
    // The last four octets of the option: of its head what the address has not, which is shifted
    // out.
    const std::uint64_t last = load32(data.data() + count);
    // Made where it is to be: a copy would have to wait for its parts.
    ::new (&out.address)
        IpAddress(IpAddress::v4(static_cast<std::uint32_t>(last << (32 - 8 * count))));
  } else if (out.family == 2) {
    std::array<std::byte, 16> address{};
    std::copy(data.begin() + kHead, data.end(), address.begin());
    out.address = IpAddress::from_bytes(address);
  }
  return {};
}

// The bits of one option into `edns`, unless its like was there before.
Result<void, Malformed> take_option(const Option& option, Edns& edns) {
  switch (option.code) {
    case OptionCode::kCookie:
      if (!edns.cookie) edns.cookie = TRY(parse_cookie(option.data));
      break;
    case OptionCode::kNsid:
      if (!edns.nsid) edns.nsid = option.data;
      break;
    case OptionCode::kKeepalive:
      // RFC 7828 3.1: nothing, or a timeout.
      if (option.data.size() != 0 && option.data.size() != 2) {
        return fail(Malformed::kOptionLength);
      }
      if (!edns.keepalive) edns.keepalive = option.data;
      break;
    case OptionCode::kPadding:
      edns.padding = true;
      break;
    case OptionCode::kExtendedError:
      if (!edns.extended_error) edns.extended_error = TRY(parse_extended_error(option.data));
      break;
    case OptionCode::kClientSubnet:  // read by the caller
    case OptionCode::kExpire:
      break;
  }
  return {};
}

}  // namespace

Result<Option, Malformed> parse_option(ByteReader& reader) {
  const auto code = static_cast<OptionCode>(reader.u16());
  const Bytes data = reader.bytes(reader.u16());
  if (!reader.ok()) return fail(Malformed::kOptionLength);
  return Option{code, data};
}

Result<Edns, Malformed> parse_edns(std::uint16_t klass, std::uint32_t ttl, Bytes rdata, EdnsIn in) {
  Edns edns;
  TRY(parse_edns_into(klass, ttl, rdata, in, edns));
  return edns;
}

Result<void, Malformed> parse_edns_into(std::uint16_t klass, std::uint32_t ttl, Bytes rdata,
                                        EdnsIn in, Edns& edns) {
  edns.header.udp_size = klass;
  edns.header.extended_rcode = static_cast<std::uint8_t>(ttl >> 24);
  edns.header.version = static_cast<std::uint8_t>(ttl >> 16);
  edns.header.flags = static_cast<std::uint16_t>(ttl);
  edns.options = rdata;
  // RFC 6891 6.1.3: what a later version means by its options is not known here.
  if (edns.header.version != 0) return {};
  constexpr std::size_t kHead = 4;
  for (Bytes rest = rdata; !rest.empty();) {
    if (rest.size() < kHead) return fail(Malformed::kOptionLength);
    const auto code = static_cast<OptionCode>(load16(rest.data()));
    const std::size_t size = load16(rest.data() + 2);
    if (size > rest.size() - kHead) return fail(Malformed::kOptionLength);
    const Bytes data = rest.subspan(kHead, size);
    // The one that most queries have which have any.
    if (code == OptionCode::kClientSubnet) {
      if (!edns.client_subnet) TRY(read_client_subnet(data, in, edns.client_subnet.emplace()));
    } else {
      TRY(take_option({code, data}, edns));
    }
    rest = rest.subspan(kHead + size);
  }
  return {};
}

Result<ClientSubnet, Malformed> parse_client_subnet(Bytes data, EdnsIn in) {
  ClientSubnet out;
  TRY(read_client_subnet(data, in, out));
  return out;
}

// RFC 7873 5.2.2.
Result<Cookie, Malformed> parse_cookie(Bytes data) {
  const bool whole = data.size() >= kClientCookie + kMinServerCookie &&
                     data.size() <= kClientCookie + kMaxServerCookie;
  if (data.size() != kClientCookie && !whole) return fail(Malformed::kCookieLength);
  return Cookie{data.first(kClientCookie), data.subspan(kClientCookie)};
}

Result<ExtendedError, Malformed> parse_extended_error(Bytes data) {
  ByteReader reader(data);
  ExtendedError out;
  out.code = reader.u16();
  if (!reader.ok()) return fail(Malformed::kOptionLength);
  const Bytes text = reader.rest();
  out.text = {reinterpret_cast<const char*>(text.data()), text.size()};
  return out;
}

void write_option(ByteWriter& writer, OptionCode code, Bytes data) {
  writer.u16(static_cast<std::uint16_t>(code));
  writer.u16(static_cast<std::uint16_t>(data.size()));
  writer.bytes(data);
}

void write_option(ByteWriter& writer, const ClientSubnet& subnet) {
  const auto count =
      std::min(static_cast<std::size_t>(subnet.source + 7) / 8, subnet.address.bytes().size());
  writer.u16(static_cast<std::uint16_t>(OptionCode::kClientSubnet));
  writer.u16(static_cast<std::uint16_t>(4 + count));
  writer.u16(subnet.family);
  writer.u8(subnet.source);
  writer.u8(subnet.scope);
  writer.bytes(subnet.address.bytes().first(count));
}

void write_option(ByteWriter& writer, const Cookie& cookie) {
  writer.u16(static_cast<std::uint16_t>(OptionCode::kCookie));
  writer.u16(static_cast<std::uint16_t>(cookie.client.size() + cookie.server.size()));
  writer.bytes(cookie.client);
  writer.bytes(cookie.server);
}

void write_option(ByteWriter& writer, const ExtendedError& error) {
  writer.u16(static_cast<std::uint16_t>(OptionCode::kExtendedError));
  writer.u16(static_cast<std::uint16_t>(2 + error.text.size()));
  writer.u16(error.code);
  writer.text(error.text);
}

void write_padding(ByteWriter& writer, std::size_t count) {
  writer.u16(static_cast<std::uint16_t>(OptionCode::kPadding));
  writer.u16(static_cast<std::uint16_t>(count));
  writer.zeros(count);
}

void write_opt(ByteWriter& writer, const EdnsHeader& header, Bytes options) {
  writer.u8(0);
  writer.u16(static_cast<std::uint16_t>(RrType::kOpt));
  writer.u16(header.udp_size);
  writer.u8(header.extended_rcode);
  writer.u8(header.version);
  writer.u16(header.flags);
  writer.u16(static_cast<std::uint16_t>(options.size()));
  writer.bytes(options);
}

}  // namespace timepool::wire::dns

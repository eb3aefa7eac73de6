#include "wire/dns/rdata.h"

#include <algorithm>

#include "wire/dns/svcb.h"
#include "wire/dns/type_bitmap.h"

namespace timepool::wire::dns {
namespace {

using Parsed = Result<Rdata, Malformed>;

// The readers of each type get the message up to the end of the record's data, so that no field and
// no name can run past it.

Parsed parse_address(ByteReader& reader, std::size_t width) {
  const Bytes bytes = reader.bytes(width);
  if (!reader.ok()) return fail(Malformed::kRdataShort);
  return Rdata(AddressData{IpAddress::from_bytes(bytes)});
}

Parsed parse_name_data(ByteReader& reader) {
  return Rdata(NameData{TRY(parse_name(reader))});
}

Parsed parse_soa(ByteReader& reader) {
  Soa out;
  out.mname = TRY(parse_name(reader));
  out.rname = TRY(parse_name(reader));
  for (std::uint32_t* field : {&out.serial, &out.refresh, &out.retry, &out.expire, &out.minimum}) {
    *field = reader.u32();
  }
  return Rdata(out);
}

Parsed parse_mx(ByteReader& reader) {
  Mx out;
  out.preference = reader.u16();
  if (!reader.ok()) return fail(Malformed::kRdataShort);
  out.exchange = TRY(parse_name(reader));
  return Rdata(out);
}

Parsed parse_txt(ByteReader& reader) {
  const Bytes strings = reader.rest();
  if (!valid_strings(strings)) return fail(Malformed::kRdataShort);
  return Rdata(Txt{strings});
}

Parsed parse_srv(ByteReader& reader) {
  Srv out;
  out.priority = reader.u16();
  out.weight = reader.u16();
  out.port = reader.u16();
  if (!reader.ok()) return fail(Malformed::kRdataShort);
  out.target = TRY(parse_name(reader));
  return Rdata(out);
}

bool valid_tag(Bytes tag) {
  return !tag.empty() && std::all_of(tag.begin(), tag.end(), [](std::byte octet) {
    const char c = static_cast<char>(octet);
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

Parsed parse_caa(ByteReader& reader) {
  Caa out;
  out.flags = reader.u8();
  out.tag = reader.bytes(reader.u8());
  out.value = reader.rest();
  if (!reader.ok()) return fail(Malformed::kRdataShort);
  if (!valid_tag(out.tag)) return fail(Malformed::kRdataValue);
  return Rdata(out);
}

Parsed parse_dnskey(ByteReader& reader) {
  Dnskey out;
  out.flags = reader.u16();
  out.protocol = reader.u8();
  out.algorithm = reader.u8();
  out.key = reader.rest();
  return Rdata(out);
}

// RFC 4034 5.1.3, RFC 4509, RFC 6605: 0 where the length is not known.
std::size_t digest_size(std::uint8_t digest_type) {
  switch (digest_type) {
    case 1:
      return 20;
    case 2:
      return 32;
    case 4:
      return 48;
    default:
      return 0;
  }
}

Parsed parse_ds(ByteReader& reader) {
  Ds out;
  out.key_tag = reader.u16();
  out.algorithm = reader.u8();
  out.digest_type = reader.u8();
  out.digest = reader.rest();
  if (!reader.ok() || out.digest.empty()) return fail(Malformed::kRdataShort);
  const std::size_t size = digest_size(out.digest_type);
  if (size != 0 && out.digest.size() != size) {
    return fail(out.digest.size() < size ? Malformed::kRdataShort : Malformed::kRdataLong);
  }
  return Rdata(out);
}

Parsed parse_rrsig(ByteReader& reader) {
  Rrsig out;
  out.covered = static_cast<RrType>(reader.u16());
  out.algorithm = reader.u8();
  out.labels = reader.u8();
  out.original_ttl = reader.u32();
  out.expiration = reader.u32();
  out.inception = reader.u32();
  out.key_tag = reader.u16();
  if (!reader.ok()) return fail(Malformed::kRdataShort);
  // RFC 4034 3.1.7: not compressed.
  out.signer = TRY(parse_plain_name(reader));
  out.signature = reader.rest();
  return Rdata(out);
}

Parsed parse_nsec(ByteReader& reader) {
  Nsec out;
  out.next = TRY(parse_plain_name(reader));
  out.types = reader.rest();
  // RFC 4034 4.1.2: one block or more.
  if (out.types.empty()) return fail(Malformed::kTypeBitmap);
  const auto checked = check_type_bitmap(out.types);
  if (!checked.ok()) return fail(checked.error());
  return Rdata(out);
}

Parsed parse_svcb(ByteReader& reader) {
  Svcb out;
  out.priority = reader.u16();
  if (!reader.ok()) return fail(Malformed::kRdataShort);
  out.target = TRY(parse_plain_name(reader));
  out.params = reader.rest();
  const auto checked = check_params(out.params);
  if (!checked.ok()) return fail(checked.error());
  return Rdata(out);
}

Parsed parse_by_type(ByteReader& reader, RrType type) {
  switch (type) {
    case RrType::kA:
      return parse_address(reader, 4);
    case RrType::kAaaa:
      return parse_address(reader, 16);
    case RrType::kNs:
    case RrType::kCname:
    case RrType::kPtr:
    case RrType::kDname:
      return parse_name_data(reader);
    case RrType::kSoa:
      return parse_soa(reader);
    case RrType::kMx:
      return parse_mx(reader);
    case RrType::kTxt:
    case RrType::kSpf:
      return parse_txt(reader);
    case RrType::kSrv:
      return parse_srv(reader);
    case RrType::kCaa:
      return parse_caa(reader);
    case RrType::kDnskey:
    case RrType::kCdnskey:
      return parse_dnskey(reader);
    case RrType::kDs:
    case RrType::kCds:
      return parse_ds(reader);
    case RrType::kRrsig:
      return parse_rrsig(reader);
    case RrType::kNsec:
      return parse_nsec(reader);
    case RrType::kSvcb:
    case RrType::kHttps:
      return parse_svcb(reader);
    case RrType::kOpt:
      return Rdata(OptData{reader.rest()});
    default:
      return Rdata(RawData{reader.rest()});
  }
}

// One alternative's fields, in order.
struct RdataWriter {
  ByteWriter& writer;
  NameForm form;

  void name(const DnsName& value) const {
    writer.bytes(form == NameForm::kCanonical ? lowered(value).wire() : value.wire());
  }
  void operator()(const RawData& v) const { writer.bytes(v.bytes); }
  void operator()(const OptData& v) const { writer.bytes(v.options); }
  void operator()(const AddressData& v) const { writer.bytes(v.address.bytes()); }
  void operator()(const NameData& v) const { name(v.name); }
  void operator()(const Soa& v) const {
    name(v.mname);
    name(v.rname);
    for (const std::uint32_t field : {v.serial, v.refresh, v.retry, v.expire, v.minimum}) {
      writer.u32(field);
    }
  }
  void operator()(const Mx& v) const {
    writer.u16(v.preference);
    name(v.exchange);
  }
  void operator()(const Txt& v) const { writer.bytes(v.strings); }
  void operator()(const Srv& v) const {
    writer.u16(v.priority);
    writer.u16(v.weight);
    writer.u16(v.port);
    name(v.target);
  }
  void operator()(const Caa& v) const {
    if (v.tag.size() > 255) writer.fail();
    writer.u8(v.flags);
    writer.u8(static_cast<std::uint8_t>(v.tag.size()));
    writer.bytes(v.tag);
    writer.bytes(v.value);
  }
  void operator()(const Dnskey& v) const {
    writer.u16(v.flags);
    writer.u8(v.protocol);
    writer.u8(v.algorithm);
    writer.bytes(v.key);
  }
  void operator()(const Ds& v) const {
    writer.u16(v.key_tag);
    writer.u8(v.algorithm);
    writer.u8(v.digest_type);
    writer.bytes(v.digest);
  }
  void operator()(const Rrsig& v) const {
    writer.u16(static_cast<std::uint16_t>(v.covered));
    writer.u8(v.algorithm);
    writer.u8(v.labels);
    writer.u32(v.original_ttl);
    writer.u32(v.expiration);
    writer.u32(v.inception);
    writer.u16(v.key_tag);
    name(v.signer);
    writer.bytes(v.signature);
  }
  // RFC 6840 5.1: NSEC's next name keeps its case; so do SVCB's (RFC 3597 7: no new type is
  // folded).
  void operator()(const Nsec& v) const {
    writer.bytes(v.next.wire());
    writer.bytes(v.types);
  }
  void operator()(const Svcb& v) const {
    writer.u16(v.priority);
    writer.bytes(v.target.wire());
    writer.bytes(v.params);
  }
};

}  // namespace

Parsed parse_rdata(ByteReader& message, RrType type, std::size_t length) {
  const std::size_t start = message.position();
  if (length > message.remaining()) return fail(Malformed::kShortRecord);
  ByteReader reader(message.buffer().first(start + length));
  reader.seek(start);
  auto out = parse_by_type(reader, type);
  if (!out.ok()) return out;
  if (!reader.ok()) return fail(Malformed::kRdataShort);
  if (reader.remaining() > 0) return fail(Malformed::kRdataLong);
  message.skip(length);
  return out;
}

void write_rdata(ByteWriter& writer, const Rdata& data, NameForm form) {
  visit_rdata(RdataWriter{writer, form}, data);
}

Result<Bytes, Malformed> next_string(ByteReader& strings) {
  const Bytes out = strings.bytes(strings.u8());
  if (!strings.ok()) return fail(Malformed::kRdataShort);
  return out;
}

bool valid_strings(Bytes bytes) {
  if (bytes.empty()) return false;
  ByteReader reader(bytes);
  while (reader.ok() && reader.remaining() > 0) reader.skip(reader.u8());
  return reader.ok();
}

void write_strings(ByteWriter& writer, std::string_view text) {
  do {
    const std::string_view part = text.substr(0, 255);
    writer.u8(static_cast<std::uint8_t>(part.size()));
    writer.text(part);
    text.remove_prefix(part.size());
  } while (!text.empty());
}

std::uint16_t key_tag(const Dnskey& key) {
  // RFC 4034 B.1: algorithm 1 has the upper sixteen of the modulus's last 24 bits.
  if (key.algorithm == 1) {
    if (key.key.size() < 3) return 0;
    ByteReader reader(key.key.subspan(key.key.size() - 3));
    return reader.u16();
  }
  std::uint32_t sum = key.flags + (std::uint32_t{key.protocol} << 8) + key.algorithm;
  for (std::size_t i = 0; i < key.key.size(); ++i) {
    const auto octet = std::to_integer<std::uint32_t>(key.key[i]);
    sum += i % 2 == 0 ? octet << 8 : octet;
  }
  sum += sum >> 16 & 0xffff;
  return static_cast<std::uint16_t>(sum);
}

}  // namespace timepool::wire::dns

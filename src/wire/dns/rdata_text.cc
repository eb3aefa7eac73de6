#include "wire/dns/rdata_text.h"

#include "base/hex.h"
#include "base/time.h"
#include "wire/dns/rdata.h"
#include "wire/dns/svcb.h"
#include "wire/dns/type_bitmap.h"

namespace timepool::wire::dns {
namespace {

template <class... Values>
std::string joined(const Values&... values) {
  std::string out;
  const auto add = [&](const std::string& text) {
    if (!out.empty()) out += ' ';
    out += text;
  };
  const auto text = [](const auto& value) -> std::string {
    if constexpr (std::is_arithmetic_v<std::decay_t<decltype(value)>>) {
      return std::to_string(value);
    } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>, DnsName>) {
      return format(value);
    } else {
      return std::string(value);
    }
  };
  (add(text(values)), ...);
  return out;
}

std::string upper_hex(Bytes bytes) {
  std::string out = to_hex(bytes);
  for (char& c : out) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  return out;
}

// RFC 4034 3.2: YYYYMMDDHHmmSS. The 32 bits are taken as they are, good until 2106.
std::string signature_time(std::uint32_t seconds) {
  std::string out;
  for (const char c : format_utc(UnixTime::from_seconds(seconds), 0)) {
    if (c >= '0' && c <= '9') out += c;
  }
  return out;
}

struct Formatter {
  std::string operator()(const RawData& v) const {
    return v.bytes.empty() ? std::string("\\# 0")
                           : joined("\\#", v.bytes.size(), upper_hex(v.bytes));
  }
  std::string operator()(const OptData& v) const { return (*this)(RawData{v.options}); }
  std::string operator()(const AddressData& v) const { return format(v.address); }
  std::string operator()(const NameData& v) const { return format(v.name); }
  std::string operator()(const Soa& v) const {
    return joined(v.mname, v.rname, v.serial, v.refresh, v.retry, v.expire, v.minimum);
  }
  std::string operator()(const Mx& v) const { return joined(v.preference, v.exchange); }
  std::string operator()(const Txt& v) const {
    std::string out;
    ByteReader reader(v.strings);
    while (reader.remaining() > 0) {
      const auto string = next_string(reader);
      if (!string.ok()) break;
      if (!out.empty()) out += ' ';
      out += quoted(*string);
    }
    return out;
  }
  std::string operator()(const Srv& v) const {
    return joined(v.priority, v.weight, v.port, v.target);
  }
  std::string operator()(const Caa& v) const {
    const std::string tag(reinterpret_cast<const char*>(v.tag.data()), v.tag.size());
    return joined(v.flags, tag, quoted(v.value));
  }
  std::string operator()(const Dnskey& v) const {
    return joined(v.flags, v.protocol, v.algorithm, to_base64(v.key));
  }
  std::string operator()(const Ds& v) const {
    return joined(v.key_tag, v.algorithm, v.digest_type, upper_hex(v.digest));
  }
  std::string operator()(const Rrsig& v) const {
    return joined(format(v.covered), v.algorithm, v.labels, v.original_ttl,
                  signature_time(v.expiration), signature_time(v.inception), v.key_tag, v.signer,
                  to_base64(v.signature));
  }
  std::string operator()(const Nsec& v) const {
    std::string out = format(v.next);
    for_each_type(v.types, [&](RrType type) { out += ' ' + format(type); });
    return out;
  }
  std::string operator()(const Svcb& v) const {
    const std::string head = joined(v.priority, v.target);
    return v.params.empty() ? head : head + ' ' + format_params(v.params);
  }
};

}  // namespace

std::string quoted(Bytes bytes) {
  std::string out = "\"";
  for (const std::byte octet : bytes) {
    const auto value = std::to_integer<unsigned>(octet);
    if (value < 0x20 || value >= 0x7f) {
      out += '\\';
      for (const unsigned place : {100U, 10U, 1U}) {
        out += static_cast<char>('0' + value / place % 10);
      }
      continue;
    }
    const char c = static_cast<char>(octet);
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

std::string format_rdata(const Rdata& data) {
  return visit_rdata(Formatter{}, data);
}

}  // namespace timepool::wire::dns

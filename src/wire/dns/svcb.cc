#include "wire/dns/svcb.h"

#include <string_view>

#include "base/hex.h"
#include "wire/dns/rdata_text.h"

namespace timepool::wire::dns {
namespace {

constexpr std::string_view kNames[] = {"mandatory", "alpn",     "no-default-alpn",
                                       "port",      "ipv4hint", "ech",
                                       "ipv6hint",  "dohpath",  "ohttp"};

// RFC 9460 8: ascending, not empty, without itself.
bool valid_mandatory(Bytes value) {
  if (value.empty() || value.size() % 2 != 0) return false;
  ByteReader reader(value);
  unsigned last = 0;
  while (reader.remaining() > 0) {
    const unsigned key = reader.u16();
    if (key <= last) return false;
    last = key;
  }
  return true;
}

// RFC 9460 7.1.1: one or more protocol names, none of them empty.
bool valid_alpn(Bytes value) {
  if (!valid_strings(value)) return false;
  ByteReader reader(value);
  while (reader.remaining() > 0) {
    const auto name = next_string(reader);
    if (!name.ok() || name->empty()) return false;
  }
  return true;
}

bool valid_value(const SvcbParam& param) {
  const std::size_t size = param.value.size();
  switch (param.key) {
    case SvcbKey::kMandatory:
      return valid_mandatory(param.value);
    case SvcbKey::kAlpn:
      return valid_alpn(param.value);
    case SvcbKey::kNoDefaultAlpn:
    case SvcbKey::kOhttp:
      return size == 0;
    case SvcbKey::kPort:
      return size == 2;
    case SvcbKey::kIpv4Hint:
      return size > 0 && size % 4 == 0;
    case SvcbKey::kIpv6Hint:
      return size > 0 && size % 16 == 0;
    case SvcbKey::kEch:
    case SvcbKey::kDohPath:
      return size > 0;
  }
  return true;
}

std::string format_mandatory(Bytes value) {
  std::string out;
  ByteReader reader(value);
  while (reader.remaining() > 0) {
    if (!out.empty()) out += ',';
    out += format(static_cast<SvcbKey>(reader.u16()));
  }
  return out;
}

// RFC 9460 A.1: a comma within a protocol name is escaped in the list, and the backslash of that
// once more in the quoted string.
std::string format_alpn(Bytes value) {
  std::string list;
  ByteReader reader(value);
  while (reader.remaining() > 0) {
    const auto name = next_string(reader);
    if (!name.ok()) break;
    if (!list.empty()) list += ',';
    for (const std::byte octet : *name) {
      const char c = static_cast<char>(octet);
      if (c == ',' || c == '\\') list += '\\';
      list += c;
    }
  }
  return quoted(std::as_bytes(std::span(list.data(), list.size())));
}

std::string format_hints(Bytes value, std::size_t width) {
  std::string out;
  for (std::size_t at = 0; at + width <= value.size(); at += width) {
    if (at > 0) out += ',';
    out += format(IpAddress::from_bytes(value.subspan(at, width)));
  }
  return out;
}

std::string format_value(const SvcbParam& param) {
  switch (param.key) {
    case SvcbKey::kMandatory:
      return format_mandatory(param.value);
    case SvcbKey::kAlpn:
      return format_alpn(param.value);
    case SvcbKey::kPort:
      return std::to_string(ByteReader(param.value).u16());
    case SvcbKey::kIpv4Hint:
      return format_hints(param.value, 4);
    case SvcbKey::kIpv6Hint:
      return format_hints(param.value, 16);
    case SvcbKey::kEch:
      return to_base64(param.value);
    case SvcbKey::kNoDefaultAlpn:
    case SvcbKey::kOhttp:
    case SvcbKey::kDohPath:
      break;
  }
  return quoted(param.value);
}

}  // namespace

Result<SvcbParam, Malformed> next_param(ByteReader& params) {
  const auto key = static_cast<SvcbKey>(params.u16());
  const Bytes value = params.bytes(params.u16());
  if (!params.ok()) return fail(Malformed::kSvcbValue);
  return SvcbParam{key, value};
}

Result<void, Malformed> check_params(Bytes params) {
  ByteReader reader(params);
  int last = -1;
  while (reader.remaining() > 0) {
    const SvcbParam param = TRY(next_param(reader));
    if (static_cast<int>(param.key) <= last) return fail(Malformed::kSvcbOrder);
    last = static_cast<int>(param.key);
    if (!valid_value(param)) return fail(Malformed::kSvcbValue);
  }
  return {};
}

Result<void, Malformed> check_consistent(Bytes params) {
  ByteReader needed(param_value(params, SvcbKey::kMandatory));
  while (needed.remaining() > 0) {
    const auto key = static_cast<SvcbKey>(needed.u16());
    if (param_value(params, key).data() == nullptr) return fail(Malformed::kSvcbInconsistent);
  }
  if (param_value(params, SvcbKey::kNoDefaultAlpn).data() != nullptr &&
      param_value(params, SvcbKey::kAlpn).data() == nullptr) {
    return fail(Malformed::kSvcbInconsistent);
  }
  return {};
}

Bytes param_value(Bytes params, SvcbKey key) {
  ByteReader reader(params);
  while (reader.remaining() > 0) {
    const auto param = next_param(reader);
    if (!param.ok()) break;
    if (param->key == key) return param->value;
  }
  return {};
}

void write_param(ByteWriter& writer, SvcbKey key, Bytes value) {
  writer.u16(static_cast<std::uint16_t>(key));
  writer.u16(static_cast<std::uint16_t>(value.size()));
  writer.bytes(value);
}

std::string format(SvcbKey key) {
  const auto value = static_cast<std::size_t>(key);
  return value < std::size(kNames) ? std::string(kNames[value]) : "key" + std::to_string(value);
}

std::string format_params(Bytes params) {
  std::string out;
  ByteReader reader(params);
  while (reader.remaining() > 0) {
    const auto param = next_param(reader);
    if (!param.ok()) break;
    if (!out.empty()) out += ' ';
    out += format(param->key);
    if (!param->value.empty()) out += '=' + format_value(*param);
  }
  return out;
}

}  // namespace timepool::wire::dns

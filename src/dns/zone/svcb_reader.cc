// The text of service parameters (RFC 9460 2.1 and appendix A), as rdata_reader.h declares it.
#include <algorithm>
#include <charconv>
#include <map>

#include "base/hex.h"
#include "base/ip.h"
#include "dns/zone/rdata_reader.h"
#include "wire/dns/svcb.h"

namespace timepool::dns {
namespace {

using wire::dns::SvcbKey;
using Value = std::optional<std::vector<std::byte>>;

constexpr std::size_t kMaxValue = 65535;

std::optional<SvcbKey> key_named(std::string_view name) {
  for (std::uint16_t value = 0; value <= static_cast<std::uint16_t>(SvcbKey::kOhttp); ++value) {
    if (format(static_cast<SvcbKey>(value)) == name) return static_cast<SvcbKey>(value);
  }
  std::uint16_t value = 0;
  if (!name.starts_with("key") || name.size() < 4 || (name[3] == '0' && name.size() > 4)) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(name.data() + 3, name.data() + name.size(), value);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return static_cast<SvcbKey>(value);
}

void put16(std::vector<std::byte>& out, std::uint16_t value) {
  out.push_back(static_cast<std::byte>(value >> 8));
  out.push_back(static_cast<std::byte>(value & 0xff));
}

// RFC 9460 A.1: items between commas; a backslash makes the character behind it one of the item.
std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> out(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ',') {
      out.emplace_back();
    } else if (text[i] == '\\' && i + 1 < text.size()) {
      out.back() += text[++i];
    } else {
      out.back() += text[i];
    }
  }
  return out;
}

Value mandatory(std::string_view text) {
  std::vector<std::uint16_t> keys;
  for (const std::string& item : list_of(text)) {
    const auto key = key_named(item);
    if (!key) return std::nullopt;
    keys.push_back(static_cast<std::uint16_t>(*key));
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::byte> out;
  for (const std::uint16_t key : keys) put16(out, key);
  return out;
}

Value alpn(std::string_view text) {
  std::vector<std::byte> out;
  for (const std::string& item : list_of(text)) {
    if (item.empty() || item.size() > 255) return std::nullopt;
    out.push_back(static_cast<std::byte>(item.size()));
    const Bytes octets = std::as_bytes(std::span(item.data(), item.size()));
    out.insert(out.end(), octets.begin(), octets.end());
  }
  return out;
}

Value port(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  std::vector<std::byte> out;
  put16(out, value);
  return out;
}

Value hints(std::string_view text, bool v4) {
  std::vector<std::byte> out;
  for (const std::string& item : list_of(text)) {
    const auto address = parse_ip(item);
    if (!address.ok() || address->is_v4() != v4) return std::nullopt;
    const Bytes octets = address->bytes();
    out.insert(out.end(), octets.begin(), octets.end());
  }
  return out;
}

// `text` is the value with its escapes decoded once.
Value value_of(SvcbKey key, const std::string& text) {
  switch (key) {
    case SvcbKey::kMandatory:
      return mandatory(text);
    case SvcbKey::kAlpn:
      return alpn(text);
    case SvcbKey::kPort:
      return port(text);
    case SvcbKey::kIpv4Hint:
    case SvcbKey::kIpv6Hint:
      return hints(text, key == SvcbKey::kIpv4Hint);
    case SvcbKey::kEch: {
      auto octets = from_base64(text);
      return octets.ok() ? Value(std::move(octets).value()) : std::nullopt;
    }
    default: {
      const Bytes octets = std::as_bytes(std::span(text.data(), text.size()));
      return Value(std::in_place, octets.begin(), octets.end());
    }
  }
}

}  // namespace

Result<std::vector<std::byte>, RdataFault> read_svcb_params(std::span<const Word> words) {
  std::map<std::uint16_t, std::vector<std::byte>> params;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view text = words[i].text;
    const std::size_t equals = std::min(text.find('='), text.size());
    const auto key = key_named(text.substr(0, equals));
    if (!key) {
      return fail(RdataFault{i, "'" + std::string(text.substr(0, equals)) + "' is no parameter"});
    }
    std::string_view raw = text.substr(std::min(equals + 1, text.size()));
    if (raw.size() >= 2 && raw.front() == '"' && raw.back() == '"') {
      raw = raw.substr(1, raw.size() - 2);
    }
    const auto decoded = unescaped(raw);
    if (!decoded) return fail(RdataFault{i, "has a broken escape"});
    auto value = value_of(*key, *decoded);
    if (!value || value->size() > kMaxValue) {
      return fail(RdataFault{i, "has a wrong value for " + format(*key)});
    }
    if (!params.try_emplace(static_cast<std::uint16_t>(*key), std::move(*value)).second) {
      return fail(RdataFault{i, format(*key) + " is there twice"});
    }
  }
  std::vector<std::byte> out;
  for (const auto& [key, value] : params) {
    put16(out, key);
    put16(out, static_cast<std::uint16_t>(value.size()));
    out.insert(out.end(), value.begin(), value.end());
  }
  if (!wire::dns::check_params(out).ok()) {
    return fail(RdataFault{0, "has a parameter with a wrong value"});
  }
  if (!wire::dns::check_consistent(out).ok()) {
    return fail(RdataFault{0, "lacks a parameter that \"mandatory\" names, or \"alpn\""});
  }
  return out;
}

}  // namespace timepool::dns

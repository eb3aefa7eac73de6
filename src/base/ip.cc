#include "base/ip.h"

#include <algorithm>
#include <charconv>

#include "base/special_blocks.h"

namespace timepool {
namespace {

Error bad(std::string_view what, std::string_view text, std::string_view why) {
  return {ErrorCode::kInvalid, std::string(what) + " \"" + std::string(text) + "\"",
          std::string(why)};
}

// A decimal number of 1 to 3 digits without leading zeros, at most 255.
bool take_octet(std::string_view& rest, unsigned& value) {
  std::size_t digits = 0;
  value = 0;
  while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9' && digits < 4) {
    value = value * 10 + static_cast<unsigned>(rest[digits] - '0');
    ++digits;
  }
  const bool leading_zero = digits > 1 && rest[0] == '0';
  rest.remove_prefix(digits);
  return digits >= 1 && digits <= 3 && value <= 255 && !leading_zero;
}

bool parse_v4(std::string_view text, std::uint32_t& out) {
  out = 0;
  for (int i = 0; i < 4; ++i) {
    if (i > 0) {
      if (!text.starts_with('.')) return false;
      text.remove_prefix(1);
    }
    unsigned octet = 0;
    if (!take_octet(text, octet)) return false;
    out = out << 8 | octet;
  }
  return text.empty();
}

// 1 to 4 hexadecimal digits.
bool take_group(std::string_view& rest, std::uint16_t& value) {
  const std::size_t limit = std::min<std::size_t>(rest.size(), 4);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + limit, value, 16);
  if (error != std::errc{}) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  return true;
}

// Fills `groups` from text; `gap` is where :: stood (or 8). Returns the count of groups, -1 if bad.
int take_groups(std::string_view text, std::array<std::uint16_t, 8>& groups, int& gap) {
  int count = 0;
  gap = 8;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (count == 8) return -1;
    std::uint32_t v4 = 0;
    if (count <= 6 && text.find('.') != std::string_view::npos &&
        text.find(':') == std::string_view::npos) {
      if (!parse_v4(text, v4)) return -1;
      groups[static_cast<std::size_t>(count)] = static_cast<std::uint16_t>(v4 >> 16);
      groups[static_cast<std::size_t>(count + 1)] = static_cast<std::uint16_t>(v4);
      return count + 2;
    }
    if (!take_group(text, groups[static_cast<std::size_t>(count)])) return -1;
    ++count;
    if (text.empty()) break;
    if (text.starts_with("::")) {
      if (gap != 8) return -1;
      gap = count;
      text.remove_prefix(2);
    } else if (text.starts_with(':') && text.size() > 1) {
      text.remove_prefix(1);
    } else {
      return -1;
    }
  }
  return count;
}

bool parse_v6(std::string_view text, std::array<std::byte, 16>& out) {
  std::array<std::uint16_t, 8> groups{};
  int gap = 8;
  const int count = take_groups(text, groups, gap);
  if (count < 0 || (gap == 8 && count != 8) || (gap != 8 && count >= 8)) return false;
  for (int i = 0; i < 8; ++i) {
    const int from = i < gap ? i : i - (8 - count);
    const std::uint16_t value =
        (i >= gap && from < gap) ? std::uint16_t{0} : groups[static_cast<std::size_t>(from)];
    out[static_cast<std::size_t>(2 * i)] = static_cast<std::byte>(value >> 8);
    out[static_cast<std::size_t>(2 * i + 1)] = static_cast<std::byte>(value & 0xff);
  }
  return true;
}

std::string format_v4(Bytes bytes) {
  std::string out;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) out += '.';
    out += std::to_string(std::to_integer<unsigned>(bytes[i]));
  }
  return out;
}

// RFC 5952 4.2: the longest run of two or more zero groups becomes "::", the first of equals.
std::string format_v6(Bytes bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) {
    groups[i] =
        std::to_integer<unsigned>(bytes[2 * i]) << 8 | std::to_integer<unsigned>(bytes[2 * i + 1]);
  }
  std::size_t best = 8;
  std::size_t best_length = 1;
  for (std::size_t i = 0; i < 8; ++i) {
    std::size_t length = 0;
    while (i + length < 8 && groups[i + length] == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == best) {
      out += "::";
      i += best_length - 1;
      continue;
    }
    if (!out.empty() && !out.ends_with(':')) out += ':';
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + 4, groups[i], 16).ptr;
    out.append(digits.data(), end);
  }
  return out;
}

bool parse_port(std::string_view text, std::uint16_t& port) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port != 0;
}

std::size_t hash_bytes(Bytes bytes, std::uint64_t hash) {
  // FNV-1a with a final mix: for tables of trusted addresses; SipHash is for what clients choose.
  for (const std::byte b : bytes) {
    hash = (hash ^ std::to_integer<std::uint64_t>(b)) * 0x100000001b3ULL;
  }
  return static_cast<std::size_t>(hash ^ hash >> 32);
}

}  // namespace

IpAddress IpAddress::from_bytes(Bytes bytes) {
  CHECK(bytes.size() == 4 || bytes.size() == 16);
  IpAddress out;
  out.family_ = bytes.size() == 4 ? IpFamily::kV4 : IpFamily::kV6;
  std::copy(bytes.begin(), bytes.end(), out.bytes_.begin());
  return out;
}

IpAddress IpAddress::any(IpFamily family) {
  IpAddress out;
  out.family_ = family;
  return out;
}

std::uint32_t IpAddress::v4_bits() const {
  CHECK(is_v4());
  const auto octet = [this](std::size_t i) { return std::to_integer<std::uint32_t>(bytes_[i]); };
  return octet(0) << 24 | octet(1) << 16 | octet(2) << 8 | octet(3);
}

IpAddress IpAddress::unmapped() const {
  constexpr Block kMapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
  if (is_v4() || !in_block(bytes(), kMapped)) return *this;
  return from_bytes(bytes().last(4));
}

bool IpAddress::is_unspecified() const {
  return *this == any(family_);
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == std::byte{127};
  IpAddress one = any(IpFamily::kV6);
  one.bytes_[15] = std::byte{1};
  return *this == one;
}

bool IpAddress::is_global_unicast() const {
  const auto within = [this](const Block& block) { return in_block(bytes(), block); };
  if (is_v4()) return std::none_of(kSpecialV4.begin(), kSpecialV4.end(), within);
  return within(kGlobalV6) && std::none_of(kSpecialV6.begin(), kSpecialV6.end(), within);
}

Result<IpAddress> parse_ip(std::string_view text) {
  if (text.find(':') == std::string_view::npos) {
    std::uint32_t bits = 0;
    if (!parse_v4(text, bits)) return fail(bad("address", text, "not an IPv4 or IPv6 address"));
    return IpAddress::v4(bits);
  }
  std::array<std::byte, 16> bytes{};
  if (!parse_v6(text, bytes)) return fail(bad("address", text, "not an IPv6 address"));
  return IpAddress::from_bytes(bytes);
}

std::string format(const IpAddress& address) {
  if (address.is_v4()) return format_v4(address.bytes());
  const IpAddress inner = address.unmapped();
  return inner.is_v4() ? "::ffff:" + format_v4(inner.bytes()) : format_v6(address.bytes());
}

Prefix::Prefix(const IpAddress& address, int length)
    : length_(std::clamp(length, 0, address.bits())) {
  std::array<std::byte, 16> bytes{};
  const Bytes in = address.bytes();
  for (int i = 0; i < (length_ + 7) / 8; ++i) {
    const int kept = std::min(8, length_ - 8 * i);
    const auto mask = static_cast<std::byte>(0xff00u >> kept & 0xff);
    bytes[static_cast<std::size_t>(i)] = in[static_cast<std::size_t>(i)] & mask;
  }
  base_ = IpAddress::from_bytes(Bytes(bytes).first(in.size()));
}

bool Prefix::contains(const IpAddress& address) const {
  return address.family() == base_.family() && Prefix(address, length_).base_ == base_;
}

bool Prefix::contains(const Prefix& other) const {
  return other.length_ >= length_ && contains(other.base_);
}

Result<Prefix> parse_prefix(std::string_view text) {
  const std::size_t slash = text.find('/');
  const IpAddress address = TRY(parse_ip(text.substr(0, slash)));
  if (slash == std::string_view::npos) return Prefix(address, address.bits());
  const std::string_view digits = text.substr(slash + 1);
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  const bool whole = error == std::errc{} && end == digits.data() + digits.size();
  if (!whole || length > static_cast<unsigned>(address.bits())) {
    return fail(bad("prefix", text, "the length is 0 to " + std::to_string(address.bits())));
  }
  const Prefix out(address, static_cast<int>(length));
  if (out.base() != address) {
    return fail(
        bad("prefix", text, "bits are set past its length; did you mean " + format(out) + "?"));
  }
  return out;
}

std::string format(const Prefix& prefix) {
  return format(prefix.base()) + "/" + std::to_string(prefix.length());
}

Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port) {
  std::string_view host = text;
  std::string_view port_text;
  const bool bracketed = text.starts_with('[');
  if (bracketed) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return fail(bad("endpoint", text, "no closing ]"));
    host = text.substr(1, close - 1);
    port_text = text.substr(close + 1);
  } else if (const std::size_t colon = text.find(':');
             colon != std::string_view::npos &&
             text.find(':', colon + 1) == std::string_view::npos) {
    host = text.substr(0, colon);
    port_text = text.substr(colon);
  }
  Endpoint out;
  out.address = TRY(parse_ip(host));
  if (bracketed && out.address.is_v4()) return fail(bad("endpoint", text, "[] is for IPv6"));
  out.port = default_port;
  if (!port_text.empty()) {
    if (!port_text.starts_with(':') || !parse_port(port_text.substr(1), out.port)) {
      return fail(bad("endpoint", text, "the port is 1 to 65535"));
    }
  } else if (default_port == 0) {
    return fail(bad("endpoint", text, "no port"));
  }
  return out;
}

std::string format(const Endpoint& endpoint) {
  const std::string address = format(endpoint.address);
  const std::string port = ":" + std::to_string(endpoint.port);
  return endpoint.address.is_v4() ? address + port : "[" + address + "]" + port;
}

}  // namespace timepool

std::size_t std::hash<timepool::IpAddress>::operator()(
    const timepool::IpAddress& address) const noexcept {
  return timepool::hash_bytes(address.bytes(), 0xcbf29ce484222325ULL);
}

std::size_t std::hash<timepool::Endpoint>::operator()(
    const timepool::Endpoint& endpoint) const noexcept {
  return timepool::hash_bytes(endpoint.address.bytes(),
                              0xcbf29ce484222325ULL ^ endpoint.port * 0x9e3779b97f4a7c15ULL);
}

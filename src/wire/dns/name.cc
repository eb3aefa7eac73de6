#include "wire/dns/name.h"

#include <algorithm>
#include <optional>

#include "wire/dns/constants.h"

namespace timepool::wire::dns {
namespace {

constexpr unsigned kPointerBits = 0xc0;

// Eight octets at once; the upper-case ones made lower. Length octets are below 'A', so whole names
// can be treated alike.
std::uint64_t lower8(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x80 * kOnes;
  const std::uint64_t low7 = word & ~kHigh;
  const std::uint64_t at_least_a = low7 + (0x80 - 'A') * kOnes;
  const std::uint64_t above_z = low7 + (0x80 - 'Z' - 1) * kOnes;
  const std::uint64_t upper = at_least_a & ~above_z & ~word & kHigh;
  return word | upper >> 2;
}

std::uint64_t load8(const std::byte* from) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, 8);
  return word;
}

std::uint64_t load_part(const std::byte* from, std::size_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, from, count);
  return word;
}

// All of up to seven octets, some twice, in an order that depends on `count` alone: enough to
// compare and to hash, and faster than a copy of unknown length.
std::uint64_t spread_part(const std::byte* from, std::size_t count) {
  if (count >= 4) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, from, 4);
    std::memcpy(&high, from + count - 4, 4);
    return std::uint64_t{high} << 32 | low;
  }
  if (count == 0) return 0;
  const auto octet = [&](std::size_t at) { return std::to_integer<std::uint64_t>(from[at]); };
  return octet(0) | octet(count / 2) << 8 | octet(count - 1) << 16;
}

bool same_lowered(const std::byte* a, const std::byte* b, std::size_t size) {
  std::size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    if (lower8(load8(a + i)) != lower8(load8(b + i))) return false;
  }
  return lower8(spread_part(a + i, size - i)) == lower8(spread_part(b + i, size - i));
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::byte lower(std::byte octet) {
  return octet >= std::byte{'A'} && octet <= std::byte{'Z'} ? octet | std::byte{0x20} : octet;
}

std::strong_ordering order_labels(std::string_view a, std::string_view b) {
  const std::size_t count = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto order = lower(static_cast<std::byte>(a[i])) <=> lower(static_cast<std::byte>(b[i]));
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

struct LabelTable {
  std::array<std::string_view, kMaxLabels> labels;
  std::size_t count = 0;
  explicit LabelTable(NameView name) {
    for (const std::string_view label : name.labels()) labels[count++] = label;
  }
};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// One octet of text from position `at`, which moves behind it; nothing for a bad escape.
std::optional<std::byte> unescape(std::string_view text, std::size_t& at) {
  const char c = text[at++];
  if (c != '\\') return static_cast<std::byte>(c);
  if (at >= text.size()) return std::nullopt;
  if (!is_digit(text[at])) return static_cast<std::byte>(text[at++]);
  if (at + 3 > text.size() || !is_digit(text[at + 1]) || !is_digit(text[at + 2])) {
    return std::nullopt;
  }
  const int value = (text[at] - '0') * 100 + (text[at + 1] - '0') * 10 + (text[at + 2] - '0');
  at += 3;
  if (value > 255) return std::nullopt;
  return static_cast<std::byte>(value);
}

}  // namespace

NameView NameView::suffix(std::size_t count) const {
  NameView out = *this;
  for (std::size_t extra = label_count(); extra > count; --extra) out = out.parent();
  return out;
}

bool NameView::is_within(NameView other) const {
  NameView rest = *this;
  while (rest.size() > other.size()) rest = rest.parent();
  return rest == other;
}

bool DnsName::append_label(Bytes label) {
  // The root's octet must fit behind it.
  if (size_ + 1 + label.size() + 1 > kMaxName) return false;
  bytes_[size_++] = static_cast<std::byte>(label.size());
  std::copy(label.begin(), label.end(), bytes_.begin() + size_);
  size_ = static_cast<std::uint8_t>(size_ + label.size());
  return true;
}

Result<DnsName, Malformed> DnsName::from_text(std::string_view text, NameView origin) {
  if (text == ".") return DnsName();
  if (text.empty()) return fail(Malformed::kEmptyLabel);
  DnsName out;
  out.size_ = 0;
  std::array<std::byte, kMaxLabel> label;
  std::size_t at = 0;
  bool absolute = false;
  while (at < text.size()) {
    std::size_t size = 0;
    bool dot = false;
    while (at < text.size() && !dot) {
      if (text[at] == '.') {
        dot = true;
        ++at;
        continue;
      }
      const auto octet = unescape(text, at);
      if (!octet) return fail(Malformed::kEscape);
      if (size == kMaxLabel) return fail(Malformed::kLabelTooLong);
      label[size++] = *octet;
    }
    if (size == 0) return fail(Malformed::kEmptyLabel);
    if (!out.append_label(Bytes(label).first(size))) return fail(Malformed::kNameTooLong);
    absolute = dot && at == text.size();
  }
  if (absolute) origin = NameView();
  if (out.size_ + origin.size() > kMaxName) return fail(Malformed::kNameTooLong);
  std::memcpy(out.bytes_.data() + out.size_, origin.wire().data(), origin.size());
  out.size_ = static_cast<std::uint8_t>(out.size_ + origin.size());
  return out;
}

Result<DnsName, Malformed> DnsName::concat(NameView prefix, NameView suffix) {
  const std::size_t head = prefix.size() - 1;
  if (head + suffix.size() > kMaxName) return fail(Malformed::kNameTooLong);
  DnsName out;
  std::memcpy(out.bytes_.data(), prefix.wire().data(), head);
  std::memcpy(out.bytes_.data() + head, suffix.wire().data(), suffix.size());
  out.size_ = static_cast<std::uint8_t>(head + suffix.size());
  return out;
}

Result<DnsName, Malformed> DnsName::prepend(std::string_view label, NameView suffix) {
  if (label.empty()) return fail(Malformed::kEmptyLabel);
  if (label.size() > kMaxLabel) return fail(Malformed::kLabelTooLong);
  DnsName out;
  out.size_ = 0;
  if (1 + label.size() + suffix.size() > kMaxName ||
      !out.append_label(std::as_bytes(std::span(label.data(), label.size())))) {
    return fail(Malformed::kNameTooLong);
  }
  std::memcpy(out.bytes_.data() + out.size_, suffix.wire().data(), suffix.size());
  out.size_ = static_cast<std::uint8_t>(out.size_ + suffix.size());
  return out;
}

// RFC 1035 4.1.4. Each pointer leads to before the segment that it ends, so the walk ends.
Result<DnsName, Malformed> parse_name(ByteReader& reader) {
  const Bytes message = reader.buffer();
  std::size_t at = reader.position();
  std::size_t segment = at;
  std::size_t behind = 0;  // of the first pointer; 0 until there is one
  DnsName out;
  out.size_ = 0;
  for (;;) {
    if (at >= message.size()) return fail(Malformed::kNameShort);
    const auto length = std::to_integer<std::size_t>(message[at]);
    if (length >= kPointerBits) {
      if (at + 1 >= message.size()) return fail(Malformed::kNameShort);
      const std::size_t target =
          (length & 0x3f) << 8 | std::to_integer<std::size_t>(message[at + 1]);
      if (target >= segment || target < kHeaderSize) return fail(Malformed::kNamePointer);
      if (behind == 0) behind = at + 2;
      segment = at = target;
      continue;
    }
    if (length > kMaxLabel) return fail(Malformed::kLabelType);
    if (length == 0) break;
    if (at + 1 + length > message.size()) return fail(Malformed::kNameShort);
    if (!out.append_label(message.subspan(at + 1, length))) return fail(Malformed::kNameTooLong);
    at += 1 + length;
  }
  out.bytes_[out.size_++] = std::byte{0};
  reader.seek(behind != 0 ? behind : at + 1);
  return out;
}

Result<NameView, Malformed> parse_plain_name(ByteReader& reader) {
  const Bytes message = reader.buffer();
  const std::size_t start = reader.position();
  std::size_t at = start;
  for (;;) {
    if (at >= message.size()) return fail(Malformed::kNameShort);
    const auto length = std::to_integer<std::size_t>(message[at]);
    if (length >= kPointerBits) return fail(Malformed::kNameCompressed);
    if (length > kMaxLabel) return fail(Malformed::kLabelType);
    at += 1 + length;
    if (at - start > kMaxName) return fail(Malformed::kNameTooLong);
    if (length == 0) break;
  }
  return NameView::from_valid_wire(reader.bytes(at - start));
}

bool operator==(NameView a, NameView b) {
  return a.size() == b.size() && same_lowered(a.wire().data(), b.wire().data(), a.size());
}

bool same_label(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         same_lowered(reinterpret_cast<const std::byte*>(a.data()),
                      reinterpret_cast<const std::byte*>(b.data()), a.size());
}

bool same_bytes(NameView a, NameView b) {
  return std::equal(a.wire().begin(), a.wire().end(), b.wire().begin(), b.wire().end());
}

std::uint64_t hash(NameView name, std::uint64_t seed) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;
  constexpr std::uint64_t kOther = 0xd1b54a32d192ed03;
  const std::byte* at = name.wire().data();
  std::size_t left = name.size();
  std::uint64_t state = mix(seed ^ kOdd, name.size() ^ kOther);
  for (; left >= 8; left -= 8, at += 8) state = mix(state ^ lower8(load8(at)), kOdd);
  return mix(state ^ lower8(spread_part(at, left)), kOther);
}

std::strong_ordering canonical_order(NameView a, NameView b) {
  const LabelTable left(a);
  const LabelTable right(b);
  const std::size_t count = std::min(left.count, right.count);
  for (std::size_t i = 1; i <= count; ++i) {
    const auto order = order_labels(left.labels[left.count - i], right.labels[right.count - i]);
    if (order != 0) return order;
  }
  return left.count <=> right.count;
}

DnsName lowered(NameView name) {
  DnsName out(name);
  std::transform(name.wire().begin(), name.wire().end(), out.bytes_.begin(), lower);
  return out;
}

NameView lower_into(NameView name, MutableBytes out) {
  CHECK(out.size() >= name.size());
  const std::byte* from = name.wire().data();
  std::size_t i = 0;
  for (; i + 8 <= name.size(); i += 8) {
    const std::uint64_t word = lower8(load8(from + i));
    std::memcpy(out.data() + i, &word, 8);
  }
  const std::uint64_t word = lower8(load_part(from + i, name.size() - i));
  std::memcpy(out.data() + i, &word, name.size() - i);
  return NameView::from_valid_wire(out.first(name.size()));
}

std::string format(NameView name) {
  if (name.is_root()) return ".";
  std::string out;
  for (const std::string_view label : name.labels()) {
    for (const char c : label) {
      const auto value = static_cast<unsigned char>(c);
      if (value <= 0x20 || value >= 0x7f) {
        out += '\\';
        for (const int place : {100, 10, 1}) out += static_cast<char>('0' + value / place % 10);
        continue;
      }
      if (std::string_view("\"().;\\@$").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
    out += '.';
  }
  return out;
}

}  // namespace timepool::wire::dns

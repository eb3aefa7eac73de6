// Domain names in uncompressed wire form (RFC 1035 3.1): DnsName holds one in place, NameView
// borrows one from a message or a DnsName. Case is kept; comparison and hash ignore ASCII case
// (RFC 4343). Both are always valid: labels of 1 to 63 octets, the root label last, 255 in all.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"
#include "wire/dns/malformed.h"

namespace timepool::wire::dns {

inline constexpr std::size_t kMaxName = 255;
inline constexpr std::size_t kMaxLabel = 63;
// 127 labels of one octet and the root are 255 octets.
inline constexpr std::size_t kMaxLabels = 127;

class LabelIterator {
 public:
  explicit LabelIterator(const std::byte* at) : at_(at) {}
  std::string_view operator*() const {
    return {reinterpret_cast<const char*>(at_ + 1), std::to_integer<std::size_t>(*at_)};
  }
  LabelIterator& operator++() {
    at_ += 1 + std::to_integer<std::size_t>(*at_);
    return *this;
  }
  bool operator==(const LabelIterator&) const = default;

 private:
  const std::byte* at_;
};

// The labels from the leftmost on, without the root's.
struct LabelRange {
  LabelIterator first, last;
  LabelIterator begin() const { return first; }
  LabelIterator end() const { return last; }
};

class NameView {
 public:
  // The root.
  NameView() : wire_(kRoot) {}
  // `wire` must be exactly one valid uncompressed name; CHECKs only that it isn't empty.
  static NameView from_valid_wire(Bytes wire) {
    CHECK(!wire.empty());
    return NameView(wire);
  }

  Bytes wire() const { return wire_; }
  std::size_t size() const { return wire_.size(); }
  bool is_root() const { return wire_.size() == 1; }
  LabelRange labels() const {
    return {LabelIterator(wire_.data()), LabelIterator(wire_.data() + wire_.size() - 1)};
  }
  // Without the root's: "example.com." has 2.
  std::size_t label_count() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const std::string_view label : labels()) ++count;
    return count;
  }
  // The leftmost label; empty for the root.
  std::string_view first_label() const { return *LabelIterator(wire_.data()); }
  // The name without its leftmost label; the root's parent is the root.
  NameView parent() const {
    return is_root() ? *this
                     : NameView(wire_.subspan(1 + std::to_integer<std::size_t>(wire_.front())));
  }
  // The last `count` labels; the whole name when it has fewer.
  NameView suffix(std::size_t count) const;
  // Is it `other` or below it?
  bool is_within(NameView other) const;
  // Is the leftmost label "*" (RFC 4592)?
  bool is_wildcard() const { return first_label() == "*"; }

 private:
  explicit NameView(Bytes wire) : wire_(wire) {}
  static constexpr std::array<std::byte, 1> kRoot{};
  Bytes wire_;
};

class DnsName {
 public:
  // The root.
  DnsName() : size_(1) { bytes_[0] = std::byte{0}; }
  DnsName(NameView name)  // NOLINT: a copy of it
      : size_(static_cast<std::uint8_t>(name.size())) {
    std::memcpy(bytes_.data(), name.wire().data(), size_);
  }
  DnsName(const DnsName& other) : size_(other.size_) {
    std::memcpy(bytes_.data(), other.bytes_.data(), size_);
  }
  DnsName& operator=(const DnsName& other) {
    if (this != &other) {
      size_ = other.size_;
      std::memcpy(bytes_.data(), other.bytes_.data(), size_);
    }
    return *this;
  }

  // RFC 1035 5.1 text: labels by dots, "\." and "\DDD" escapes. A name that does not end with a
  // dot gets `origin` appended. Errors: kEmptyLabel, kLabelTooLong, kEscape, kNameTooLong.
  static Result<DnsName, Malformed> from_text(std::string_view text, NameView origin = NameView());
  // `prefix` (its root dropped) in front of `suffix`. Errors: kNameTooLong.
  static Result<DnsName, Malformed> concat(NameView prefix, NameView suffix);
  // `label` (1 to 63 octets, not escaped) in front of `suffix`. Errors: kEmptyLabel,
  // kLabelTooLong, kNameTooLong.
  static Result<DnsName, Malformed> prepend(std::string_view label, NameView suffix);

  NameView view() const { return NameView::from_valid_wire(wire()); }
  operator NameView() const { return view(); }  // NOLINT: borrows
  Bytes wire() const { return Bytes(bytes_).first(size_); }
  std::size_t size() const { return size_; }
  bool is_root() const { return size_ == 1; }
  LabelRange labels() const { return view().labels(); }
  std::size_t label_count() const { return view().label_count(); }
  std::string_view first_label() const { return view().first_label(); }
  NameView parent() const { return view().parent(); }
  bool is_within(NameView other) const { return view().is_within(other); }
  bool is_wildcard() const { return view().is_wildcard(); }

 private:
  friend Result<DnsName, Malformed> parse_name(ByteReader& reader);
  friend DnsName lowered(NameView name);
  // False when it does not fit; the root label is not added.
  bool append_label(Bytes label);

  std::uint8_t size_;
  std::array<std::byte, kMaxName> bytes_;  // only the first size_ are ever read
};

// Reads a name that may be compressed (RFC 1035 4.1.4); `reader` reads the whole message. Every
// pointer must lead to bytes before the segment that it ends, and behind the header. Errors:
// kNameShort, kNamePointer, kNameTooLong, kLabelType.
Result<DnsName, Malformed> parse_name(ByteReader& reader);
// Reads a name that must not be compressed, in place. Errors as above, and kNameCompressed.
Result<NameView, Malformed> parse_plain_name(ByteReader& reader);

// Without regard to ASCII case.
bool operator==(NameView a, NameView b);
inline bool operator==(const DnsName& a, const DnsName& b) {
  return a.view() == b.view();
}
bool same_label(std::string_view a, std::string_view b);
// With case.
bool same_bytes(NameView a, NameView b);
// Without regard to ASCII case; not for keys that a stranger may insert (siphash.h is).
std::uint64_t hash(NameView name, std::uint64_t seed = 0);
// RFC 4034 6.1: by labels from the right, as lower-case octets, the shorter first.
std::strong_ordering canonical_order(NameView a, NameView b);
// ASCII upper case made lower (RFC 4034 6.2).
DnsName lowered(NameView name);
// The same into `out`, which holds at least name.size() bytes; CHECKs that.
NameView lower_into(NameView name, MutableBytes out);

// "example.com.", "." for the root. As dig: \DDD for what is not printable, a backslash before
// what has a meaning in zone files.
std::string format(NameView name);
inline std::string format(const DnsName& name) {
  return format(name.view());
}

}  // namespace timepool::wire::dns

template <>
struct std::hash<timepool::wire::dns::DnsName> {
  std::size_t operator()(const timepool::wire::dns::DnsName& name) const noexcept {
    return timepool::wire::dns::hash(name);
  }
};

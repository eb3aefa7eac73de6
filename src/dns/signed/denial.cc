#include "dns/signed/denial.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/check.h"
#include "wire/dns/type_bitmap.h"

namespace timepool::dns {

using wire::dns::DnsName;
using wire::dns::NameView;
using wire::dns::RrType;

std::span<const RrType> types_of_no_name() {
  static constexpr std::array kTypes{RrType::kRrsig, RrType::kNsec, RrType::kNxname};
  return kTypes;
}

namespace {

using LabelBuffer = std::array<char, wire::dns::kMaxLabel>;

// `label` with its last octet gone up by one; trailing 0xff are cut off. Empty: there is none.
std::string_view raised(std::string_view label, LabelBuffer& out) {
  while (!label.empty() && label.back() == '\xff') label.remove_suffix(1);
  if (label.empty()) return label;
  std::copy(label.begin(), label.end(), out.begin());
  const auto next = static_cast<unsigned char>(static_cast<unsigned char>(label.back()) + 1);
  // Capitals are no octets of names in canonical form.
  out[label.size() - 1] = static_cast<char>(next == 'A' ? 'Z' + 1 : next);
  return {out.data(), label.size()};
}

}  // namespace

DnsName successor(NameView name, NameView zone) {
  const auto below = DnsName::prepend(std::string_view("\0", 1), name);
  if (below.ok()) return *below;
  LabelBuffer buffer;
  const std::string_view first = name.first_label();
  if (first.size() < wire::dns::kMaxLabel) {
    *std::copy(first.begin(), first.end(), buffer.begin()) = '\0';
    const auto longer = DnsName::prepend({buffer.data(), first.size() + 1}, name.parent());
    if (longer.ok()) return *longer;
  }
  for (NameView at = name; at.size() > zone.size(); at = at.parent()) {
    const std::string_view label = raised(at.first_label(), buffer);
    if (label.empty()) continue;
    const auto next = DnsName::prepend(label, at.parent());
    CHECK(next.ok());  // not longer than `at`
    return *next;
  }
  // Nothing follows: the last name of a zone leads to its first (RFC 4034 4.1.1).
  return zone;
}

void write_nsec(ByteWriter& out, NameView name, NameView zone, std::span<const RrType> types) {
  out.bytes(successor(name, zone).wire());
  wire::dns::write_type_bitmap(out, types);
}

}  // namespace timepool::dns

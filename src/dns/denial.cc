#include "dns/denial.h"

#include <array>

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

// `label` with its last octet gone up by one; trailing 0xff are cut off. Empty: there is none.
std::string raised(std::string_view label) {
  std::string out(label);
  while (!out.empty() && out.back() == '\xff') out.pop_back();
  if (out.empty()) return out;
  const auto next = static_cast<unsigned char>(static_cast<unsigned char>(out.back()) + 1);
  // Capitals are no octets of names in canonical form.
  out.back() = static_cast<char>(next == 'A' ? 'Z' + 1 : next);
  return out;
}

}  // namespace

DnsName successor(NameView name, NameView zone) {
  const auto below = DnsName::prepend(std::string_view("\0", 1), name);
  if (below.ok()) return *below;
  const std::string_view first = name.first_label();
  if (first.size() < wire::dns::kMaxLabel) {
    const auto longer = DnsName::prepend(std::string(first) + '\0', name.parent());
    if (longer.ok()) return *longer;
  }
  for (NameView at = name; at.size() > zone.size(); at = at.parent()) {
    const std::string label = raised(at.first_label());
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

#include "nts/server_name.h"

#include <algorithm>
#include <optional>

namespace timepool::nts {
namespace {

constexpr std::size_t kMaxLabel = 63;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_label_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabel &&
         std::all_of(label.begin(), label.end(), is_label_character);
}

std::string_view without_last_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

bool is_domain_name(std::string_view name) {
  name = without_last_dot(name);
  if (name.empty() || name.size() > kMaxServerName) return false;
  std::string_view label;
  for (std::string_view rest = name; !rest.empty();) {
    const std::size_t dot = rest.find('.');
    label = rest.substr(0, dot);
    if (!is_label(label)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
    if (rest.empty()) return false;
  }
  // Else it were an IPv4 address that is written wrong.
  return !std::all_of(label.begin(), label.end(), is_digit);
}

// An address, if it is one. What can't be one is not parsed, since a parser's error allocates.
std::optional<IpAddress> address_in(std::string_view name) {
  const auto is_address_character = [](char c) { return is_digit(c) || c == '.'; };
  const bool may_be = name.find(':') != std::string_view::npos ||
                      std::all_of(name.begin(), name.end(), is_address_character);
  if (!may_be) return std::nullopt;
  const auto address = parse_ip(name);
  if (!address.ok()) return std::nullopt;
  return *address;
}

}  // namespace

bool is_server_name(std::string_view name) {
  return is_domain_name(name) || address_in(name).has_value();
}

bool same_server_name(std::string_view a, std::string_view b) {
  const auto first = address_in(a);
  const auto second = address_in(b);
  if (first || second) return first == second;
  a = without_last_dot(a);
  b = without_last_dot(b);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool may_serve_family(std::string_view name, IpFamily family) {
  const auto address = address_in(name);
  return !address || address->family() == family;
}

}  // namespace timepool::nts

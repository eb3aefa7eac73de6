#include "config/prefix_country.h"

#include <algorithm>

namespace timepool::config {
namespace {

bool is_country(const std::string& text) {
  const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
  return text.size() == 2 && std::all_of(text.begin(), text.end(), lower);
}

std::string read_entry(const Member& member, PrefixCountry& out) {
  const auto parsed = parse_prefix(member.key);
  if (!parsed.ok()) return "\"" + member.key + "\": " + parsed.error().detail;
  if (member.value.kind != Value::Kind::kString || !is_country(member.value.text)) {
    return "\"" + member.key + "\": expected a country as two lower-case letters (ISO 3166)";
  }
  out = {*parsed, member.value.text};
  return {};
}

}  // namespace

Codec<std::vector<PrefixCountry>> prefix_countries(std::size_t max) {
  return {"a table of prefixes, each with a country as two letters: \"192.0.2.0/24\" = \"de\"",
          [max](const Value& value, std::vector<PrefixCountry>& out) -> std::string {
            if (value.kind != Value::Kind::kTable) return wrong_kind("a table", value);
            if (value.members.size() > max) {
              return std::to_string(value.members.size()) + " entries, at most " +
                     std::to_string(max);
            }
            out.clear();
            for (const Member& member : value.members) {
              PrefixCountry entry;
              std::string wrong = read_entry(member, entry);
              if (!wrong.empty()) return wrong;
              out.push_back(std::move(entry));
            }
            return {};
          },
          [](const std::vector<PrefixCountry>& in) {
            if (in.empty()) return std::string("{}");
            std::string out = "{ ";
            for (std::size_t i = 0; i < in.size(); ++i) {
              if (i > 0) out += ", ";
              out += quoted(format(in[i].prefix)) + " = " + quoted(in[i].country);
            }
            return out + " }";
          }};
}

std::string country_of(const std::vector<PrefixCountry>& overrides, const IpAddress& address) {
  const PrefixCountry* best = nullptr;
  for (const PrefixCountry& entry : overrides) {
    if (!entry.prefix.contains(address)) continue;
    if (best == nullptr || entry.prefix.length() > best->prefix.length()) best = &entry;
  }
  return best == nullptr ? std::string() : best->country;
}

}  // namespace timepool::config

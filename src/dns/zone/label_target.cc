#include "dns/zone/label_target.h"

#include <charconv>

#include "dns/zone/country.h"
#include "dns/zone/region.h"

namespace timepool::dns {
namespace {

std::optional<std::uint32_t> asn_of(std::string_view text) {
  if (text.substr(0, 2) != "as" || text.size() < 3 || text.size() > 12) return std::nullopt;
  std::uint32_t asn = 0;
  const auto [end, error] = std::from_chars(text.data() + 2, text.data() + text.size(), asn);
  if (error != std::errc() || end != text.data() + text.size() || text[2] == '0') {
    return std::nullopt;
  }
  return asn;
}

// "www.[192.0.2.1]"
std::optional<LabelTarget> address_target(std::string_view name, std::size_t bracket) {
  const auto address = parse_ip(name.substr(bracket + 1, name.size() - bracket - 2));
  if (!address.ok()) return std::nullopt;
  return LabelTarget{name.substr(0, bracket == 0 ? 0 : bracket - 1), TargetKind::kAddress, 0,
                     *address};
}

}  // namespace

std::optional<LabelTarget> label_target(std::string_view name, const Targeting& targeting) {
  const std::size_t bracket = name.find('[');
  if (bracket != std::string_view::npos) {
    return targeting.ip ? address_target(name, bracket) : std::nullopt;
  }
  LabelTarget out;
  const std::size_t dot = name.rfind('.');
  const std::string_view last = dot == std::string_view::npos ? name : name.substr(dot + 1);
  out.base = name.substr(0, dot == std::string_view::npos ? 0 : dot);
  const CountryCode country = CountryCode::from_text(last);
  const Continent continent = continent_named(last);
  const auto asn = asn_of(last);
  const RegionGroup group = region_group_named(last);
  const RegionCode region = RegionCode::from_text(last);
  if (targeting.country && country.known()) {
    out.kind = TargetKind::kCountry;
    out.value = country.bits();
  } else if (targeting.continent && continent != Continent::kNone) {
    out.kind = TargetKind::kContinent;
    out.value = static_cast<std::uint64_t>(continent);
  } else if (targeting.asn && asn) {
    out.kind = TargetKind::kAsn;
    out.value = *asn;
  } else if (targeting.regiongroup && group != 0) {
    out.kind = TargetKind::kGroup;
    out.value = group;
  } else if (targeting.region && region.known()) {
    out.kind = TargetKind::kRegion;
    out.value = region.bits();
  } else {
    return std::nullopt;
  }
  return out;
}

}  // namespace timepool::dns

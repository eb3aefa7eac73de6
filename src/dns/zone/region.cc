#include "dns/zone/region.h"

#include <iterator>

namespace timepool::dns {
namespace {

constexpr std::uint32_t kBase = 37;

// 1 to 36 for a letter or digit, 0 for anything else.
std::uint32_t digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0' + 1);
  const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return lower >= 'a' && lower <= 'z' ? static_cast<std::uint32_t>(lower - 'a' + 11) : 0;
}
char char_of(std::uint32_t digit) {
  return static_cast<char>(digit <= 10 ? '0' + digit - 1 : 'a' + digit - 11);
}

struct Group {
  std::string_view name;
  std::string_view regions;  // of the country that the name begins with
};

// As the zone data of pools uses the names; the codes of regions are ISO 3166-2's.
constexpr Group kGroups[] = {
    {"us-west", "ak az ca co hi id mt nm nv or ut wa wy"},
    {"us-central", "ar ia il in ks la mn mo nd ne ok sd tx wi"},
    {"us-east", "al ct dc de fl ga ky ma md me mi ms nc nh nj ny oh pa ri sc tn va vt wv"},
    {"ru-dfd", "amu bu chu kam kha mag pri sa sak yev zab"},
    {"ru-kfd", "ce da in kb kc se sta"},
    {"ru-pfd", "ba cu kir me mo niz ore pnz per sam sar ta ud uly"},
    {"ru-sfd", "alt al irk kem kk kya nvs oms tom ty"},
    {"ru-tfd", "bel bry iva klu kos krs lip mow mos orl rya smo tam tul tve vla vor yar"},
    {"ru-ufd", "che khm kgn sve tyu yan"},
    {"ru-vfd", "ark kgd kr ko len mur nen ngr psk spe vlg"},
    {"ru-yfd", "ad ast kl kda ros vgg"},
};

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t space = std::min(words.find(' '), words.size());
    if (words.substr(0, space) == word) return true;
    words.remove_prefix(std::min(space + 1, words.size()));
  }
  return false;
}

}  // namespace

RegionCode RegionCode::from_parts(CountryCode country, std::string_view subdivision) {
  if (!country.known() || subdivision.empty() || subdivision.size() > 3) return {};
  std::uint32_t packed = 0;
  for (const char c : subdivision) {
    const std::uint32_t digit = digit_of(c);
    if (digit == 0) return {};
    packed = packed * kBase + digit;
  }
  return RegionCode(std::uint32_t{country.bits()} << 16 | packed);
}

RegionCode RegionCode::from_text(std::string_view text) {
  if (text.size() < 4 || text[2] != '-') return {};
  return from_parts(CountryCode::from_text(text.substr(0, 2)), text.substr(3));
}

std::string RegionCode::text() const {
  if (!known()) return {};
  std::string part;
  for (std::uint32_t rest = bits_ & 0xffff; rest != 0; rest /= kBase) {
    part.insert(part.begin(), char_of(rest % kBase));
  }
  return country().text() + '-' + part;
}

RegionGroup region_group_named(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kGroups); ++i) {
    if (kGroups[i].name == name) return static_cast<RegionGroup>(i + 1);
  }
  return 0;
}

std::string_view name_of_group(RegionGroup group) {
  return group == 0 || group > std::size(kGroups) ? std::string_view() : kGroups[group - 1].name;
}

RegionGroup group_of(RegionCode region) {
  if (!region.known()) return 0;
  const std::string text = region.text();
  for (std::size_t i = 0; i < std::size(kGroups); ++i) {
    if (kGroups[i].name.substr(0, 2) != std::string_view(text).substr(0, 2)) continue;
    if (has_word(kGroups[i].regions, std::string_view(text).substr(3))) {
      return static_cast<RegionGroup>(i + 1);
    }
  }
  return 0;
}

}  // namespace timepool::dns

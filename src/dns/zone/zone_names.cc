#include "dns/zone/zone_names.h"

namespace timepool::dns {
namespace {

bool is_cut(const Zone& zone, const std::string& name) {
  if (name.empty()) return false;
  const Label* label = zone.find(name);
  return label != nullptr && label->find(wire::dns::RrType::kNs) != nullptr;
}

NameKind kind_of(const std::string& name, const std::set<std::string>& cuts) {
  for (std::string_view above = parent_of(name); !above.empty(); above = parent_of(above)) {
    if (cuts.contains(std::string(above))) return NameKind::kBelowCut;
  }
  return cuts.contains(name) ? NameKind::kCut : NameKind::kName;
}

}  // namespace

std::string_view parent_of(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot == std::string_view::npos ? std::string_view() : name.substr(dot + 1);
}

std::vector<ZoneName> zone_names(const Zone& zone, const std::set<std::string>& labelled) {
  std::set<std::string> all{""};
  for (const std::string& name : labelled) {
    for (std::string_view at = name; !at.empty() && all.insert(std::string(at)).second;) {
      at = parent_of(at);
    }
  }
  std::set<std::string> cuts;
  for (const std::string& name : labelled) {
    if (is_cut(zone, name)) cuts.insert(name);
  }
  std::vector<ZoneName> out;
  out.reserve(all.size());
  for (const std::string& name : all) out.push_back({name, kind_of(name, cuts)});
  return out;
}

}  // namespace timepool::dns

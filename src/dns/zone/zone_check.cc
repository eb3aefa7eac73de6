#include "dns/zone/zone_check.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "dns/zone/country.h"
#include "dns/zone/label_target.h"
#include "dns/zone/region.h"

namespace timepool::dns {
namespace {

// Types that one label may have. A node's are counted by an octet, beside those of all targets.
constexpr std::size_t kMaxTypes = 100;

struct Alias {
  TargetKey target = 0;
  std::string to;     // the name that it leads to
  std::string label;  // where it stands
};

class Aliases {
 public:
  explicit Aliases(const Zone& zone) {
    for (const Label& label : zone.labels) {
      if (!label.alias) continue;
      if (label.name.find('[') == std::string::npos) {
        add(label.name, {key_of(TargetKind::kPlain), *label.alias, label.name});
      }
      if (const auto target = label_target(label.name, zone.targeting)) {
        // Addresses count as one: a client has one of its own.
        add(std::string(target->base),
            {key_of(target->kind, target->value), *label.alias, label.name});
      }
    }
  }

  // Which aliases one client can meet: the plain ones, and those of its country and continent, of
  // its autonomous system, or of its address.
  std::optional<ZoneFault> fault() {
    for (const auto& [target, names] : targets_) {
      levels_ = {key_of(TargetKind::kPlain), target};
      const auto kind = static_cast<TargetKind>(target >> 56);
      CountryCode code;
      if (kind == TargetKind::kCountry) {
        code = CountryCode::from_bits(static_cast<std::uint16_t>(target));
      } else if (kind == TargetKind::kRegion) {
        const auto region = RegionCode::from_bits(static_cast<std::uint32_t>(target));
        code = region.country();
        levels_.insert(key_of(TargetKind::kGroup, group_of(region)));
      } else if (kind == TargetKind::kGroup) {
        code = CountryCode::from_text(name_of_group(static_cast<RegionGroup>(target)).substr(0, 2));
      }
      if (code.known()) {
        levels_.insert(key_of(TargetKind::kCountry, code.bits()));
        levels_.insert(
            key_of(TargetKind::kContinent, static_cast<std::uint64_t>(continent_of(code))));
        levels_.insert(key_of(TargetKind::kCountry, other_name(code).bits()));
      }
      heights_.clear();
      for (const std::string& name : names) {
        int height = 0;
        if (auto out = follow(name, height)) return out;
      }
    }
    return std::nullopt;
  }

 private:
  void add(std::string name, Alias alias) {
    targets_[alias.target].push_back(name);
    by_name_[std::move(name)].push_back(std::move(alias));
  }

  // Depth first, and never deeper than a chain may be long. `height`: how many aliases follow each
  // other from `name` on.
  std::optional<ZoneFault> follow(const std::string& name, int& height) {
    const auto at = by_name_.find(name);
    if (at == by_name_.end()) return std::nullopt;
    if (const auto known = heights_.find(name); known != heights_.end()) {
      height = known->second;
      if (static_cast<int>(path_.size()) + height > kMaxAliases) return too_long();
      return std::nullopt;
    }
    const auto seen = std::find(names_.begin(), names_.end(), name);
    if (seen != names_.end()) return circle(seen - names_.begin());
    names_.push_back(name);
    for (const Alias& alias : at->second) {
      if (!levels_.contains(alias.target)) continue;
      path_.push_back(alias.label);
      if (static_cast<int>(path_.size()) > kMaxAliases) return too_long();
      int below = 0;
      if (auto out = follow(alias.to, below)) return out;
      path_.pop_back();
      height = std::max(height, below + 1);
    }
    names_.pop_back();
    heights_[name] = height;
    return std::nullopt;
  }

  ZoneFault too_long() const {
    return {path_.front(), "alias leads over more than " + std::to_string(kMaxAliases) + " others"};
  }
  ZoneFault circle(std::ptrdiff_t from) const {
    std::string text = "alias leads in a circle: ";
    for (auto at = path_.begin() + from; at != path_.end(); ++at) {
      text += (at->empty() ? "@" : *at) + ", ";
    }
    const std::string& first = path_[static_cast<std::size_t>(from)];
    return {first, text + (first.empty() ? "@" : first)};
  }

  std::map<std::string, std::vector<Alias>> by_name_;
  std::map<TargetKey, std::vector<std::string>> targets_;  // names that have an alias there
  std::set<TargetKey> levels_;                             // that count now
  std::unordered_map<std::string, int> heights_;
  // The way from where a walk began: names, and the labels whose aliases were taken.
  std::vector<std::string> names_;
  std::vector<std::string> path_;
};

}  // namespace

std::optional<ZoneFault> find_fault(const Zone& zone) {
  for (const Label& label : zone.labels) {
    const bool wildcard = label.name == "*" || label.name.starts_with("*.");
    if (wildcard && label.find(wire::dns::RrType::kNs) != nullptr) {
      return ZoneFault{label.name, "name servers at a wildcard: RFC 4592 gives them no meaning"};
    }
    if (label.sets.size() > kMaxTypes) {
      return ZoneFault{label.name, "has records of " + std::to_string(label.sets.size()) +
                                       " types, at most " + std::to_string(kMaxTypes) +
                                       " are taken"};
    }
  }
  return Aliases(zone).fault();
}

namespace {

void merge_repeats(RecordSet& set) {
  if (set.records.size() < 2) return;
  std::unordered_map<std::string_view, std::size_t> first;
  first.reserve(set.records.size());
  std::size_t kept = 0;
  for (std::size_t i = 0; i < set.records.size(); ++i) {
    const auto& rdata = set.records[i].rdata;
    const std::string_view octets(reinterpret_cast<const char*>(rdata.data()), rdata.size());
    const auto [at, added] = first.try_emplace(octets, kept);
    if (!added) {
      ZoneRecord& same = set.records[at->second];
      same.weight = static_cast<std::uint32_t>(
          std::min(kMaxWeight, std::uint64_t{same.weight} + set.records[i].weight));
      continue;
    }
    // What is moved keeps its octets where they are, which `first` looks at.
    if (kept != i) {
      set.records[kept] = std::move(set.records[i]);
      if (!set.tests.empty()) set.tests[kept] = std::move(set.tests[i]);
    }
    ++kept;
  }
  set.records.resize(kept);
  if (!set.tests.empty()) set.tests.resize(kept);
}

}  // namespace

void merge_repeats(Zone& zone) {
  for (Label& label : zone.labels) {
    for (RecordSet& set : label.sets) merge_repeats(set);
  }
}

}  // namespace timepool::dns

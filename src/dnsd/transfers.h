// Transfers: what answers to other name servers are made from: keys, who may copy which zone, and
// the zones' records. Immutable; a part of Serving.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "config/dnsd_transfer.h"
#include "dns/transfer/transfer.h"
#include "dns/transfer/tsig.h"
#include "wire/dns/name.h"

namespace timepool::dnsd {

// A zone's name as a key of tables: its wire form in lower case.
std::string zone_key(wire::dns::NameView name);

// Keys and rules, as [transfer] has them.
struct TransferRules {
  struct Allow {
    std::vector<Prefix> prefixes;
    const dns::TsigKey* key = nullptr;  // null: none is needed
    std::set<std::string> zones;        // zone_key(); empty: all
  };
  std::vector<dns::TsigKey> keys;
  std::vector<Allow> allow;

  // `config` has been checked.
  static std::shared_ptr<const TransferRules> make(const config::DnsdTransferConfig& config);
  const dns::TsigKey* find_key(std::string_view title) const;
  // Whether `client`, who proved `key` (null: nothing), may have the zone.
  bool allows(const IpAddress& client, const dns::TsigKey* key, const std::string& zone) const;
};

struct Transfers {
  std::shared_ptr<const TransferRules> rules;
  std::map<std::string, std::shared_ptr<const dns::ZoneHistory>> zones;  // by zone_key()
};

}  // namespace timepool::dnsd

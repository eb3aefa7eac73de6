// Transfers: what answers to other name servers are made from: keys, who may copy which zone, and
// the zones' records. Immutable; a part of Serving.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
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

// What became of requests for transfers: each is one of these.
enum class TransferEnd : std::uint8_t {
  kAxfr,         // the whole zone, as was asked
  kIxfr,         // what changed
  kIxfrWhole,    // the whole zone: what changed is not known any more
  kIxfrCurrent,  // the SOA alone: nothing changed, or the question came by UDP
  kRefused,      // not allowed, no such zone, or malformed
};
inline constexpr std::size_t kTransferEnds = 5;
std::string_view name_of(TransferEnd end);

// Written by every thread that answers, read by any.
struct TransferCounters {
  std::array<std::atomic<std::uint64_t>, kTransferEnds> ends{};
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> octets{0};    // of the messages
  std::atomic<std::uint64_t> unproved{0};  // requests with a TSIG record that proves nothing
};

struct Transfers {
  std::shared_ptr<const TransferRules> rules;
  std::map<std::string, std::shared_ptr<const dns::ZoneHistory>> zones;  // by zone_key()
  std::shared_ptr<TransferCounters> counters = std::make_shared<TransferCounters>();
};

}  // namespace timepool::dnsd

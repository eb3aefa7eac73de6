// TransferKeeper: the zones' records as other name servers copy them, with what changed lately.
// Kept only while [transfer] lets anybody have them or tells anybody. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dnsd/transfers.h"
#include "dnsd/zone_directory.h"

namespace timepool::dnsd {

class TransferKeeper {
 public:
  explicit TransferKeeper(const config::DnsdTransferConfig& config) { reconfigure(config); }

  void reconfigure(const config::DnsdTransferConfig& config);
  // These are the zones served now. Returns the new versions of those that are new or changed.
  std::vector<std::shared_ptr<const dns::ZoneVersion>> update(std::span<const LoadedZone> zones);
  // Null: nobody may have anything, and there are no keys.
  std::shared_ptr<const Transfers> current() const { return current_; }

 private:
  struct Tracked {
    std::shared_ptr<const dns::Zone> zone;
    std::shared_ptr<const dns::ZoneHistory> history;
  };

  std::shared_ptr<const TransferRules> rules_;
  bool wanted_ = false;
  std::map<std::string, Tracked> tracked_;  // by zone_key()
  std::shared_ptr<const Transfers> current_;
};

}  // namespace timepool::dnsd

// [transfer]: who may copy timepool-dnsd's zones, and who is told when they change.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

enum class TsigAlgorithm : std::uint8_t { kHmacSha256, kHmacSha512 };

struct DnsdTransferKey {
  std::string name;
  TsigAlgorithm algorithm = TsigAlgorithm::kHmacSha256;
  std::string secret;  // base64
  bool operator==(const DnsdTransferKey&) const = default;
};

struct DnsdTransferAllow {
  std::vector<Prefix> prefixes;
  std::string key;                 // empty: none is needed
  std::vector<std::string> zones;  // empty: all
  bool operator==(const DnsdTransferAllow&) const = default;
};

struct DnsdTransferNotify {
  Endpoint address;
  std::string key;
  std::vector<std::string> zones;
  bool operator==(const DnsdTransferNotify&) const = default;
};

struct DnsdTransferConfig {
  std::string journal;  // a directory; empty: none
  std::vector<DnsdTransferKey> keys;
  std::vector<DnsdTransferAllow> allow;
  std::vector<DnsdTransferNotify> notify;
  bool operator==(const DnsdTransferConfig&) const = default;
};

Schema<DnsdTransferConfig> dnsd_transfer_schema();

}  // namespace timepool::config

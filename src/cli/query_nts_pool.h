// timepool query --nts-pool: looks up the SRV records of a pool, says how far DNS proves them and
// why, and establishes keys with the servers that they name, in the order that is drawn. For people
// who look after a pool.
#pragma once

#include <optional>
#include <string>

#include "cli/query_nts.h"

namespace timepool::cli {

struct NtsPoolOptions {
  NtsQueryOptions query;  // `server` is the pool's name
  std::optional<std::string> trust_anchor;
  std::optional<std::string> dns_server;
  bool full_resolution = false;
  bool suffix = false;  // srv_trust = "dnssec-or-suffix"
  std::optional<std::string> suffix_template;
  int servers = 4;
};

// The exit status: kOk when the records are followed and every server that was asked gave time.
int query_nts_pool(const NtsPoolOptions& options);

}  // namespace timepool::cli

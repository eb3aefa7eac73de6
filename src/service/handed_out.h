// HandedOut: takes in how often name servers handed out each server, and tells each server's share.
// A batch is one transaction: what is answered without an error is durable, and the same
// Idempotency-Key and body count once. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/ip.h"
#include "service/registry.h"
#include "store/db.h"

namespace timepool::service {

struct HandedOutCount {
  std::string zone;
  IpAddress address;
  std::int64_t count = 0;  // at least 1
};

// Limits on one batch: about 500 kB of JSON, and a transaction of some 0.1 s.
inline constexpr std::size_t kMaxHandedOutCounts = 5000;
inline constexpr std::int64_t kMaxHandedOut = std::int64_t{1} << 48;  // in one count

struct HandedOutBatch {
  std::string key;   // Idempotency-Key
  std::string body;  // as sent
  std::vector<HandedOutCount> counts;
};

struct HandedOutShares {
  int days = 0;          // this one and those before it
  std::int64_t all = 0;  // addresses handed out of all servers that are registered
  struct Server {
    IpAddress address;
    std::int64_t count = 0;
  };
  std::vector<Server> servers;  // those that were handed out, the most often one first
};

class HandedOut {
 public:
  HandedOut(store::Db& db, UnixClock now) : db_(db), now_(std::move(now)) {}

  // The answer's JSON: {"accepted":N,"unknown":M}; unknown are addresses that are not registered.
  // Errors: kInvalid, kExists when the key was used for another request, and those of the store.
  Result<std::string> take(const HandedOutBatch& batch);
  // `days` at least 1.
  Result<HandedOutShares> shares(int days) const;

 private:
  Result<std::string> count(store::Tx& tx, const std::vector<HandedOutCount>& counts);

  store::Db& db_;
  UnixClock now_;
};

}  // namespace timepool::service

#include "service/handed_out.h"

#include <fmt/format.h>

#include <algorithm>

#include "service/secrets.h"
#include "store/handed_out.h"
#include "store/servers.h"

namespace timepool::service {
namespace {

constexpr std::size_t kMaxKey = 128;

Result<void> check_key(std::string_view key) {
  const bool printable =
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!key.empty() && key.size() <= kMaxKey && printable) return {};
  return fail(Error{ErrorCode::kInvalid, "Idempotency-Key",
                    "expected 1 to 128 printable characters, different for each batch"});
}

}  // namespace

Result<std::string> HandedOut::count(store::Tx& tx, const std::vector<HandedOutCount>& counts) {
  const std::int64_t today = store::day_of(now_());
  std::size_t unknown = 0;
  for (const HandedOutCount& it : counts) {
    const auto server = TRY(store::find_server(tx, it.address));
    if (server) {
      TRY(store::add_handed_out(tx, server->id, today, it.zone, it.count));
    } else {
      ++unknown;
    }
  }
  return fmt::format("{{\"accepted\":{},\"unknown\":{}}}", counts.size() - unknown, unknown);
}

Result<std::string> HandedOut::take(const HandedOutBatch& batch) {
  TRY(check_key(batch.key));
  const std::string body_hash = sha256_hex(batch.body);
  std::string answer;
  const auto take = [&](store::Tx& tx) -> Result<void> {
    const auto before = TRY(store::find_handed_out_batch(tx, batch.key));
    if (before) {
      if (before->body_hash != body_hash) {
        return fail(
            Error{ErrorCode::kExists, "Idempotency-Key", "was used for another request before"});
      }
      answer = before->answer;
      return {};
    }
    answer = TRY(count(tx, batch.counts));
    return store::insert_handed_out_batch(tx, batch.key, {body_hash, answer}, now_());
  };
  TRY(db_.write(take));
  return answer;
}

Result<HandedOutShares> HandedOut::shares(int days) const {
  HandedOutShares out;
  out.days = days;
  const auto look = [&](store::Tx& tx) -> Result<void> {
    std::map<std::int64_t, IpAddress> servers;
    for (const store::Server& it : TRY(store::list_servers(tx))) servers[it.id] = it.address;
    for (const auto& sum : TRY(store::sum_handed_out(tx, store::day_of(now_()) - days + 1))) {
      const auto server = servers.find(sum.server_id);
      if (server == servers.end()) continue;  // removed since
      out.all += sum.count;
      out.servers.push_back({server->second, sum.count});
    }
    return {};
  };
  TRY(db_.read(look));
  std::sort(out.servers.begin(), out.servers.end(), [](const auto& a, const auto& b) {
    return std::pair(b.count, a.address) < std::pair(a.count, b.address);
  });
  return out;
}

}  // namespace timepool::service

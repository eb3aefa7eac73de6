// Single records: named values, answers kept for idempotency keys, the last snapshot published.
#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "store/db.h"

namespace timepool::store {

Result<std::optional<std::string>> find_meta(Tx& tx, const std::string& name);
Result<void> set_meta(Tx& tx, const std::string& name, const std::string& value);

struct Answer {
  std::string body_hash;
  std::string answer;
};
Result<std::optional<Answer>> find_answer(Tx& tx, std::int64_t monitor_id, const std::string& key);
Result<void> insert_answer(Tx& tx, std::int64_t monitor_id, const std::string& key,
                           const Answer& answer, UnixTime now);
Result<std::int64_t> expire_answers(Tx& tx, UnixTime before);

struct PublishedSnapshot {
  std::uint64_t serial = 0;
  UnixTime created;
  std::string content_hash;  // of what the payload says, without its serial
  std::string public_key;    // hex of the key that sealed it
  std::string body;          // the sealed bytes
};
Result<std::optional<PublishedSnapshot>> find_snapshot(Tx& tx, const std::string& channel);
Result<void> set_snapshot(Tx& tx, const std::string& channel, const PublishedSnapshot& snapshot);

}  // namespace timepool::store

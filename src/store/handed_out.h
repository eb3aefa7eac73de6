// How often name servers handed out each server, as stored: by server, day and zone; and which
// batches of such counts were taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/db.h"
#include "store/records.h"

namespace timepool::store {

// Days since 1970, UTC.
std::int64_t day_of(UnixTime time);

Result<void> add_handed_out(Tx& tx, std::int64_t server_id, std::int64_t day,
                            const std::string& zone, std::int64_t count);

struct HandedOutSum {
  std::int64_t server_id = 0;
  std::int64_t count = 0;
};
// Of the days from `first_day` on, by server.
Result<std::vector<HandedOutSum>> sum_handed_out(Tx& tx, std::int64_t first_day);

Result<std::optional<Answer>> find_handed_out_batch(Tx& tx, const std::string& key);
Result<void> insert_handed_out_batch(Tx& tx, const std::string& key, const Answer& answer,
                                     UnixTime now);
// Batches made before `batches_before` and counts of days before that of `counts_before`.
Result<std::int64_t> expire_handed_out(Tx& tx, UnixTime batches_before, UnixTime counts_before);

}  // namespace timepool::store

#include "service/housekeeping.h"

#include <chrono>

#include "store/handed_out.h"
#include "store/history.h"
#include "store/names.h"
#include "store/records.h"

namespace timepool::service {
namespace {

constexpr std::chrono::minutes kPeriod{5};
// Rows in one transaction: some 10 ms in which results wait.
constexpr std::int64_t kChunk = 2'000;

}  // namespace

Result<std::int64_t> remove_expired(store::Db& db, const Settings& settings, UnixTime now) {
  std::int64_t total = 0;
  const auto answers = [&](store::Tx& tx) -> Result<void> {
    total += TRY(store::expire_names(tx, now - settings.name_reuse_after));
    total += TRY(store::expire_answers(tx, now - settings.answers_kept));
    total +=
        TRY(store::expire_handed_out(tx, now - settings.answers_kept, now - settings.history_kept));
    return {};
  };
  TRY(db.write(answers));
  std::int64_t removed = 0;
  const auto nts = [&](store::Tx& tx) -> Result<void> {
    removed = TRY(store::expire_nts(tx, now - settings.history_kept, kChunk));
    return {};
  };
  do {
    TRY(db.write(nts));
    total += removed;
  } while (removed >= kChunk);
  const auto history = [&](store::Tx& tx) -> Result<void> {
    removed = TRY(store::expire_history(tx, now - settings.history_kept, kChunk));
    return {};
  };
  do {
    TRY(db.write(history));
    total += removed;
  } while (removed == kChunk);
  return total;
}

Housekeeping::Housekeeping(store::Db& db, const Settings& settings, UnixClock now, sys::Logger& log)
    : db_(db), settings_(settings), now_(std::move(now)), log_(log) {
  thread_ = std::thread([this] { run(); });
}

Housekeeping::~Housekeeping() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Housekeeping::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    lock.unlock();
    const auto removed = remove_expired(db_, settings_, now_());
    if (!removed.ok()) {
      log_.error("remove old measurements: {}", removed.error().text());
    } else if (*removed > 0) {
      log_.info("removed {} old measurements and answers", *removed);
    }
    lock.lock();
    wake_.wait_for(lock, kPeriod, [&] { return stopping_; });
  }
}

}  // namespace timepool::service

// Housekeeping: a thread that removes what is past its time: measurements, answers kept for
// repeated requests, servers removed long ago.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "service/registry.h"
#include "service/settings.h"
#include "store/db.h"
#include "sys/log.h"

namespace timepool::service {

// Removes everything past its time in transactions of a bounded size; how many rows that were.
Result<std::int64_t> remove_expired(store::Db& db, const Settings& settings, UnixTime now);

class Housekeeping {
 public:
  Housekeeping(store::Db& db, const Settings& settings, UnixClock now, sys::Logger& log);
  ~Housekeeping();
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

 private:
  void run();

  store::Db& db_;
  const Settings& settings_;
  UnixClock now_;
  sys::Logger& log_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace timepool::service

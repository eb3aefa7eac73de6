// Publisher: turns what is stored into zones and the zones into numbered, signed snapshots. It
// rebuilds at most once in [publish] min_interval after a change, and in names_interval after one
// of the names of servers; the same content gets no new number. Numbers never go back, not over
// restarts and not with a new database: each is at least the time in Unix seconds.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "crypto/ed25519.h"
#include "service/registry.h"
#include "service/settings.h"
#include "snapshot/snapshot_feed.h"
#include "store/db.h"
#include "sys/log.h"

namespace timepool::service {

inline constexpr const char* kDnsChannel = "dns";

// The autonomous system of an address; 0: not known. Empty: none is.
using AsnOf = std::function<std::uint32_t(const IpAddress&)>;

struct Published {
  std::uint64_t serial = 0;
  UnixTime created;
};

class Publisher {
 public:
  // Takes up the last snapshot; call publish() once before serving.
  static Result<std::unique_ptr<Publisher>> create(store::Db& db, const Settings& settings,
                                                   crypto::SigningKey key, UnixClock now,
                                                   sys::Logger& log, AsnOf asn_of = {});
  ~Publisher();
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;

  // How the names of the zone that was published last came by their servers.
  std::map<std::string, pool::NameReport> names() const;
  // Starts the thread that publishes after changes.
  void start();
  // Something that is published may have changed. Any thread, quick.
  void mark_changed();
  // The same of names of servers and of who is listed by them, which wait for [publish]
  // names_interval only.
  void mark_names_changed();
  // The zone as it follows from what is stored now.
  Result<pool::Zone> build() const;
  // Builds, and when it differs from the last one seals and stores a snapshot. The result is
  // whether there is a new one.
  Result<bool> publish();

  // None before the first publish().
  std::optional<Published> current() const;
  // How often publish() has failed: what is served then is what was before.
  std::uint64_t failures() const { return failures_; }
  // Serves the snapshots.
  snapshot::SnapshotFeed& feed() { return feed_; }
  std::string public_key_hex() const;

 private:
  Publisher(store::Db& db, const Settings& settings, crypto::SigningKey key, UnixClock now,
            sys::Logger& log, AsnOf asn_of);
  Result<bool> publish_now();
  void run();

  store::Db& db_;
  const Settings& settings_;
  crypto::SigningKey key_;
  UnixClock now_;
  sys::Logger& log_;
  AsnOf asn_of_;
  snapshot::SnapshotFeed feed_{{kDnsChannel}};

  std::mutex publish_mutex_;  // one publish() at a time; guards content_hash_
  std::string content_hash_;
  std::atomic<std::uint64_t> failures_{0};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Published> current_;
  std::map<std::string, pool::NameReport> names_;
  bool changed_ = false;
  bool names_changed_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace timepool::service

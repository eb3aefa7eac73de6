// SnapshotFeed: serves the newest snapshot of each channel over HTTP, with long-polls: the
// manager's side of SnapshotPuller, and that of a node that relays.
//
//   GET /v1/snapshot/{channel}
//     200 with the file and ETag "SERIAL"; 304 when If-None-Match names that serial, after up to
//     `Prefer: wait=SECONDS`; 404 for a channel that is unknown, or has no snapshot yet after
//     the same wait.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_router.h"

namespace timepool::snapshot {

class SnapshotFeed {
 public:
  explicit SnapshotFeed(const std::vector<std::string>& channels);

  // Makes `file` the newest of its channel and wakes those who wait for it. A serial that is not
  // higher than the newest is ignored. Any thread.
  void publish(const std::string& channel, std::uint64_t serial, std::string file);
  // 0 when there is none yet.
  std::uint64_t serial(const std::string& channel) const;
  // The feed must outlive the server that uses `router`.
  void add_routes(net::HttpRouter& router);

 private:
  struct Newest {
    std::uint64_t serial = 0;
    std::string etag;
    std::shared_ptr<const std::string> file;
  };
  net::HttpOutcome answer(const net::HttpRequest& request, bool last) const;

  mutable std::mutex mutex_;
  std::map<std::string, Newest, std::less<>> channels_;
  std::shared_ptr<net::ChangeSignal> changed_ = std::make_shared<net::ChangeSignal>();
};

}  // namespace timepool::snapshot

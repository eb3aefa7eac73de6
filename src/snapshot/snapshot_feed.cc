#include "snapshot/snapshot_feed.h"

#include <utility>

#include "base/check.h"
#include "snapshot/channel.h"

namespace timepool::snapshot {

SnapshotFeed::SnapshotFeed(const std::vector<std::string>& channels) {
  for (const std::string& channel : channels) {
    CHECK(is_channel_name(channel));
    channels_.emplace(channel, Newest());
  }
}

void SnapshotFeed::publish(const std::string& channel, std::uint64_t serial, std::string file) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = channels_.find(channel);
    CHECK(found != channels_.end());
    if (serial <= found->second.serial) return;
    found->second.serial = serial;
    found->second.etag = "\"" + std::to_string(serial) + "\"";
    found->second.file = std::make_shared<const std::string>(std::move(file));
  }
  changed_->notify();
}

std::uint64_t SnapshotFeed::serial(const std::string& channel) const {
  const std::lock_guard lock(mutex_);
  const auto found = channels_.find(channel);
  return found == channels_.end() ? 0 : found->second.serial;
}

void SnapshotFeed::add_routes(net::HttpRouter& router) {
  router.on_poll(
      "GET", "/v1/snapshot/{channel}",
      [this](const net::HttpRequest& request, bool last) { return answer(request, last); },
      net::HttpThread::kLoop);
}

net::HttpOutcome SnapshotFeed::answer(const net::HttpRequest& request, bool last) const {
  const std::uint64_t seen = changed_->version();
  Newest newest;
  {
    const std::lock_guard lock(mutex_);
    const auto found = channels_.find(request.param("channel"));
    if (found == channels_.end()) {
      return net::http_error(404, "not_found", "there is no such snapshot channel");
    }
    newest = found->second;
  }
  const bool held =
      newest.serial != 0 && net::etag_matches(request.headers.value("If-None-Match"), newest.etag);
  if (newest.serial == 0 || held) {
    const Duration wait = Duration::seconds(request.prefer_wait().value_or(0));
    if (!last && wait > Duration()) return net::HttpWait{changed_, seen, wait};
    if (!held) return net::http_error(404, "not_found", "there is no snapshot yet");
  }
  net::HttpResponse response;
  response.headers.add("ETag", newest.etag);
  response.headers.add("Cache-Control", "no-cache");
  if (held) {
    response.status = 304;
    return response;
  }
  response.content_type = "application/octet-stream";
  response.shared_body = newest.file;
  return response;
}

}  // namespace timepool::snapshot

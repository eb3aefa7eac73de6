#include "snapshot/snapshot_puller.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "snapshot/channel.h"
#include "sys/clock.h"
#include "wire/snapshot/file.h"

namespace timepool::snapshot {

SnapshotPuller::SnapshotPuller(PullerOptions options, SnapshotStore* store,
                               const std::optional<Snapshot>& held, Accept accept)
    : options_(std::move(options)),
      store_(store),
      accept_(std::move(accept)),
      choice_(options_.urls.size(), options_.first_rest, options_.longest_rest, options_.seed) {
  CHECK(is_channel_name(options_.channel));
  if (!held) return;
  status_.serial = held->serial;
  status_.created = held->created;
}

SnapshotPuller::~SnapshotPuller() {
  stop();
}

void SnapshotPuller::start() {
  thread_.start(Duration(), [this] { return step(); });
}

void SnapshotPuller::stop() {
  client_.cancel();
  thread_.stop();
}

PullerStatus SnapshotPuller::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

Duration SnapshotPuller::step() {
  const MonoTime begin = sys::mono_now();
  const auto index = choice_.choose(begin);
  if (!index) return std::max(choice_.ready_at() - begin, Duration::milliseconds(1));
  const std::string& url = options_.urls[*index];
  save();
  const Result<News> news = pull(url);
  if (client_.cancelled()) return Duration();
  const MonoTime end = sys::mono_now();
  if (!news.ok()) {
    choice_.failed(*index, end);
    note_failure(url, news.error());
    return Duration();
  }
  choice_.succeeded(*index);
  note_success(url);
  if (*news == News::kNew) return Duration();
  // A server or a cache in between that does not hold long-polls is not asked in a tight loop.
  return std::max(options_.min_interval - (end - begin), Duration());
}

Result<SnapshotPuller::News> SnapshotPuller::pull(const std::string& url) {
  net::HttpFetch request;
  request.url = url + "/v1/snapshot/" + options_.channel;
  request.headers.add("Prefer", "wait=" + std::to_string(options_.wait.ns() / 1'000'000'000));
  const std::uint64_t held = status().serial;
  if (held != 0) request.headers.add("If-None-Match", "\"" + std::to_string(held) + "\"");
  request.connect_timeout = options_.connect_timeout;
  request.total_timeout = options_.wait + options_.margin;
  request.max_body = wire::snapshot::kMaxFile;
  request.ca_file = options_.ca_file;
  const net::HttpResponse response = TRY(client_.fetch(request));
  if (response.status == 304 && held != 0) return News::kNone;
  if (response.status != 200) {
    return fail(Error{ErrorCode::kUnavailable, "GET " + request.url,
                      "status " + std::to_string(response.status) + " instead of a snapshot"});
  }
  return take(response.body);
}

Result<SnapshotPuller::News> SnapshotPuller::take(const std::string& file) {
  const Snapshot snapshot = TRY(open(file, options_.public_keys));
  const std::uint64_t held = status().serial;
  if (snapshot.serial == held) return News::kNone;
  if (snapshot.serial < held) {
    return fail(Error{ErrorCode::kDenied, "snapshot " + std::to_string(snapshot.serial),
                      "older than " + std::to_string(held) +
                          ", which is held; to go back, remove the files of the snapshot "
                          "directory and restart"});
  }
  TRY(accept_(snapshot));
  {
    const std::lock_guard lock(mutex_);
    status_.serial = snapshot.serial;
    status_.created = snapshot.created;
    status_.last_snapshot = sys::unix_now();
    status_.last_error.clear();
    status_.last_error_time.reset();
    ++status_.fetched;
  }
  if (options_.hand_on) options_.hand_on(snapshot.serial, file);
  if (store_ != nullptr) {
    unsaved_ = file;
    save();
  }
  return News::kNew;
}

// The node runs on the new one all the same; it is told that a restart would not find it. Tried
// again with each step, so that it is there when the disk has room again.
void SnapshotPuller::save() {
  if (unsaved_.empty()) return;
  const std::uint64_t serial = status().serial;
  const Result<void> saved = store_->save(serial, unsaved_);
  const std::lock_guard lock(mutex_);
  if (saved.ok()) {
    unsaved_.clear();
    if (told_save_.empty()) return;
    if (status_.last_error == told_save_) {
      status_.last_error.clear();
      status_.last_error_time.reset();
    }
    told_save_.clear();
    if (options_.tell) options_.tell(false, "snapshot " + std::to_string(serial) + " is on disk");
    return;
  }
  status_.last_error = "the snapshot in use is not on disk: " + saved.error().text();
  status_.last_error_time = sys::unix_now();
  // The temporary file's name is another each time: said once until it is mended.
  if (told_save_.empty() && options_.tell) options_.tell(true, status_.last_error);
  told_save_ = status_.last_error;
}

void SnapshotPuller::note_success(const std::string& url) {
  const std::lock_guard lock(mutex_);
  status_.last_contact = sys::unix_now();
  status_.url = url;
  if (std::exchange(told_, {}).empty()) return;
  if (options_.tell) options_.tell(false, url + " answers again");
}

void SnapshotPuller::note_failure(const std::string& url, const Error& error) {
  const std::lock_guard lock(mutex_);
  ++status_.failures;
  status_.last_error = error.text();
  if (error.operation.find(url) == std::string::npos) status_.last_error += " (from " + url + ")";
  status_.last_error_time = sys::unix_now();
  if (told_ == status_.last_error) return;
  told_ = status_.last_error;
  if (options_.tell) options_.tell(true, told_);
}

}  // namespace timepool::snapshot

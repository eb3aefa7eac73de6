#include "monitord/spool.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <utility>

#include "base/hex.h"
#include "sys/file.h"
#include "sys/random.h"

namespace timepool::monitord {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxBatchBytes = 16 << 20;
constexpr mode_t kFileMode = 0600;
constexpr mode_t kDirectoryMode = 0750;

struct FileName {
  std::uint64_t sequence = 0;
  std::uint64_t results = 0;
  std::string key;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// "00000000000000000007-12-<key>.json"
std::optional<FileName> parse_file_name(std::string_view name) {
  constexpr std::string_view kSuffix = ".json";
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  const std::size_t first = name.find('-');
  const std::size_t second = name.find('-', first + 1);
  if (first == std::string_view::npos || second == std::string_view::npos) return std::nullopt;
  const auto sequence = number(name.substr(0, first));
  const auto results = number(name.substr(first + 1, second - first - 1));
  // The key goes into a header of the request: nothing but what new_key() makes.
  const std::string_view key = name.substr(second + 1);
  const bool sound = !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
  });
  if (!sequence || !results || !sound) return std::nullopt;
  return FileName{*sequence, *results, std::string(name.substr(second + 1))};
}

}  // namespace

std::string new_key() {
  std::array<std::byte, 16> bytes{};
  sys::fill_random(bytes);
  return to_hex(bytes);
}

Result<Spool> Spool::open(const std::string& directory, std::uint64_t max_bytes) {
  auto made = sys::make_directories(directory, kDirectoryMode);
  if (!made.ok()) {
    made.error().operation = "[spool] directory: " + made.error().operation;
    return fail(made.error());
  }
  Spool spool(directory, max_bytes);
  TRY(spool.take_over());
  return spool;
}

Spool::Spool(Spool&& other) noexcept
    : directory_(std::move(other.directory_)),
      max_bytes_(other.max_bytes_),
      entries_(std::move(other.entries_)),
      next_sequence_(other.next_sequence_),
      counts_(other.counts_) {}

Result<void> Spool::take_over() {
  std::error_code error;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const auto parsed = parse_file_name(name);
    std::error_code size_error;
    const auto bytes = fs::file_size(it->path(), size_error);
    if (parsed && !size_error) {
      entries_.push_back({parsed->sequence, parsed->results, bytes, parsed->key, std::nullopt});
    } else if (name.find(".json.tmp") != std::string::npos) {
      std::error_code ignored;  // a write that a crash cut off: never acknowledged to anybody
      fs::remove(it->path(), ignored);
    }
  }
  if (error) {
    return fail(system_error(error.value(), "[spool] directory: read " + directory_));
  }
  std::ranges::sort(entries_, {}, &Entry::sequence);
  for (const Entry& entry : entries_) {
    ++counts_.batches;
    counts_.bytes += entry.bytes;
    counts_.results += entry.results;
  }
  if (!entries_.empty()) next_sequence_ = entries_.back().sequence + 1;
  while (counts_.bytes > max_bytes_) drop_front();
  return {};
}

std::string Spool::path_of(const Entry& entry) const {
  return fmt::format("{}/{:020}-{}-{}.json", directory_, entry.sequence, entry.results, entry.key);
}

Result<void> Spool::add(const std::string& key, std::string body, std::uint64_t results) {
  const std::lock_guard lock(mutex_);
  Entry entry{next_sequence_++, results, body.size(), key, std::nullopt};
  while (!entries_.empty() && counts_.bytes + entry.bytes > max_bytes_) drop_front();
  auto written = sys::write_file_atomic(path_of(entry), body, kFileMode);
  if (!written.ok()) {
    written.error().operation = "[spool] directory: " + written.error().operation;
    entry.unwritten = std::move(body);
    ++counts_.unwritten_batches;
  }
  ++counts_.batches;
  counts_.bytes += entry.bytes;
  counts_.results += results;
  entries_.push_back(std::move(entry));
  if (written.ok() && counts_.unwritten_batches > 0) write_held();
  return written;
}

// There is room again: what was held in memory goes to the disk, as far as it does.
void Spool::write_held() {
  for (Entry& entry : entries_) {
    if (!entry.unwritten) continue;
    if (!sys::write_file_atomic(path_of(entry), *entry.unwritten, kFileMode).ok()) return;
    entry.unwritten.reset();
    --counts_.unwritten_batches;
  }
}

std::optional<Spool::Batch> Spool::oldest() {
  const std::lock_guard lock(mutex_);
  while (!entries_.empty()) {
    const Entry& entry = entries_.front();
    if (entry.unwritten) return Batch{entry.sequence, entry.key, *entry.unwritten};
    auto body = sys::read_file(path_of(entry), kMaxBatchBytes);
    if (body.ok()) return Batch{entry.sequence, entry.key, std::move(body).value()};
    if (body.error().code == ErrorCode::kNotFound) {
      drop_front();
    } else {
      set_aside_front(body.error());
    }
  }
  return std::nullopt;
}

// What can't be read now, for want of descriptors or memory or by a fault of the disk, may be
// readable at the next start: the file stays.
void Spool::set_aside_front(const Error& error) {
  const Entry& entry = entries_.front();
  last_unreadable_ = error.text();
  ++counts_.unreadable_batches;
  --counts_.batches;
  counts_.bytes -= entry.bytes;
  counts_.results -= entry.results;
  entries_.pop_front();
}

std::string Spool::take_unreadable() {
  const std::lock_guard lock(mutex_);
  return std::exchange(last_unreadable_, {});
}

void Spool::remove(std::uint64_t sequence) {
  const std::lock_guard lock(mutex_);
  const auto at = std::ranges::find(entries_, sequence, &Entry::sequence);
  if (at != entries_.end()) forget(static_cast<std::size_t>(at - entries_.begin()));
}

void Spool::drop_front() {
  ++counts_.dropped_batches;
  counts_.dropped_results += entries_.front().results;
  forget(0);
}

void Spool::forget(std::size_t index) {
  const Entry& entry = entries_[index];
  if (entry.unwritten) {
    --counts_.unwritten_batches;
  } else {
    ::unlink(path_of(entry).c_str());
  }
  --counts_.batches;
  counts_.bytes -= entry.bytes;
  counts_.results -= entry.results;
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
}

Spool::Counts Spool::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace timepool::monitord

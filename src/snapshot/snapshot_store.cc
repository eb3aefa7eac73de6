#include "snapshot/snapshot_store.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <functional>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "snapshot/channel.h"
#include "sys/file.h"
#include "wire/snapshot/file.h"

namespace timepool::snapshot {
namespace {

constexpr std::string_view kSuffix = ".snapshot";
// The digits of the largest 64-bit serial: names sort as serials do.
constexpr std::size_t kDigits = 20;

// The serial of "dns-00000000000000000042.snapshot" in channel "dns".
std::optional<std::uint64_t> serial_of(std::string_view name, std::string_view channel) {
  if (name.size() != channel.size() + 1 + kDigits + kSuffix.size()) return std::nullopt;
  if (!name.starts_with(channel) || name[channel.size()] != '-' || !name.ends_with(kSuffix)) {
    return std::nullopt;
  }
  const std::string_view digits = name.substr(channel.size() + 1, kDigits);
  std::uint64_t serial = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + kDigits, serial);
  if (error != std::errc() || end != digits.data() + kDigits) return std::nullopt;
  return serial;
}

// The names in `directory`.
Result<std::vector<std::string>> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(directory, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return fail(system_error(error.value(), "read directory " + directory));
  return names;
}

Result<Snapshot> open_as(const std::string& file, std::uint64_t serial,
                         const std::vector<crypto::PublicKey>& keys) {
  Snapshot snapshot = TRY(open(file, keys));
  if (snapshot.serial != serial) {
    return fail(Error{
        ErrorCode::kCorrupt, "snapshot",
        "its serial is " + std::to_string(snapshot.serial) + ", not that of the file's name"});
  }
  return snapshot;
}

}  // namespace

SnapshotStore::SnapshotStore(std::string directory, std::string channel, std::size_t keep)
    : directory_(std::move(directory)),
      channel_(std::move(channel)),
      keep_(std::max<std::size_t>(keep, 1)) {}

Result<SnapshotStore> SnapshotStore::create(std::string directory, std::string channel,
                                            std::size_t keep) {
  CHECK(is_channel_name(channel));
  TRY(sys::make_directories(directory));
  SnapshotStore store(std::move(directory), std::move(channel), keep);
  TRY(store.remove_interrupted());
  return store;
}

std::string SnapshotStore::path(std::uint64_t serial) const {
  std::string digits = std::to_string(serial);
  digits.insert(0, kDigits - digits.size(), '0');
  return directory_ + "/" + channel_ + "-" + digits + std::string(kSuffix);
}

Result<std::vector<std::uint64_t>> SnapshotStore::serials() const {
  std::vector<std::uint64_t> out;
  for (const std::string& name : TRY(names_in(directory_))) {
    if (const auto serial = serial_of(name, channel_)) out.push_back(*serial);
  }
  std::sort(out.begin(), out.end(), std::greater<>());
  return out;
}

// sys::write_file_atomic writes to NAME.tmpNUMBER and renames it.
Result<void> SnapshotStore::remove_interrupted() const {
  for (const std::string& name : TRY(names_in(directory_))) {
    const std::size_t end = name.rfind(".tmp");
    if (end == std::string::npos || !serial_of(name.substr(0, end), channel_)) continue;
    ::unlink((directory_ + "/" + name).c_str());
  }
  return {};
}

Result<void> SnapshotStore::save(std::uint64_t serial, std::string_view file) {
  TRY(sys::write_file_atomic(path(serial), file));
  const std::vector<std::uint64_t> all = TRY(serials());
  for (std::size_t i = keep_; i < all.size(); ++i) {
    if (all[i] != serial) ::unlink(path(all[i]).c_str());
  }
  return {};
}

Result<SnapshotStore::Loaded> SnapshotStore::load(
    const std::vector<crypto::PublicKey>& keys) const {
  Loaded out;
  for (const std::uint64_t serial : TRY(serials())) {
    auto file = sys::read_file(path(serial), wire::snapshot::kMaxFile);
    auto snapshot =
        file.ok() ? open_as(*file, serial, keys) : Result<Snapshot>(fail(std::move(file).error()));
    if (snapshot.ok()) {
      out.snapshot = std::move(snapshot).value();
      out.file = std::move(file).value();
      break;
    }
    out.skipped.push_back(
        Error{snapshot.error().code, "skipped " + path(serial), snapshot.error().text()});
  }
  return out;
}

}  // namespace timepool::snapshot

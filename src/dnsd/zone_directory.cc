#include "dnsd/zone_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "sys/file.h"

namespace timepool::dnsd {
namespace {

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

bool is_zone_file(const std::string& name) {
  return name.size() > 5 && name[0] != '.' && lower(name).ends_with(".json");
}

}  // namespace

Result<std::map<std::string, ZoneDirectory::Stamp>> ZoneDirectory::list() const {
  std::map<std::string, Stamp> out;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(path_, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    struct stat status{};
    if (!is_zone_file(name) || ::stat(entry->path().c_str(), &status) != 0) continue;
    if (!S_ISREG(status.st_mode)) continue;
    out[name] = {status.st_mtim.tv_sec,
                 status.st_mtim.tv_nsec,
                 status.st_ctim.tv_sec,
                 status.st_ctim.tv_nsec,
                 static_cast<std::uint64_t>(status.st_size),
                 static_cast<std::uint64_t>(status.st_ino)};
  }
  if (error) {
    return fail(system_error(error.value(), "[zones] directory: read " + path_));
  }
  return out;
}

void ZoneDirectory::read(const std::string& name, File& file, Scan& out) const {
  const std::string path = path_ + "/" + name;
  const auto refuse = [&](std::string problem) {
    if (problem != file.problem) out.problems.push_back(problem);
    file.problem = std::move(problem);
  };
  const auto text = sys::read_file(path, dns::kMaxZoneText);
  if (!text.ok()) {
    // Gone between the look and the read: the next scan sees that.
    if (text.error().code != ErrorCode::kNotFound) refuse(text.error().text());
    return;
  }
  // A file written anew with the same text is the same zone.
  if (file.zone != nullptr && file.problem.empty() && file.text == *text) return;
  const auto serial = static_cast<std::uint32_t>(file.stamp.seconds);
  auto zone = dns::load_zone(*text, lower(name.substr(0, name.size() - 5)), serial);
  if (!zone.ok()) {
    refuse(format(zone.error(), path));
    return;
  }
  for (const std::string& warning : zone->warnings) out.warnings.push_back(path + ": " + warning);
  file.problem.clear();
  file.text = *text;
  file.zone = std::make_shared<const dns::Zone>(std::move(zone).value());
  out.loaded.push_back(path);
  out.changed = true;
}

Result<ZoneDirectory::Scan> ZoneDirectory::scan() {
  Scan out;
  if (path_.empty()) return out;
  const auto there = TRY(list());
  for (auto at = files_.begin(); at != files_.end();) {
    if (there.contains(at->first)) {
      ++at;
      continue;
    }
    out.removed.push_back(path_ + "/" + at->first);
    out.changed = out.changed || at->second.zone != nullptr;
    at = files_.erase(at);
  }
  for (const auto& [name, stamp] : there) {
    const auto [at, added] = files_.try_emplace(name);
    if (!added && at->second.stamp == stamp) continue;
    at->second.stamp = stamp;
    read(name, at->second, out);
  }
  return out;
}

std::vector<LoadedZone> ZoneDirectory::zones() const {
  std::vector<LoadedZone> out;
  for (const auto& [name, file] : files_) {
    if (file.zone != nullptr) out.push_back({file.zone, path_ + "/" + name});
  }
  return out;
}

std::vector<std::string> ZoneDirectory::problems() const {
  std::vector<std::string> out;
  for (const auto& [name, file] : files_) {
    if (!file.problem.empty()) out.push_back(file.problem);
  }
  return out;
}

}  // namespace timepool::dnsd

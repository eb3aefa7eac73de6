#include "dnsd/health_directory.h"

#include <filesystem>

#include "sys/file.h"

namespace timepool::dnsd {
namespace {

// The paths of the directory's files by the names that zones use for them.
std::map<std::string, std::string> list(const std::string& directory, std::size_t max,
                                        std::string& problem) {
  std::map<std::string, std::string> out;
  std::error_code error;
  for (auto entry = std::filesystem::directory_iterator(directory, error);
       !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.size() <= 5 || name.front() == '.' || !name.ends_with(".json")) continue;
    if (out.size() == max) {
      problem = directory + ": more than " + std::to_string(max) + " files";
      break;
    }
    out[name.substr(0, name.size() - 5)] = entry->path().string();
  }
  if (error) problem = "[zones] health_directory: read " + directory + ": " + error.message();
  return out;
}

}  // namespace

HealthDirectory::Scan HealthDirectory::scan() {
  Scan out;
  if (path_.empty()) return out;
  std::map<std::string, std::string> now;
  const auto note = [&](const std::string& path, std::string problem) {
    const auto before = problems_.find(path);
    if (before == problems_.end() || before->second != problem) out.problems.push_back(problem);
    now[path] = std::move(problem);
  };
  std::string problem;
  const auto paths = list(path_, kMaxFiles, problem);
  if (!problem.empty()) note(path_, problem);
  for (const auto& [name, path] : paths) {
    auto text = sys::read_file(path, dns::kMaxHealthText);
    if (!text.ok()) {
      note(path, text.error().text());
      continue;
    }
    const auto known = texts_.find(path);
    if (known != texts_.end() && known->second == *text) {
      if (const auto at = problems_.find(path); at != problems_.end()) now[path] = at->second;
      continue;
    }
    auto file = dns::load_health(*text);
    texts_[path] = std::move(text).value();
    if (!file.ok()) {
      note(path, format(file.error(), path));
      continue;
    }
    files_[name] = std::make_shared<const dns::HealthFile>(std::move(file).value());
    out.changed = true;
  }
  // A directory that can't be read tells nothing of what is gone.
  const bool whole = problem.empty();
  for (auto at = files_.begin(); whole && at != files_.end();) {
    if (paths.contains(at->first)) {
      ++at;
      continue;
    }
    texts_.erase(path_ + "/" + at->first + ".json");
    at = files_.erase(at);
    out.changed = true;
  }
  problems_ = std::move(now);
  return out;
}

std::vector<std::string> HealthDirectory::problems() const {
  std::vector<std::string> out;
  for (const auto& [path, problem] : problems_) out.push_back(problem);
  return out;
}

}  // namespace timepool::dnsd

#include "config/schema.h"

#include <algorithm>
#include <filesystem>

#include "sys/file.h"

namespace timepool::config {
namespace {

void add_source(const std::string& path, std::vector<Source>& out, std::vector<Problem>& problems) {
  Result<std::string> text = sys::read_file(path, kMaxConfigFileBytes);
  if (text.ok()) {
    out.push_back({path, std::move(text).value()});
  } else {
    problems.push_back({path, 0, 0, text.error().text()});
  }
}

// `X.d/*.toml` beside `X.toml`, sorted; none when there is no such directory.
std::vector<std::string> drop_ins(const std::string& path, std::vector<Problem>& problems) {
  namespace fs = std::filesystem;
  const fs::path directory = fs::path(path).replace_extension(".d");
  std::vector<std::string> out;
  std::error_code error;
  if (!fs::is_directory(directory, error)) return out;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".toml") out.push_back(it->path().string());
  }
  if (error) problems.push_back({directory.string(), 0, 0, error.message()});
  std::sort(out.begin(), out.end());
  return out;
}

// TOML allows one form of a key in one file; ours takes two, so say what to do.
void explain_redefinition(std::vector<Problem>& problems) {
  for (Problem& problem : problems) {
    if (problem.text.find("redefine existing table 'server'") != std::string::npos) {
      problem.text += "; beside a [server] table write the sources as [[sources.server]]";
    }
  }
}

}  // namespace

std::vector<Source> read_sources(const std::string& path, std::vector<Problem>& problems) {
  std::vector<Source> out;
  add_source(path, out, problems);
  const std::vector<std::string> more = drop_ins(path, problems);
  if (more.size() >= kMaxConfigFiles) {
    problems.push_back(
        {path, 0, 0,
         "more than " + std::to_string(kMaxConfigFiles) + " files in its directory of additions"});
    return out;
  }
  for (const std::string& file : more) add_source(file, out, problems);
  return out;
}

void read_into(const Table& table, const std::vector<Source>& sources, void* object,
               std::vector<Problem>& problems) {
  Reading reading;
  for (const Source& source : sources) {
    reading.file = source.name;
    std::vector<Problem> syntax;
    const Value root = read_toml(source.text, source.name, syntax);
    explain_redefinition(syntax);
    reading.problems.insert(reading.problems.end(), syntax.begin(), syntax.end());
    table.read(root, "", object, reading);
  }
  // What is missing or does not fit together only means something once every file could be read.
  if (reading.problems.empty()) {
    if (!sources.empty()) reading.file = sources.front().name;
    table.finish("", object, reading);
  }
  problems.insert(problems.end(), reading.problems.begin(), reading.problems.end());
}

}  // namespace timepool::config

// ZoneDirectory: the zone files of a directory (zone_file.h). A file that changed, or one that it
// includes, is read anew; one that is wrong leaves its zone as it was and is named with line and
// column. A master file may be right though its writer is not done yet: one that changes is read
// when the next scan finds it unchanged since. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/zone/zone.h"
#include "dnsd/zone_file.h"

namespace timepool::dnsd {

// A zone and where it comes from: a file's path, or "snapshot N".
struct LoadedZone {
  std::shared_ptr<const dns::Zone> zone;
  std::string source;
};

class ZoneDirectory {
 public:
  // "" is no directory: there is nothing to read.
  explicit ZoneDirectory(std::string path) : path_(std::move(path)) {}

  struct Scan {
    bool changed = false;               // a zone is new, different or gone
    std::vector<std::string> loaded;    // paths of files read and taken
    std::vector<std::string> removed;   // paths of files that are gone
    std::vector<std::string> problems;  // new ones: "FILE:LINE:COLUMN: TEXT"
    std::vector<std::string> warnings;  // of the files read: "FILE: TEXT"
  };
  // Looks for what changed since the last scan. Errors: the directory can't be read, naming
  // [zones] directory; the zones then stay as they are.
  Result<Scan> scan();

  // In the order of their file names.
  std::vector<LoadedZone> zones() const;
  // What is wrong now, one text for each file that is.
  std::vector<std::string> problems() const;
  const std::string& path() const { return path_; }

 private:
  // What tells that a file may have changed without reading it.
  struct Stamp {
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    // Of the last change of the file's mode, owner or content: mended permissions change no other,
    // and copies may carry their time with them.
    std::int64_t change_seconds = 0;
    std::int64_t change_nanoseconds = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Include {
    std::string path;
    Stamp stamp;
    bool operator==(const Include&) const = default;
  };
  struct File {
    std::string origin;
    Stamp stamp;
    std::vector<Include> includes;
    std::optional<Stamp> unsettled;         // as the last scan saw it, not read since
    ZoneText text;                          // that the zone was read from
    std::shared_ptr<const dns::Zone> zone;  // the last good one
    std::string problem;
    std::string twin;  // the name of the file that the zone is taken from instead
  };
  // What is not there has no inode.
  static Stamp stamp_of(const std::string& path);
  static bool includes_changed(const File& file);
  Result<std::map<std::string, Stamp>> list() const;
  bool must_read(File& file, const Stamp& stamp, bool added) const;
  void find_twins(Scan& out);
  void read(const std::string& name, File& file, Scan& out) const;

  std::string path_;
  std::map<std::string, File> files_;  // by file name
};

}  // namespace timepool::dnsd

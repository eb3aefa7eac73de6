// Zone files: "pool.example.json" in geodns' format, "example.net.zone" a standard master file,
// each named for its zone. Master files may include others of their own directory.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/zone/zone.h"

namespace timepool::dnsd {

enum class ZoneFormat : std::uint8_t { kGeodns, kMaster };

struct ZoneFileName {
  std::string origin;  // lower case
  ZoneFormat format = ZoneFormat::kGeodns;
};
// nullopt for what is no zone file's name: hidden, or another ending.
std::optional<ZoneFileName> zone_file_name(std::string_view name);

// What a file says, with all that it includes.
struct ZoneText {
  std::string text;
  std::vector<std::string> include_names;  // in the order in which they were asked for
  std::vector<std::string> include_texts;
  bool operator==(const ZoneText&) const = default;
};

struct ZoneFileRead {
  ZoneText text;
  dns::Zone zone;
};

// Reads the file `name` of `directory`. `changed` is when it was changed, in Unix seconds: the
// serial of a document without one. Errors: "FILE:LINE:COLUMN: TEXT", or the system's.
// `on_include` gets the path of each file that is to be included, before it is read.
Result<ZoneFileRead> read_zone_file(const std::string& directory, const std::string& name,
                                    std::uint32_t changed,
                                    const std::function<void(const std::string&)>& on_include);

}  // namespace timepool::dnsd

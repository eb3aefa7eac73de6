#include "dnsd/zone_file.h"

#include <algorithm>
#include <filesystem>

#include "dns/zone/master_file.h"
#include "dns/zone/zone_check.h"
#include "sys/file.h"

namespace timepool::dnsd {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

// Whether `name` leads to a file below `directory`, links followed.
bool is_inside(const std::string& directory, std::string_view name) {
  namespace fs = std::filesystem;
  const fs::path relative{std::string(name)};
  if (name.empty() || relative.is_absolute()) return false;
  std::error_code error;
  const fs::path root = fs::canonical(directory, error);
  if (error) return false;
  const fs::path path = fs::weakly_canonical(root / relative, error);
  if (error) return false;
  const auto [at, rest] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return at == root.end() && rest != path.end();
}

}  // namespace

std::optional<ZoneFileName> zone_file_name(std::string_view name) {
  const std::string small = lower(name);
  if (small.size() <= 5 || small.front() == '.') return std::nullopt;
  const std::string origin = small.substr(0, small.size() - 5);
  if (small.ends_with(".json")) return ZoneFileName{origin, ZoneFormat::kGeodns};
  if (small.ends_with(".zone")) return ZoneFileName{origin, ZoneFormat::kMaster};
  return std::nullopt;
}

Result<ZoneFileRead> read_zone_file(const std::string& directory, const std::string& name,
                                    std::uint32_t changed,
                                    const std::function<void(const std::string&)>& on_include) {
  const std::string path = directory + "/" + name;
  const auto kind = zone_file_name(name);
  if (!kind) {
    return fail(Error{ErrorCode::kInvalid, path, "is named neither ZONE.json nor ZONE.zone"});
  }
  ZoneFileRead out;
  out.text.text = TRY(sys::read_file(path, dns::kMaxZoneText));
  const dns::IncludeReader include =
      [&](std::string_view file) -> Result<std::string, std::string> {
    if (!is_inside(directory, file)) {
      return fail("'" + std::string(file) + "' is not in the directory of the zone's file");
    }
    const std::string included = directory + "/" + std::string(file);
    on_include(included);
    auto text = sys::read_file(included, dns::kMaxZoneText);
    if (!text.ok()) return fail(text.error().text());
    out.text.include_names.emplace_back(file);
    out.text.include_texts.push_back(*text);
    return std::move(text).value();
  };
  auto zone = kind->format == ZoneFormat::kMaster
                  ? dns::load_master(out.text.text, kind->origin, include)
                  : dns::load_zone(out.text.text, kind->origin, changed);
  if (!zone.ok()) {
    const dns::ZoneError& error = zone.error();
    const std::string file = error.file.empty() ? path : directory + "/" + error.file;
    return fail(Error{
        ErrorCode::kInvalid,
        file + ':' + std::to_string(error.place.line) + ':' + std::to_string(error.place.column),
        error.text});
  }
  out.zone = std::move(zone).value();
  // Here it is one file's fault; found by the compiler it would be that of all zones together.
  if (const auto fault = dns::find_fault(out.zone)) {
    return fail(Error{ErrorCode::kInvalid, path, '\'' + fault->label + "': " + fault->text});
  }
  return out;
}

}  // namespace timepool::dnsd

#include "crypto/dns_key_directory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "sys/file.h"

namespace timepool::crypto {
namespace {

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

Result<void> DnsKeyDirectory::prepare() const {
  TRY(sys::make_directories(path_, 0700));
  struct stat info{};
  if (::stat(path_.c_str(), &info) != 0) return fail(system_error(errno, "stat " + path_));
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(Error{ErrorCode::kDenied, "key directory " + path_,
                      "others may write to it: chmod 700, and look at what is in it"});
  }
  return {};
}

std::string DnsKeyDirectory::base_of(const std::string& zone) const {
  std::string name;
  for (std::size_t i = 0; i + 1 < zone.size(); ++i) {
    const char c = zone[i];
    if (is_plain(c) && !(i == 0 && c == '.')) {
      name += c;
      continue;
    }
    char escaped[4] = {};
    std::snprintf(escaped, sizeof(escaped), "%%%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    name += escaped;
  }
  // The root.
  if (name.empty()) name = "%";
  return path_ + "/" + name;
}

std::string DnsKeyDirectory::state_path(const std::string& zone) const {
  return base_of(zone) + ".state";
}

std::string DnsKeyDirectory::key_path(const std::string& zone, dnssec::Algorithm algorithm,
                                      std::uint16_t tag) const {
  char numbers[16] = {};
  std::snprintf(numbers, sizeof(numbers), "+%03u+%05u", static_cast<unsigned>(algorithm),
                unsigned{tag});
  return base_of(zone) + numbers + ".pem";
}

Result<std::optional<dnssec::KeyStateFile>> DnsKeyDirectory::read_state(
    const std::string& zone) const {
  const std::string path = state_path(zone);
  const auto text = sys::read_file(path, dnssec::kMaxStateText);
  if (!text.ok()) {
    if (text.error().code == ErrorCode::kNotFound) return std::optional<dnssec::KeyStateFile>();
    return fail(text.error());
  }
  auto state = dnssec::parse_state(*text);
  if (!state.ok()) {
    const std::string line =
        state.error().line == 0 ? "" : ", line " + std::to_string(state.error().line);
    return fail(Error{ErrorCode::kCorrupt, "state of keys " + path + line,
                      std::string(dnssec::describe(state.error().fault))});
  }
  if (state->zone != zone) {
    return fail(Error{ErrorCode::kInvalid, "state of keys " + path, "it is of " + state->zone});
  }
  return std::optional(std::move(state).value());
}

Result<void> DnsKeyDirectory::write_state(const dnssec::KeyStateFile& state) const {
  return sys::write_file_atomic(state_path(state.zone), dnssec::format_state(state), 0600);
}

std::string DnsKeyDirectory::state_stamp(const std::string& zone) const {
  struct stat info{};
  if (::stat(state_path(zone).c_str(), &info) != 0) return {};
  return std::to_string(info.st_mtim.tv_sec) + '.' + std::to_string(info.st_mtim.tv_nsec) + '/' +
         std::to_string(info.st_ino) + '/' + std::to_string(info.st_size);
}

Result<std::shared_ptr<const DnsKey>> DnsKeyDirectory::load_key(
    const std::string& zone, const dnssec::PlannedKey& key) const {
  const std::string path = key_path(zone, key.algorithm, key.tag);
  auto loaded = TRY(DnsKey::load(path));
  if (loaded->algorithm() != key.algorithm || loaded->public_key() != key.public_key) {
    return fail(Error{ErrorCode::kCorrupt, "key file " + path,
                      "it holds another key than the zone's state says"});
  }
  return loaded;
}

Result<void> DnsKeyDirectory::save_key(const std::string& zone, std::uint16_t tag,
                                       const DnsKey& key) const {
  const std::string path = key_path(zone, key.algorithm(), tag);
  auto saved = key.save(path);
  if (saved.ok() || saved.error().code != ErrorCode::kExists) return saved;
  const auto there = DnsKey::load(path);
  if (there.ok() && (*there)->public_key() == key.public_key()) return {};
  return saved;
}

bool DnsKeyDirectory::has_key(const std::string& zone, const dnssec::PlannedKey& key) const {
  return ::access(key_path(zone, key.algorithm, key.tag).c_str(), R_OK) == 0;
}

void DnsKeyDirectory::remove_key(const std::string& zone, const dnssec::PlannedKey& key) const {
  ::unlink(key_path(zone, key.algorithm, key.tag).c_str());
}

}  // namespace timepool::crypto

#include "dnsd/transfer_journal.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>

#include "base/siphash.h"
#include "sys/file.h"

namespace timepool::dnsd {
namespace {

// A file's name may have 255 octets, and while it is written a few more.
constexpr std::size_t kMaxStem = 200;
constexpr std::string_view kHistory = ".transfers";
constexpr std::string_view kSerial = ".serial";
constexpr std::size_t kMaxSerialText = 64;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

}  // namespace

TransferJournal::TransferJournal(std::string directory, sys::Logger& logger)
    : directory_(std::move(directory)), logger_(logger) {}

Result<void> TransferJournal::prepare(const std::string& directory) {
  return directory.empty() ? Result<void>() : sys::make_directories(directory, 0700);
}

bool TransferJournal::own() {
  if (owned()) return true;
  const std::string path = directory_ + "/lock";
  sys::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) {
    const std::string problem = system_error(errno, "[transfer] journal: open " + path).text();
    if (problem != problem_) logger_.error("{}; zones are given as they were", problem);
    problem_ = problem;
    return false;
  }
  if (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) return false;
  lock_ = std::move(file);
  problem_.clear();
  return true;
}

// As dig writes the name, without the dot at its end; what is no letter, digit, '-', '_' or '.' as
// "%XX". A long one is cut, and told from others by a hash.
std::string TransferJournal::path_of(const wire::dns::DnsName& zone,
                                     std::string_view suffix) const {
  const wire::dns::DnsName lower = wire::dns::lowered(zone);
  const std::string text = format(lower);
  std::string name;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (is_plain(text[i]) && !(i == 0 && text[i] == '.')) {
      name += text[i];
      continue;
    }
    char escaped[4] = {};
    std::snprintf(escaped, sizeof(escaped), "%%%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(text[i])));
    name += escaped;
  }
  if (name.empty()) name = "%";
  if (name.size() > kMaxStem) {
    char hash[20] = {};
    std::snprintf(hash, sizeof(hash), "~%016llx",
                  static_cast<unsigned long long>(siphash24({0, 0}, lower.wire())));
    name = name.substr(0, kMaxStem) + hash;
  }
  return directory_ + "/" + name + std::string(suffix);
}

void TransferJournal::refuse(const std::string& path, std::string_view why) {
  // The other process tells of it.
  if (!owned()) return;
  ++counts_.corrupt;
  logger_.error("[transfer] journal: {}: {}; who follows the zone copies it whole", path, why);
}

std::optional<std::uint32_t> TransferJournal::read_serial(const wire::dns::DnsName& zone,
                                                          bool& lost) {
  const std::string path = path_of(zone, kSerial);
  const auto text = sys::read_file(path, kMaxSerialText);
  if (!text.ok()) {
    if (text.error().code == ErrorCode::kNotFound) return std::nullopt;
    refuse(path, text.error().text());
    lost = true;
    return std::nullopt;
  }
  std::uint32_t serial = 0;
  std::uint32_t turned = 0;
  const char* end = text->data() + text->size();
  const auto first = std::from_chars(text->data(), end, serial);
  const bool more = first.ec == std::errc() && first.ptr != end;
  const auto second = more ? std::from_chars(first.ptr + 1, end, turned) : first;
  if (more && second.ec == std::errc() && turned == ~serial) return serial;
  refuse(path, "the file is damaged");
  lost = true;
  return std::nullopt;
}

std::optional<KeptTransfers> TransferJournal::read(const wire::dns::DnsName& zone,
                                                   std::uint32_t document) {
  if (directory_.empty()) return std::nullopt;
  const std::string path = path_of(zone, kHistory);
  bool lost = false;
  const auto bytes = sys::read_file(path, dns::kMaxJournal);
  if (bytes.ok()) {
    auto journal = dns::parse_journal(std::as_bytes(std::span(*bytes)));
    if (journal.ok() && journal->zone == zone) {
      return KeptTransfers{journal->serial, std::move(journal->history)};
    }
    refuse(path, journal.ok() ? "it is of another zone" : describe(journal.error()));
    lost = true;
  } else if (bytes.error().code != ErrorCode::kNotFound) {
    refuse(path, bytes.error().text());
    lost = true;
  }
  if (const auto serial = read_serial(zone, lost)) return KeptTransfers{*serial, nullptr};
  if (!lost) return std::nullopt;
  return KeptTransfers{document + kLostSerials, nullptr};
}

void TransferJournal::write(const dns::ZoneHistory& history) {
  if (directory_.empty()) return;
  const std::vector<std::byte> bytes = dns::format_journal(history);
  if (dns::is_serial_alone(bytes)) {
    ++counts_.too_long;
    logger_.warning("[transfer] journal: {} is longer than {} octets: its serial alone is kept",
                    format(history.current()->origin), dns::kMaxJournal);
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const wire::dns::DnsName& zone = history.current()->origin;
  const std::uint32_t serial = history.current()->serial;
  const std::string serials = std::to_string(serial) + ' ' + std::to_string(~serial) + '\n';
  auto written = sys::write_file_atomic(path_of(zone, kSerial), serials, 0600);
  if (written.ok()) written = sys::write_file_atomic(path_of(zone, kHistory), text, 0600);
  if (written.ok()) {
    ++counts_.written;
    problem_.clear();
    return;
  }
  ++counts_.failed;
  const std::string problem = "[transfer] journal: " + written.error().text();
  if (problem != problem_) {
    logger_.error("{}; the zone is given on, and after a restart its serial may fall back",
                  problem);
  }
  problem_ = problem;
}

}  // namespace timepool::dnsd

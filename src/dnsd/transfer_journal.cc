#include "dnsd/transfer_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/siphash.h"
#include "sys/file.h"
#include "sys/file_pieces.h"

namespace timepool::dnsd {
namespace {

// A file's name may have 255 octets, and while it is written a few more.
constexpr std::size_t kMaxStem = 200;
constexpr std::string_view kHistory = ".transfers";
constexpr std::string_view kSerial = ".serial";
constexpr std::size_t kMaxSerialText = 64;

template <class File>
class FileSink final : public dns::JournalWriter::Sink {
 public:
  explicit FileSink(File& file) : file_(file) {}
  bool take(Bytes octets) override {
    done_ = file_.write(octets);
    return done_.ok();
  }
  Result<void> done() { return std::move(done_); }

 private:
  File& file_;
  Result<void> done_;
};

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
  marks_.clear();
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

std::optional<KeptTransfers> TransferJournal::read_history(const wire::dns::DnsName& zone,
                                                           bool& lost) {
  const std::string path = path_of(zone, kHistory);
  marks_.erase(path);
  dns::JournalReader reader;
  const auto read = sys::read_pieces(path, [&reader](Bytes octets) { return reader.feed(octets); });
  if (!read.ok() && read.error().code == ErrorCode::kNotFound) return std::nullopt;
  auto journal = reader.finish();
  std::string problem;
  if (!read.ok()) {
    problem = read.error().text();
  } else if (!journal.ok()) {
    problem = describe(journal.error());
  } else if (journal->zone != zone) {
    problem = "it is of another zone";
  }
  if (!problem.empty()) {
    refuse(path, problem);
    lost = true;
    return std::nullopt;
  }
  if (journal->rest) {
    lost = true;
    if (owned()) {
      ++counts_.cut;
      logger_.warning("[transfer] journal: {}: {}; it is taken as far as serial {}", path,
                      describe(*journal->rest), journal->mark.serial);
    }
  } else if (owned()) {
    marks_[path] = journal->mark;
  }
  return KeptTransfers{journal->mark.serial, std::move(journal->history)};
}

std::optional<KeptTransfers> TransferJournal::read(const wire::dns::DnsName& zone,
                                                   std::uint32_t document) {
  if (directory_.empty()) return std::nullopt;
  bool lost = false;
  std::optional<KeptTransfers> out = read_history(zone, lost);
  const std::optional<std::uint32_t> serial = read_serial(zone, lost);
  if (serial) {
    if (!out) return KeptTransfers{*serial, nullptr};
    if (dns::is_after(*serial, out->serial)) out->serial = *serial;
  } else if (lost) {
    return KeptTransfers{(out ? out->serial : document) + kLostSerials,
                         out ? std::move(out->history) : nullptr};
  }
  return out;
}

Result<bool> TransferJournal::add(const std::string& path, const dns::ZoneDifference& difference,
                                  const dns::JournalMark& mark) {
  sys::FileAddition file = TRY(sys::FileAddition::create(path, mark.size));
  FileSink sink(file);
  dns::JournalWriter writer;
  const bool whole = writer.write(difference, mark, sink);
  TRY(sink.done());
  if (!whole) return false;
  TRY(file.commit());
  counts_.octets += writer.mark().size - mark.size;
  marks_[path] = writer.mark();
  return true;
}

Result<bool> TransferJournal::replace(const std::string& path, const dns::ZoneHistory& history) {
  sys::FileReplacement file = TRY(sys::FileReplacement::create(path, 0600));
  FileSink sink(file);
  dns::JournalWriter writer;
  const bool whole = writer.write(history, sink);
  TRY(sink.done());
  if (!whole) return false;
  TRY(file.commit());
  ++counts_.whole;
  counts_.octets += writer.mark().size;
  marks_[path] = writer.mark();
  return true;
}

Result<void> TransferJournal::write_history(const dns::ZoneHistory& history) {
  const std::string path = path_of(history.current()->origin, kHistory);
  const auto known = marks_.extract(path);
  if (known && !history.differences().empty()) {
    const dns::JournalMark& mark = known.mapped();
    const dns::ZoneDifference& last = *history.differences().back();
    const std::uint64_t added = mark.size - mark.base + last.size;
    if (last.from_serial == mark.serial && added <= std::max(kMayAdd, mark.base / 2)) {
      const auto done = add(path, last, mark);
      if (done.ok() && *done) return {};
      // A file that somebody removed or changed is written anew.
    }
  }
  if (TRY(replace(path, history))) return {};
  ++counts_.too_long;
  logger_.warning("[transfer] journal: {} is longer than {} octets: its serial alone is kept",
                  format(history.current()->origin), dns::kMaxJournal);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return fail(system_error(errno, "remove " + path));
  }
  return {};
}

void TransferJournal::write(const dns::ZoneHistory& history) {
  if (directory_.empty()) return;
  const wire::dns::DnsName& zone = history.current()->origin;
  const std::uint32_t serial = history.current()->serial;
  const std::string serials = std::to_string(serial) + ' ' + std::to_string(~serial) + '\n';
  auto written = sys::write_file_atomic(path_of(zone, kSerial), serials, 0600);
  if (written.ok()) written = write_history(history);
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

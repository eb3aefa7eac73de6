// TransferJournal: the histories of zones that other servers copy (dns/transfer/journal.h) in files
// of one directory, written before anybody gets what they say:
//
//   pool.example.transfers    the history: a change is added to it, and when changes have become as
//                             long as half of the rest it is replaced as a whole
//   pool.example.serial       its serial and that with all bits turned, as text, written first, for
//                             when the other is damaged: serials must not fall back
//
// One process at a time may write, the one that holds the lock of the file `lock` there; another,
// as in a take-over, reads what the first left. One thread at a time.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dns/transfer/journal.h"
#include "sys/fd.h"
#include "sys/log.h"

namespace timepool::dnsd {

struct JournalCounts {
  std::uint64_t written = 0;
  std::uint64_t whole = 0;     // of which a file was written anew
  std::uint64_t octets = 0;    // that were written in all
  std::uint64_t failed = 0;    // not written: what is served is not on disk
  std::uint64_t corrupt = 0;   // read and not taken: those who follow copy the zone whole
  std::uint64_t cut = 0;       // read and taken but for what was added last
  std::uint64_t too_long = 0;  // of which the serial alone was kept
};

// What is known of a zone that was given on before.
struct KeptTransfers {
  // The last that somebody may have had: the history's, or a later one that it has not.
  std::uint32_t serial = 0;
  std::shared_ptr<const dns::ZoneHistory> history;  // null: the serial is all
};

class TransferJournal {
 public:
  // So many octets may be added to a file whatever it has, and beyond them half of what it had.
  static constexpr std::uint64_t kMayAdd = std::uint64_t{1} << 20;

  // Where both files are damaged a zone begins anew so far behind its document's serial, which is
  // after all that it may have had.
  static constexpr std::uint32_t kLostSerials = 65'536;

  // "": nothing is kept on disk, and this process may always write.
  TransferJournal(std::string directory, sys::Logger& logger);

  // Makes the directory, mode 0700, where there is none.
  static Result<void> prepare(const std::string& directory);

  // Whether this process may write; asks for the lock where it does not hold it.
  bool own();
  bool owned() const { return directory_.empty() || static_cast<bool>(lock_); }
  // What is kept of a zone whose document has the serial `document`; nothing: it was never given
  // on. A file that is corrupt is logged and counted by the process that may write it.
  std::optional<KeptTransfers> read(const wire::dns::DnsName& zone, std::uint32_t document);
  // A failure is logged and counted.
  void write(const dns::ZoneHistory& history);

  const std::string& directory() const { return directory_; }
  const JournalCounts& counts() const { return counts_; }
  // What is wrong now; empty: nothing.
  const std::string& problem() const { return problem_; }

 private:
  std::string path_of(const wire::dns::DnsName& zone, std::string_view suffix) const;
  std::optional<KeptTransfers> read_history(const wire::dns::DnsName& zone, bool& lost);
  // Both: false when the file would be longer than kMaxJournal. It is as it was then, and after an
  // error. Else marks_ has what is in it.
  Result<bool> add(const std::string& path, const dns::ZoneDifference& difference,
                   const dns::JournalMark& mark);
  Result<bool> replace(const std::string& path, const dns::ZoneHistory& history);
  Result<void> write_history(const dns::ZoneHistory& history);
  void refuse(const std::string& path, std::string_view why);
  // The file's serial; nothing: there is none, or it is corrupt, which is `lost` then.
  std::optional<std::uint32_t> read_serial(const wire::dns::DnsName& zone, bool& lost);

  std::string directory_;
  sys::Logger& logger_;
  sys::Fd lock_;
  // Of the files that may be added to, by path: those that this process wrote, or read to the end
  // when it could write.
  std::map<std::string, dns::JournalMark> marks_;
  JournalCounts counts_;
  std::string problem_;
};

}  // namespace timepool::dnsd

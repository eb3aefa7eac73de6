// CertificateStore: the certificates of a server with their keys, read at the start, from time to
// time and on reload. Of a file that is bad, gone or out of date the last good one stays in force.
// One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "net/tls_context.h"
#include "sys/certificate_files.h"
#include "sys/log.h"

namespace timepool::net {

class CertificateStore {
 public:
  static constexpr std::size_t kMaxChainFile = 256 << 10;
  static constexpr std::size_t kMaxKeyFile = 32 << 10;
  // From this part of its life on, a day at least, each day's log says that a certificate ends.
  static constexpr int kLastPart = 10;

  // `setting` is named in the log and in errors: "[tls] certificate". With tickets the context is
  // another one after each `options.ticket_life`, and so are their keys.
  CertificateStore(sys::Logger& logger, std::string setting, TlsServerOptions options = {})
      : logger_(logger), setting_(std::move(setting)), options_(std::move(options)) {}

  // Takes these files, all or none: an error says what is wrong with which. A certificate that was
  // there before stays when its files are bad now; one that is out of date is taken if there is no
  // better, since the clock may be what is wrong.
  Result<void> load(const std::vector<sys::CertificateFiles>& files, UnixTime now);
  // Looks at the files again, and how old the keys of tickets are. True when context() is another
  // one now.
  bool look(UnixTime now);

  // Null before load().
  const std::shared_ptr<const TlsServerContext>& context() const { return context_; }

  struct Report {
    std::string chain;  // the file
    CertificateInfo info;
    UnixTime ends;      // the first of its chain
    std::string fault;  // what is wrong with the files now; empty: nothing
  };
  std::vector<Report> reports() const;
  // How often other certificates were taken.
  std::uint64_t changes() const { return changes_; }

 private:
  // One pair of files.
  struct Entry {
    sys::CertificateFiles files;
    // Of both files' octets while they are `good`; bad ones are judged again, since time may mend
    // them.
    crypto::Sha256 taken{};
    std::optional<TlsCertificate> good;
    std::string fault;
    std::int64_t warned_on = 0;  // the day
  };

  // True when another certificate was taken.
  bool read(Entry& entry, UnixTime now) const;
  Result<TlsCertificate> judge(const Entry& entry, std::string_view chain, std::string_view key,
                               UnixTime now) const;
  void warn_about_end(Entry& entry, UnixTime now) const;
  Result<std::shared_ptr<const TlsServerContext>> make_context(
      const std::vector<Entry>& entries) const;
  bool has_old_tickets(UnixTime now) const;

  sys::Logger& logger_;
  std::string setting_;
  TlsServerOptions options_;
  UnixTime made_;  // context_
  std::vector<Entry> entries_;
  std::shared_ptr<const TlsServerContext> context_;
  std::uint64_t changes_ = 0;
};

}  // namespace timepool::net

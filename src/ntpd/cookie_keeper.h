// CookieKeeper: the keys of [nts.cookies]: read from their file or made, gone on with from epoch to
// epoch (nts/key_chain.h) and written back, so that a restart or a take-over costs no client its
// cookies. Main thread only; the keys that it gives may be read by any.
//
// A clock that is not known to be good begins no epoch: it could be years ahead, and the way back
// is not there. A file that is damaged: where keys are shared nothing is done with it, the error
// says what is wrong, and keys in use stay; otherwise it is put aside as FILE.bad and new keys are
// made.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/ntpd_nts_cookies.h"
#include "net/reactor.h"
#include "nts/cookie_keys.h"
#include "nts/key_chain.h"
#include "sys/log.h"

namespace timepool::ntpd {

class CookieKeeper {
 public:
  // How often the clock is looked at, and a file that could not be written is tried again.
  static constexpr Duration kInterval = Duration::seconds(60);
  static constexpr const char* kFile = "nts-cookies.keys";

  using Changed = std::function<void(std::shared_ptr<const nts::CookieKeys>)>;
  // Whether the system clock is known to be good, and what it reads.
  struct Clock {
    bool good = false;
    UnixTime now;
  };
  using ReadClock = std::function<Clock()>;

  // `changed` is told of other keys; null: none any more.
  CookieKeeper(net::Reactor& reactor, sys::Logger& logger, ReadClock clock, Changed changed);
  CookieKeeper(const CookieKeeper&) = delete;
  CookieKeeper& operator=(const CookieKeeper&) = delete;

  // Takes in the settings, absent ones for no keys, and the file as it is now: at the start and on
  // reload. Errors: those of sys::read_secret_file; kInvalid with what is wrong with the file or
  // does not go with the settings. Everything stays as it was then.
  Result<void> configure(const std::optional<config::NtsCookiesConfig>& config,
                         const std::string& state_directory);
  // Looks at the clock now.
  void look();

  // Null without keys.
  const std::shared_ptr<const nts::CookieKeys>& keys() const { return keys_; }
  struct Report {
    std::string file;  // empty: nowhere
    bool shared = false;
    bool saved = false;  // the file has what is in use
    std::uint64_t epoch = 0;
    UnixTime next_epoch;
    std::size_t past = 0;
    std::uint64_t rotations = 0;  // of this process
  };
  std::optional<Report> report() const;

 private:
  Result<std::optional<nts::KeyChain>> read() const;
  nts::KeyChain fresh(Clock clock) const;
  Result<nts::KeyChain> chain_from_file(Clock clock);
  nts::KeyChain chain_in_memory(Clock clock);
  void take(nts::KeyChain next);
  void make_anew(Clock clock);
  void rotate(Clock clock);
  void publish();
  void save();
  void wait();

  net::Reactor& reactor_;
  sys::Logger& logger_;
  ReadClock clock_;
  Changed changed_;
  config::NtsCookiesConfig config_;
  std::string path_;
  std::optional<nts::KeyChain> chain_;
  std::shared_ptr<const nts::CookieKeys> keys_;
  std::uint64_t serial_ = 0;
  std::uint64_t rotations_ = 0;
  bool saved_ = false;
  bool told_unsaved_ = false;
  bool told_too_far_ = false;
  net::Timer timer_;
};

}  // namespace timepool::ntpd

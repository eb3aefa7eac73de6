// AcmeWorker: the thread that gets and renews the certificate (certificates/keeper.h), which waits
// for authorities for minutes. It begins behind the sandbox and lasts until the end; what it is to
// do may change and pause meanwhile. All of it is for the main thread, but what it calls back.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "certificates/keeper.h"
#include "certificates/self_check.h"
#include "sys/log.h"

namespace timepool::ntpd {

class AcmeWorker {
 public:
  // After the files on disk could not be opened.
  static constexpr Duration kOpenAgain = Duration::seconds(60);

  // What came of check().
  struct CheckReport {
    bool running = false;
    std::uint64_t done = 0;  // how many since the start
    std::string fault;       // it could not be made; empty: it could
    std::vector<certificates::SelfCheck> seen;
  };
  // What can be done with the account at an authority.
  enum class AccountChange : std::uint8_t { kNewKey, kDeactivate };
  // What came of change_account().
  struct AccountReport {
    bool running = false;    // or waiting for an order that is under way
    std::uint64_t done = 0;  // how many since the start
    AccountChange change = AccountChange::kNewKey;
    std::string directory;  // of the last one; empty: there was none
    std::string fault;      // it came to nothing; empty: it was done
  };
  struct Report {
    std::optional<certificates::KeeperReport> keeper;  // nothing while there is none
    std::string fault;                                 // why there is none; empty: nothing is wrong
    bool clock_plausible = false;
    // Of all keepers since the start.
    std::uint64_t obtained = 0;
    std::uint64_t failed = 0;
    CheckReport check;
    AccountReport account;
  };

  // `changed` is called on the thread when another certificate is on disk. All outlive it.
  AcmeWorker(sys::Logger& logger, certificates::Presenter& presenter,
             std::function<void()> changed);
  // Ends what runs and waits for it.
  ~AcmeWorker();
  AcmeWorker(const AcmeWorker&) = delete;
  AcmeWorker& operator=(const AcmeWorker&) = delete;

  // From now on by these settings; what runs by others is cut off. The first call starts the
  // thread.
  void configure(certificates::KeeperSettings settings);
  // Nothing is done until configure(): what runs is cut off.
  void pause();
  // A11: nothing is asked for before.
  void set_clock_plausible(bool plausible);
  // A new certificate now, whatever there is. False while there is no keeper.
  bool request();
  // Looks at our own challenges; false when a look is under way, or no keeper is there or begins.
  bool check(certificates::SelfCheckSettings settings);
  // Never beside an order: after it. `directory`: the authority's. Errors: kUnavailable without a
  // keeper, before the clock was right (A11), while another change is under way.
  Result<void> change_account(AccountChange change, const std::string& directory);

  Report report() const;

 private:
  using Lock = std::unique_lock<std::mutex>;

  void run();
  void take_settings(Lock& lock);
  void run_check(Lock& lock);
  void run_account_change(Lock& lock);
  void cut_off();
  Duration step(Lock& lock);
  void retire();

  sys::Logger& logger_;
  certificates::Presenter& presenter_;
  std::function<void()> changed_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<certificates::KeeperSettings> settings_;
  std::uint64_t generation_ = 0;  // of settings_
  std::uint64_t taken_ = 0;       // the generation that keeper_ is of
  std::shared_ptr<certificates::Keeper> keeper_;
  std::string fault_;
  std::optional<certificates::SelfCheckSettings> wanted_check_;
  std::shared_ptr<certificates::SelfChecker> checker_;  // while it looks
  CheckReport check_;
  bool account_wanted_ = false;  // what account_ says is still to be done
  AccountReport account_;
  std::uint64_t obtained_ = 0;  // of keepers before this one
  std::uint64_t failed_ = 0;
  bool plausible_ = false;
  bool woken_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace timepool::ntpd

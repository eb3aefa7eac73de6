// Keeper: obtains a certificate by ACME and keeps it fresh: asks acme::plan what is due, does it,
// remembers what became of it on disk. The certificate that is there stays until a better one is on
// disk whole; who serves it watches the file (net::CertificateStore).
//
//   Keeper keeper(logger, settings, presenter);
//   TRY(keeper.open());
//   for (;;) wait for keeper.step(clock_is_plausible);     // on a thread of its own: it blocks
//
// One thread calls open() and step(); request(), report() and cancel() may come from any.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "acme/plan.h"
#include "acme/resources.h"
#include "base/result.h"
#include "certificates/account_key.h"
#include "certificates/certificate_directory.h"
#include "certificates/conversation_runner.h"
#include "sys/clock.h"
#include "sys/log.h"

namespace timepool::certificates {

struct AuthoritySettings {
  std::string directory;  // its URL
  std::string ca_file;    // PEM of who may sign for its HTTPS server; "": the system's
  std::string profile;
  bool profile_required = false;
  std::string external_key_id;  // "": none
  crypto::JwsMac external_mac = crypto::JwsMac::kHs256;
  std::string external_secret;  // base64url
  // Of the chains that it offers the one that leads to an authority of this name, if there is one.
  std::string preferred_chain;
};

struct KeeperSettings {
  std::string path;                            // acme's directory on disk
  std::vector<AuthoritySettings> authorities;  // in their order, 1 to acme::kMaxAuthorities
  std::vector<std::string> names;              // 1 to acme::kMaxNames
  std::vector<std::string> contacts;           // "mailto:..."
  bool terms_agreed = false;
  std::vector<acme::ChallengeType> challenges = {acme::ChallengeType::kHttp01,
                                                 acme::ChallengeType::kTlsAlpn01};
  std::string user_agent = "timepool";
  Duration validation_limit = Duration::seconds(10 * 60);
  Duration processing_limit = Duration::seconds(30 * 60);
};

struct KeeperReport {
  acme::SavedState state;
  acme::Plan plan;             // as of the last step
  std::string busy;            // what is done now, "" for nothing
  std::uint64_t obtained = 0;  // certificates, since the start
  std::uint64_t failed = 0;
  bool expiring = false;  // by the clock of the last step
};

class Keeper {
 public:
  // The longest time between two steps: the clock may be set meanwhile, files may change.
  static constexpr Duration kLongestWait = Duration::seconds(600);
  // While the clock is not plausible.
  static constexpr Duration kClockWait = Duration::seconds(5);

  // `logger` and `presenter` outlive it. `now` is the system's clock but in tests.
  Keeper(sys::Logger& logger, KeeperSettings settings, Presenter& presenter,
         std::function<UnixTime()> now = sys::unix_now);

  // Reads what is on disk. A state that is damaged is set aside as state.json.bad and begun anew.
  // Errors: kInvalid for settings, and the system's.
  Result<void> open();
  // Does what is due, and says after how long to call again.
  Duration step(bool clock_plausible);
  // A new certificate at the next step, whatever there is.
  void request();
  void cancel() { runner_.cancel(); }

  KeeperReport report() const;
  // When it could be given up, true once for each new certificate on disk.
  bool take_changed();

  // A2: another key for the account at an authority, and the end of the account: the next order
  // there makes another one. With the thread of step(). Errors: kNotFound for an authority that is
  // not in the settings or at which there is no account; what the authority says.
  Result<void> change_account_key(const std::string& directory);
  Result<void> deactivate_account(const std::string& directory);

 private:
  struct Authority {
    AuthoritySettings settings;
    std::unique_ptr<ExternalKey> external;
  };

  const Authority& authority(std::string_view directory) const;
  // The URL of the account at an authority of the settings. Errors: kNotFound.
  Result<std::string> account_at(const std::string& directory) const;
  HttpsOptions https(const Authority& authority) const;
  void adopt_certificate();
  void obtain(const acme::Plan& plan);
  Result<void> prepare(const std::string& directory);
  acme::IssuanceSettings issuance_settings(const Authority& authority, std::string csr) const;
  void take_in(const acme::Issuance& machine, const Authority& authority, std::string_view key);
  std::string chosen_chain(const acme::Issuance& machine, const Authority& authority) const;
  void ask_for_renewal(const acme::Plan& plan);
  void note_failure(std::string_view directory, const acme::Failure& failure);
  Result<void> settle_account_key(const Authority& authority);
  Result<void> change_key_of(const std::string& account, const Authority& at);
  Result<void> end_account(const std::string& account, const Authority& at);
  Result<std::unique_ptr<AccountKey>> account_key(const Authority& authority);
  void save();
  void set_busy(std::string what);
  void warn_about_end(UnixTime now);

  sys::Logger& logger_;
  KeeperSettings settings_;
  Presenter& presenter_;
  std::function<UnixTime()> now_;
  CertificateDirectory directory_;
  ConversationRunner runner_;
  std::vector<Authority> authorities_;
  std::vector<acme::Identifier> names_;
  acme::PlanSettings plan_settings_;
  std::int64_t warned_on_ = 0;  // the day

  mutable std::mutex mutex_;
  KeeperReport report_;  // with the state
  bool asked_ = false;
  bool changed_ = false;
};

}  // namespace timepool::certificates

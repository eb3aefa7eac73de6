// Issuance: one certificate from one authority, from the directory to the chain (RFC 8555 7): the
// account, the order, the proof of each name, finalisation, the download. A Conversation
// (conversation.h) that also wants challenges served:
//
//   case Want::kPresent: serve issuance.challenges(); then handle_presented(now)
//
// They are to be served until it is over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "acme/conversation.h"
#include "acme/resources.h"

namespace timepool::acme {

// RFC 8555 7.3.4. `mac` outlives the machine.
struct ExternalAccount {
  std::string key_id;
  const Signer* mac = nullptr;
};

struct IssuanceSettings {
  std::string directory;              // the authority's URL
  std::string account;                // its URL, "" when there is none yet
  std::vector<Identifier> names;      // 1 to kMaxNames
  std::vector<std::string> contacts;  // "mailto:..."
  bool terms_agreed = false;          // the operator agrees to the authority's terms
  std::optional<ExternalAccount> external;
  // The first that an authority offers for a name is taken.
  std::vector<ChallengeType> challenges = {ChallengeType::kHttp01, ChallengeType::kTlsAlpn01};
  std::string profile;            // "": the authority's default
  bool profile_required = false;  // false: without it rather than not at all
  std::string replaces;           // the certificate id of what it renews (RFC 9773 5), or ""
  std::string csr;                // PKCS#10 in DER, of a new key
  // Chains with other roots are fetched too (RFC 8555 7.4.2).
  bool alternate_chains = false;
  // An authority that takes longer to validate, or to issue, is given up for this time.
  Duration validation_limit = Duration::seconds(10 * 60);
  Duration processing_limit = Duration::seconds(30 * 60);
};

class Issuance final : public Conversation {
 public:
  // Between two looks at the same thing: the authority's wish within the shortest and the longest,
  // else doubled from the first to the longest.
  static constexpr Duration kFirstPoll = Duration::milliseconds(250);
  static constexpr Duration kShortestPoll = Duration::seconds(1);
  static constexpr Duration kLongestPoll = Duration::seconds(60);
  static constexpr std::size_t kMaxAlternates = 4;

  // `key` outlives it. CHECKs what IssuanceSettings says.
  Issuance(const AccountKey& key, IssuanceSettings settings);

  // While Want::kPresent and after it.
  const std::vector<Challenge>& challenges() const { return challenges_; }
  void handle_presented(MonoTime now);
  // They can't be served: `why` for a person.
  void handle_not_presented(std::string_view why);

  // "" until it is known; also when it failed later.
  const std::string& account() const { return account_url(); }
  const std::string& order_url() const { return order_url_; }
  // After success: chains in PEM, leaf first; those behind the first are alternates.
  const std::vector<std::string>& chains() const { return chains_; }
  // Whether the order told the authority which certificate it replaces.
  bool told_replaced() const { return telling_replaced_; }
  // The profile that was asked for, "" for the default.
  const std::string& profile() const { return profile_; }
  // How the last name that failed was to be proved.
  std::optional<ChallengeType> failed_challenge() const { return failed_challenge_; }

 protected:
  void begin(MonoTime now) override;
  void handle_answer(MonoTime now, const Reply& reply) override;
  void resume(MonoTime now) override;

 private:
  enum class Phase : std::uint8_t {
    kAccount,
    kOrder,
    kAuthorizations,  // each is read once
    kPresenting,
    kResponding,  // the authority is told of each challenge
    kValidating,  // each is polled until it is valid
    kReady,       // the order is polled until it may be finalised
    kFinalize,
    kProcessing,
    kChain,
    kAlternates,
  };
  struct Pending {
    std::string url;  // of the authorisation
    std::string challenge_url;
    ChallengeType type = ChallengeType::kHttp01;
    Identifier name;
  };

  void ask_account();
  void ask_order();
  void ask_next_authorization(MonoTime now);
  void ask_next_response(MonoTime now);
  void ask_order_again();
  void finalize();
  void poll(MonoTime now, const Reply& reply);
  void poll_authorization();

  void handle_account(MonoTime now, const Reply& reply);
  void handle_order(MonoTime now, const Reply& reply);
  void handle_authorization(MonoTime now, const Reply& reply);
  void handle_response(MonoTime now, const Reply& reply);
  void handle_validation(MonoTime now, const Reply& reply);
  void handle_ready(MonoTime now, const Reply& reply);
  void handle_processing(MonoTime now, const Reply& reply);
  void handle_chain(MonoTime now, const Reply& reply);

  bool order_without_extras(const Reply& reply, const Problem& problem);
  std::optional<Order> read_order(const Reply& reply);
  bool choose_challenge(const Authorization& authorization, const std::string& url);
  void fail_authorization(const Authorization& authorization, const Pending& pending);
  void enter(Phase phase, MonoTime now);

  IssuanceSettings settings_;
  Phase phase_ = Phase::kAccount;
  MonoTime phase_began_;
  Duration poll_wait_ = kFirstPoll;
  std::string profile_;
  bool telling_replaced_ = false;
  bool made_account_anew_ = false;
  std::string order_url_;
  Order order_;
  std::size_t at_ = 0;  // which authorisation, response or alternate
  std::vector<Pending> pending_;
  std::vector<Challenge> challenges_;
  std::vector<std::string> chains_;
  std::vector<std::string> alternates_;
  std::optional<ChallengeType> failed_challenge_;
};

}  // namespace timepool::acme

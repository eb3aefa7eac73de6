// Conversation: what all business with an authority has in common: its directory, nonces, signed
// requests, requests that are repeated. A machine without I/O: who drives it carries its requests
// and brings the replies.
//
//   while (!machine.over()) {
//     switch (machine.want(now)) {
//       case Want::kRequest: send take_request(); then handle_reply() or handle_no_reply()
//       case Want::kWait:    until machine.wait_until()
//       case Want::kPresent: (Issuance) serve challenges(); handle_presented()
//     }
//   }
//
// Each machine ends: every wait, repetition and poll is bounded.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "acme/directory.h"
#include "acme/fault.h"
#include "acme/message.h"
#include "acme/problem.h"
#include "acme/signer.h"
#include "base/time.h"

namespace timepool::acme {

enum class Want : std::uint8_t {
  kRequest,  // take_request(), then handle_reply() or handle_no_reply()
  kReply,    // one is under way
  kWait,     // nothing until wait_until()
  kPresent,  // see Issuance
  kNothing,  // it is over
};

class Conversation {
 public:
  // Times that one request is signed anew since its nonce was refused (RFC 8555 6.5): with an
  // authority that refuses half of them, one request in sixteen million fails.
  static constexpr int kMaxNonceTries = 24;
  // Times that one request is sent again after no reply, or after one of 5xx.
  static constexpr int kMaxRepeats = 3;
  // Before the first repetition; doubled with each.
  static constexpr Duration kRepeatWait = Duration::seconds(2);
  // A 5xx whose Retry-After is longer ends the conversation: the plan of retries waits, not we.
  static constexpr Duration kLongestRepeatWait = Duration::seconds(30);

  virtual ~Conversation() = default;
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  Want want(MonoTime now);
  // CHECKs that one is wanted. Nothing when signing it failed: then it is over.
  std::optional<Request> take_request();
  MonoTime wait_until() const { return wait_until_; }
  // Of the request that is under way.
  void handle_reply(MonoTime now, const Reply& reply);
  // There came none: `why` for a person.
  void handle_no_reply(MonoTime now, std::string_view why);

  bool over() const { return over_; }
  // Whether it is over and did what it was to do.
  bool succeeded() const { return over_ && !failure_; }
  // CHECKs that it failed.
  const Failure& failure() const;
  // Nothing before it was read.
  const std::optional<Directory>& directory() const { return directory_; }
  // What it is about now: "newOrder". For logs.
  std::string_view step() const { return step_; }

 protected:
  // `key` outlives it; null for one that signs nothing. `account_url` "" while there is none.
  Conversation(const AccountKey* key, std::string directory_url, std::string account_url);

  // The directory was read: ask what comes next.
  virtual void begin(MonoTime now) = 0;
  // The reply to what was asked last: any status, but badNonce and what is repeated.
  virtual void handle_answer(MonoTime now, const Reply& reply) = 0;

  // What wait() asked for is over.
  virtual void resume(MonoTime now) = 0;

  void get(std::string_view step, std::string url);
  // Signed by the account, or by the key itself while there is no account. `payload` "" is
  // POST-as-GET.
  void post(std::string_view step, std::string url, std::string payload, std::string accept = "");
  // Then resume() is called.
  void wait(MonoTime until);
  void present() { presenting_ = true; }
  void presented() { presenting_ = false; }
  void finish() { over_ = true; }
  void fail_with(Failure failure);
  void fail_with(FailureKind kind, std::string_view why);
  // By the problem document of `reply`, in the words "STEP: what it says".
  void refuse(const Reply& reply);
  // "STEP: no ORDER" of a reply that should have been one.
  void refuse_rubbish(std::string_view wanted);
  // Whether the request that was answered had been sent before, its reply lost: it may have done
  // its work already.
  bool was_repeated() const { return repeated_; }

  const AccountKey& key() const;
  const std::string& account_url() const { return account_url_; }
  // The authority's answer about an account (RFC 8555 7.1.2): notes where it is. False: it is none
  // that is valid, and the conversation is over.
  bool take_account(const Reply& reply);
  void set_account_url(std::string url) { account_url_ = std::move(url); }

 private:
  struct Asked {
    std::string step;
    std::string url;
    std::string payload;
    std::string accept;
    bool signed_by_us = false;
  };
  enum class Under : std::uint8_t { kNothing, kDirectory, kNonce, kAsked };

  void ask(Asked asked);
  std::optional<std::string> signed_body();
  void handle_directory(MonoTime now, const Reply& reply);
  void handle_nonce(const Reply& reply);
  void repeat_or_fail(MonoTime now, Failure failure);
  bool refused_nonce(const Reply& reply);

  const AccountKey* key_;
  std::string directory_url_;
  std::string account_url_;
  std::optional<Directory> directory_;
  std::optional<Asked> asked_;
  std::string nonce_;
  std::string step_ = "directory";
  Under under_ = Under::kNothing;
  MonoTime wait_until_;
  int nonce_tries_ = 0;
  int repeats_ = 0;
  bool repeated_ = false;
  bool paused_ = false;
  bool presenting_ = false;
  bool over_ = false;
  std::optional<Failure> failure_;
};

}  // namespace timepool::acme

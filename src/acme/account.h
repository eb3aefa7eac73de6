// What is to be done with an account besides ordering: find it, change its key, end it (RFC 8555
// 7.3.1, 7.3.5, 7.3.6). A Conversation (conversation.h).
#pragma once

#include <string>

#include "acme/conversation.h"

namespace timepool::acme {

// Finds the account of a key without making one: succeeded() and account() tells its URL, or the
// failure is kAccount.
class AccountLookup final : public Conversation {
 public:
  AccountLookup(const AccountKey& key, std::string directory)
      : Conversation(&key, std::move(directory), "") {}
  const std::string& account() const { return account_url(); }

 protected:
  void begin(MonoTime now) override;
  void handle_answer(MonoTime now, const Reply& reply) override;
  void resume(MonoTime now) override;
};

// From success on the account has the key `next` and no other: who drives it keeps both until then,
// and asks by AccountLookup which of them holds when no reply came.
class AccountKeyChange final : public Conversation {
 public:
  // Both keys outlive it.
  AccountKeyChange(const AccountKey& old, const AccountKey& next, std::string directory,
                   std::string account)
      : Conversation(&old, std::move(directory), std::move(account)), next_(next) {}

 protected:
  void begin(MonoTime now) override;
  void handle_answer(MonoTime now, const Reply& reply) override;
  void resume(MonoTime now) override;

 private:
  const AccountKey& next_;
};

// Ends the account for good.
class AccountDeactivation final : public Conversation {
 public:
  AccountDeactivation(const AccountKey& key, std::string directory, std::string account)
      : Conversation(&key, std::move(directory), std::move(account)) {}

 protected:
  void begin(MonoTime now) override;
  void handle_answer(MonoTime now, const Reply& reply) override;
  void resume(MonoTime now) override;
};

}  // namespace timepool::acme

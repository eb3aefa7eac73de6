#include "sys/user.h"

#include <pwd.h>

#include <array>
#include <charconv>
#include <optional>

namespace timepool::sys {

namespace {

std::optional<uid_t> number_of(const std::string& user) {
  uid_t out = 0;
  const char* end = user.data() + user.size();
  const auto [stop, error] = std::from_chars(user.data(), end, out);
  if (error != std::errc() || stop != end) return std::nullopt;
  return out;
}

}  // namespace

Result<Account> account_of(const std::string& user) {
  // A line of the user database is far shorter.
  std::array<char, 16'384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const std::optional<uid_t> number = number_of(user);
  const int failed = number
                         ? ::getpwuid_r(*number, &entry, buffer.data(), buffer.size(), &found)
                         : ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (failed != 0) return fail(system_error(failed, "look up the user " + user));
  if (found == nullptr) return fail(Error{ErrorCode::kNotFound, "user " + user, "there is none"});
  return Account{entry.pw_name, entry.pw_uid, entry.pw_gid};
}

Result<uid_t> user_id(const std::string& user) {
  if (const std::optional<uid_t> number = number_of(user)) return *number;
  return TRY(account_of(user)).user;
}

}  // namespace timepool::sys

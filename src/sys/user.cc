#include "sys/user.h"

#include <pwd.h>

#include <array>
#include <charconv>

namespace timepool::sys {

Result<uid_t> user_id(const std::string& user) {
  uid_t number = 0;
  const char* end = user.data() + user.size();
  const auto [stop, error] = std::from_chars(user.data(), end, number);
  if (error == std::errc() && stop == end) return number;
  // A line of the user database is far shorter.
  std::array<char, 16'384> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const int failed = ::getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (failed != 0) return fail(system_error(failed, "look up the user " + user));
  if (found == nullptr) return fail(Error{ErrorCode::kNotFound, "user " + user, "there is none"});
  return entry.pw_uid;
}

}  // namespace timepool::sys

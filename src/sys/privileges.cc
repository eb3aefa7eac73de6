#include "sys/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <optional>

#include "sys/user.h"

namespace timepool::sys {
namespace {

// capget(2), version 3: two halves of 32 bits.
using Halves = std::array<__user_cap_data_struct, 2>;

__user_cap_header_struct header() {
  return {_LINUX_CAPABILITY_VERSION_3, 0};
}

Result<Halves> capabilities() {
  Halves out{};
  __user_cap_header_struct head = header();
  if (::syscall(SYS_capget, &head, out.data()) < 0) return fail(system_error(errno, "capget"));
  return out;
}

bool has(const Halves& halves, int capability) {
  const auto bit = static_cast<unsigned>(capability);
  return (halves[bit / 32].permitted & (1U << bit % 32)) != 0;
}

bool is_kept(const std::vector<int>& keep, int capability) {
  for (const int kept : keep) {
    if (kept == capability) return true;
  }
  return false;
}

// Needs CAP_SETPCAP; without it the set stays, and no_new_privs makes it useless.
void drop_bounding_set(const std::vector<int>& keep) {
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    if (!is_kept(keep, capability)) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
}

Result<void> become(const Account& account, const std::string& name) {
  const std::string what = "become user " + name;
  // Otherwise the capabilities go with the user.
  if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return fail(system_error(errno, what));
  if (::initgroups(account.name.c_str(), account.group) < 0 ||
      ::setresgid(account.group, account.group, account.group) < 0 ||
      ::setresuid(account.user, account.user, account.user) < 0) {
    return fail(system_error(errno, what));
  }
  ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
  return {};
}

}  // namespace

Result<std::uint64_t> effective_capabilities() {
  const Halves halves = TRY(capabilities());
  return halves[0].effective | static_cast<std::uint64_t>(halves[1].effective) << 32;
}

Result<void> drop_privileges(const Privileges& wanted) {
  std::optional<Account> account;
  if (!wanted.user.empty()) account = TRY(account_of(wanted.user));
  const Halves before = TRY(capabilities());
  drop_bounding_set(wanted.keep);
  if (account && account->user != ::geteuid()) TRY(become(*account, wanted.user));
  Halves after{};
  for (const int capability : wanted.keep) {
    if (!has(before, capability)) continue;
    const auto bit = static_cast<unsigned>(capability);
    after[bit / 32].permitted |= 1U << bit % 32;
    after[bit / 32].effective |= 1U << bit % 32;
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct head = header();
  if (::syscall(SYS_capset, &head, after.data()) < 0) return fail(system_error(errno, "capset"));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
    return fail(system_error(errno, "no_new_privs"));
  }
  return {};
}

}  // namespace timepool::sys

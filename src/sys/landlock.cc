#include "sys/landlock.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>

#include "sys/fd.h"

namespace timepool::sys {
namespace {

// linux/landlock.h, as far as it is used: the header of the oldest supported system lacks most.
constexpr std::uint64_t kExecute = 1ULL << 0;
constexpr std::uint64_t kWriteFile = 1ULL << 1;
constexpr std::uint64_t kReadFile = 1ULL << 2;
constexpr std::uint64_t kReadDir = 1ULL << 3;
constexpr std::uint64_t kRemoveFile = 1ULL << 5;
constexpr std::uint64_t kMakeReg = 1ULL << 8;
constexpr std::uint64_t kMakeSock = 1ULL << 9;
constexpr std::uint64_t kFirstVersion = (1ULL << 13) - 1;
constexpr std::uint64_t kRefer = 1ULL << 13;       // version 2
constexpr std::uint64_t kTruncate = 1ULL << 14;    // version 3
constexpr std::uint64_t kIoctlDev = 1ULL << 15;    // version 5
constexpr std::uint64_t kScopeSignal = 1ULL << 1;  // version 6
constexpr unsigned kCreateVersion = 1;
constexpr int kRulePathBeneath = 1;

struct RulesetAttribute {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};
struct [[gnu::packed]] PathBeneathAttribute {
  std::uint64_t allowed_access;
  std::int32_t parent_fd;
};

// What a kernel of `version` can refuse.
RulesetAttribute handled(int version) {
  RulesetAttribute out{kFirstVersion, 0, 0};
  if (version >= 2) out.handled_access_fs |= kRefer;
  if (version >= 3) out.handled_access_fs |= kTruncate;
  if (version >= 5) out.handled_access_fs |= kIoctlDev;
  if (version >= 6) out.scoped = kScopeSignal;
  return out;
}

// A kernel refuses an attribute that is longer than it knows, unless the rest is zero.
std::size_t attribute_size(int version) {
  if (version >= 6) return sizeof(RulesetAttribute);
  return sizeof(std::uint64_t);
}

std::uint64_t rights(PathAccess access) {
  constexpr std::uint64_t kLook = kReadFile | kReadDir;
  switch (access) {
    case PathAccess::kRead:
      return kLook;
    case PathAccess::kWrite:
      return kLook | kWriteFile | kTruncate | kRemoveFile | kMakeReg | kMakeSock;
    case PathAccess::kDevice:
      return kLook | kWriteFile | kIoctlDev;
  }
  return 0;
}

// Of a file that is no directory only these can be allowed.
constexpr std::uint64_t kFileRights = kExecute | kWriteFile | kReadFile | kTruncate | kIoctlDev;

Result<void> add_rule(int ruleset, const PathRule& rule, std::uint64_t known) {
  const Fd path(::open(rule.path.c_str(), O_PATH | O_CLOEXEC));
  if (!path) return {};  // it isn't there: nothing can be opened either
  struct stat info{};
  if (::fstat(path.number(), &info) < 0) return fail(system_error(errno, rule.path));
  std::uint64_t allowed = rights(rule.access) & known;
  if (!S_ISDIR(info.st_mode)) allowed &= kFileRights;
  const PathBeneathAttribute attribute{allowed, path.number()};
  if (::syscall(SYS_landlock_add_rule, ruleset, kRulePathBeneath, &attribute, 0) < 0) {
    return fail(system_error(errno, "Landlock rule for " + rule.path));
  }
  return {};
}

std::filesystem::path normal(const std::string& path) {
  std::error_code error;
  std::filesystem::path out = std::filesystem::absolute(path, error).lexically_normal();
  return out.has_filename() ? out : out.parent_path();
}

bool allows(PathAccess given, PathAccess wanted) {
  return given == wanted || wanted == PathAccess::kRead;
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kCreateVersion);
  return version > 0 ? static_cast<int>(version) : 0;
}

Result<void> restrict_paths(const std::vector<PathRule>& rules) {
  const int version = landlock_version();
  if (version == 0) {
    return fail(Error{ErrorCode::kUnavailable, "Landlock", "this kernel has none"});
  }
  const RulesetAttribute attribute = handled(version);
  const Fd ruleset(static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, &attribute, attribute_size(version), 0)));
  if (!ruleset) return fail(system_error(errno, "Landlock"));
  for (const PathRule& rule : rules) {
    TRY(add_rule(ruleset.number(), rule, attribute.handled_access_fs));
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
    return fail(system_error(errno, "no_new_privs"));
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.number(), 0) < 0) {
    return fail(system_error(errno, "Landlock"));
  }
  return {};
}

bool is_covered(const std::vector<PathRule>& rules, const std::string& path, PathAccess access) {
  const std::filesystem::path wanted = normal(path);
  for (const PathRule& rule : rules) {
    if (!allows(rule.access, access)) continue;
    const std::filesystem::path root = normal(rule.path);
    const auto [end, rest] = std::mismatch(root.begin(), root.end(), wanted.begin(), wanted.end());
    if (end == root.end()) return true;
  }
  return false;
}

}  // namespace timepool::sys

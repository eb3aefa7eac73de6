#include "sys/seccomp.h"

#include <linux/sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

namespace timepool::sys {
namespace {

// By name: a call that an architecture does not have is left out there.
constexpr const char* kAllowed[] = {
    // Memory.
    "brk",
    "mmap",
    "mmap2",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "membarrier",
    // Threads and what the C library does for them.
    "futex",
    "futex_time64",
    "futex_waitv",
    "set_robust_list",
    "rseq",
    "gettid",
    "getpid",
    "sched_yield",
    "sched_getaffinity",
    "sched_setaffinity",
    "sched_getparam",
    "sched_getscheduler",
    "exit",
    "exit_group",
    "restart_syscall",
    "getcpu",
    "set_tid_address",
    "arch_prctl",
    // Signals to itself and from others.
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigreturn",
    "sigaltstack",
    "tgkill",
    // Time.
    "clock_gettime",
    "clock_gettime64",
    "clock_getres",
    "clock_getres_time64",
    "gettimeofday",
    "time",
    "nanosleep",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    // Files.
    "open",
    "openat",
    "openat2",
    "close",
    "close_range",
    "read",
    "readv",
    "pread64",
    "write",
    "writev",
    "pwrite64",
    "lseek",
    "_llseek",
    "fsync",
    "fdatasync",
    "ftruncate",
    "ftruncate64",
    "stat",
    "stat64",
    "lstat",
    "lstat64",
    "fstat",
    "fstat64",
    "newfstatat",
    "fstatat64",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getcwd",
    "getdents",
    "getdents64",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "chmod",
    "fchmod",
    "fchmodat",
    "umask",
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "fcntl64",
    "flock",
    "statfs",
    "statfs64",
    "fstatfs",
    "fstatfs64",
    "inotify_init1",
    "inotify_add_watch",
    "inotify_rm_watch",
    "memfd_create",  // memory that a library reads as a file
    // Waiting.
    "poll",
    "ppoll",
    "ppoll_time64",
    "select",
    "_newselect",
    "pselect6",
    "pselect6_time64",
    "epoll_create",
    "epoll_create1",
    "epoll_ctl",
    "epoll_wait",
    "epoll_pwait",
    "eventfd",
    "eventfd2",
    "pipe",
    "pipe2",
    "timerfd_create",
    "timerfd_settime",
    // Sockets.
    "socketpair",
    "bind",
    "connect",
    "listen",
    "accept",
    "accept4",
    "shutdown",
    "getsockname",
    "getpeername",
    "getsockopt",
    "setsockopt",
    "send",
    "sendto",
    "sendmsg",
    "sendmmsg",
    "recv",
    "recvfrom",
    "recvmsg",
    "recvmmsg",
    "recvmmsg_time64",
    // About itself.
    "getrandom",
    "getuid",
    "geteuid",
    "getgid",
    "getegid",
    "getuid32",
    "geteuid32",
    "getgid32",
    "getegid32",
    "getresuid",
    "getresgid",
    "getppid",
    "uname",
    "sysinfo",
    "getrusage",
    "times",
    "capget",
    "getrlimit",
    "ugetrlimit",
};

constexpr const char* kClock[] = {"adjtimex",      "clock_adjtime",   "clock_adjtime64",
                                  "clock_settime", "clock_settime64", "settimeofday"};
constexpr const char* kSharedMemory[] = {"shmget", "shmat", "shmdt", "shmctl"};

// No program of ours ever does that, and no C library tries it by itself: whoever does has broken
// in.
constexpr const char* kKilled[] = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_open",
    "pidfd_getfd",
    "kcmp",
    "mount",
    "umount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsmount",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "setns",
    "unshare",
    "keyctl",
    "add_key",
    "request_key",
    "open_by_handle_at",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "swapon",
    "swapoff",
    "reboot",
    "iopl",
    "ioperm",
    "modify_ldt",
    "personality",
    "acct",
    "quotactl",
    "syslog",
    "setuid",
    "setgid",
    "setreuid",
    "setregid",
    "setresuid",
    "setresgid",
    "setgroups",
    "setfsuid",
    "setfsgid",
    "capset",
    "mknod",
    "mknodat",
};

// The requests of ioctl(2) by their second byte: terminals are not among them (TIOCSTI types into
// the operator's).
constexpr unsigned kIoctlTypes[] = {
    0x89,  // sockets and network devices, the stamping of packets (linux/sockios.h)
    0x70,  // pulses (linux/pps.h) and real time clocks
    0x3d,  // PTP hardware clocks (linux/ptp_clock.h)
};
constexpr unsigned kIoctls[] = {
    0x5401,  // TCGETS: is it a terminal?
    0x541b,  // FIONREAD
    0x5421,  // FIONBIO
};
constexpr int kSocketFamilies[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
constexpr int kPrctls[] = {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA, PR_GET_DUMPABLE};

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

class Filter {
 public:
  Filter() : filter_(::seccomp_init(SCMP_ACT_ERRNO(ENOSYS))) {}
  bool made() const { return filter_ != nullptr; }

  void all(std::span<const char* const> names, std::uint32_t action) {
    for (const char* name : names) rule(name, action, {});
  }
  // Allowed where an argument compares as said, or two do; anything else of that call stays
  // refused.
  void where(const char* name, scmp_arg_cmp argument) {
    rule(name, SCMP_ACT_ALLOW, std::span(&argument, 1));
  }
  void where(const char* name, scmp_arg_cmp first, scmp_arg_cmp second) {
    const std::array both{first, second};
    rule(name, SCMP_ACT_ALLOW, both);
  }
  void set(scmp_filter_attr attribute, std::uint32_t value) {
    note(::seccomp_attr_set(filter_.get(), attribute, value));
  }
  Result<void> load() {
    if (error_ == 0) note(::seccomp_load(filter_.get()));
    if (error_ != 0) return fail(system_error(error_, "filter of system calls"));
    return {};
  }

 private:
  void rule(const char* name, std::uint32_t action, std::span<const scmp_arg_cmp> arguments) {
    const int number = ::seccomp_syscall_resolve_name(name);
    // Newer than the library: it stays refused, as in an older kernel.
    if (number == __NR_SCMP_ERROR) return;
    note(::seccomp_rule_add_array(filter_.get(), action, number,
                                  static_cast<unsigned>(arguments.size()), arguments.data()));
  }
  void note(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }

  std::unique_ptr<void, Release> filter_;
  int error_ = 0;
};

// libseccomp's own macros for these are compound literals, which C++ does not have.
scmp_arg_cmp equal(unsigned argument, scmp_datum_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp equal_masked(unsigned argument, scmp_datum_t mask, scmp_datum_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

void add_conditions(Filter& filter) {
  // Threads, but no processes. Of clone3 a filter can't see the flags: refused as unknown, it makes
  // the C library take clone.
  filter.where("clone", equal_masked(0, CLONE_THREAD, CLONE_THREAD));
  for (const int family : kSocketFamilies) {
    filter.where("socket", equal(0, static_cast<scmp_datum_t>(family)));
  }
  for (const unsigned type : kIoctlTypes) {
    filter.where("ioctl", equal_masked(1, 0xff00, type << 8));
  }
  for (const unsigned request : kIoctls) {
    filter.where("ioctl", equal_masked(1, 0xffffffff, request));
  }
  for (const int option : kPrctls) {
    filter.where("prctl", equal(0, static_cast<scmp_datum_t>(option)));
  }
  // A thread makes itself less urgent; more it can't without a capability.
  filter.where("setpriority", equal(0, PRIO_PROCESS), equal(1, 0));
  // Limits are read, of itself, and not set.
  filter.where("prlimit64", equal(2, 0));
}

}  // namespace

bool can_filter_system_calls() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
  return false;
#else
  return true;
#endif
#else
  return true;
#endif
}

Result<void> filter_system_calls(const std::vector<SystemCalls>& more) {
  Filter filter;
  if (!filter.made()) return fail(system_error(ENOMEM, "filter of system calls"));
  filter.all(kAllowed, SCMP_ACT_ALLOW);
  for (const SystemCalls calls : more) {
    filter.all(calls == SystemCalls::kClock ? std::span<const char* const>(kClock)
                                            : std::span<const char* const>(kSharedMemory),
               SCMP_ACT_ALLOW);
  }
  filter.all(kKilled, SCMP_ACT_KILL_PROCESS);
  add_conditions(filter);
  filter.set(SCMP_FLTATR_CTL_NNP, 1);
  filter.set(SCMP_FLTATR_CTL_TSYNC, 1);
  filter.set(SCMP_FLTATR_CTL_LOG, 1);
  // A daemon runs no code of strangers: without this some kernels slow down every branch of it.
  filter.set(SCMP_FLTATR_CTL_SSB, 1);
  // A binary tree instead of a list of some hundred comparisons for each call.
  filter.set(SCMP_FLTATR_CTL_OPTIMIZE, 2);
  return filter.load();
}

}  // namespace timepool::sys

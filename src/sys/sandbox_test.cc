// What a process can't do any more after giving it up: each in a child of its own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "sys/file.h"
#include "sys/landlock.h"
#include "sys/privileges.h"
#include "sys/seccomp.h"
#include "sys/temporary_directory.h"
#include "sys/user.h"

namespace timepool::sys {
namespace {

// Ends a child with the number of the first check that failed.
class Checks {
 public:
  void expect(bool ok) {
    ++number_;
    if (!ok && failed_ == 0) failed_ = number_;
  }
  [[noreturn]] void end() const { std::_Exit(failed_); }

 private:
  int number_ = 0;
  int failed_ = 0;
};

bool refused(int result, int error) {
  return result < 0 && errno == error;
}

int start_true() {
  char* const arguments[] = {const_cast<char*>("true"), nullptr};
  return ::execv("/bin/true", arguments);
}

class Landlock : public ::testing::Test {
 protected:
  void SetUp() override {
    if (landlock_version() == 0) GTEST_SKIP() << "this kernel has no Landlock";
    for (const char* name : {"/read", "/write", "/other"}) {
      ASSERT_EQ(::mkdir((root_ + name).c_str(), 0755), 0);
      std::ofstream(root_ + name + "/file") << "text";
    }
  }
  int open(const std::string& name, int flags) const {
    const int fd = ::open((root_ + name).c_str(), flags, 0600);
    if (fd >= 0) ::close(fd);
    return fd;
  }
  TemporaryDirectory temporary_;
  const std::string& root_ = temporary_.path();
};

TEST_F(Landlock, files_outside_the_rules_cannot_be_opened) {
  EXPECT_EXIT(
      {
        Checks checks;
        checks.expect(restrict_paths({{root_ + "/read", PathAccess::kRead},
                                      {root_ + "/write", PathAccess::kWrite},
                                      {root_ + "/absent", PathAccess::kWrite}})
                          .ok());
        checks.expect(open("/read/file", O_RDONLY) >= 0);
        checks.expect(refused(open("/read/file", O_RDWR), EACCES));
        checks.expect(refused(open("/read/new", O_CREAT | O_WRONLY), EACCES));
        checks.expect(open("/write/new", O_CREAT | O_WRONLY) >= 0);
        checks.expect(refused(open("/other/file", O_RDONLY), EACCES));
        checks.expect(refused(open("/absent", O_CREAT | O_WRONLY), EACCES));
        // As files are replaced.
        checks.expect(write_file_atomic(root_ + "/write/file", "new text").ok());
        checks.expect(::unlink((root_ + "/write/new").c_str()) == 0);
        checks.expect(refused(::unlink((root_ + "/read/file").c_str()), EACCES));
        checks.expect(refused(
            ::rename((root_ + "/write/file").c_str(), (root_ + "/read/moved").c_str()), EACCES));
        checks.expect(refused(start_true(), EACCES));
        checks.end();
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(Landlock, threads_that_are_started_later_are_restricted_too) {
  EXPECT_EXIT(
      {
        Checks checks;
        checks.expect(restrict_paths({{root_ + "/read", PathAccess::kRead}}).ok());
        std::thread other([&] {
          checks.expect(open("/read/file", O_RDONLY) >= 0);
          checks.expect(refused(open("/other/file", O_RDONLY), EACCES));
        });
        other.join();
        checks.end();
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(LandlockRules, cover_what_is_below_them) {
  const std::vector<PathRule> rules{{"/etc", PathAccess::kRead},
                                    {"/var/log/", PathAccess::kWrite},
                                    {"/dev", PathAccess::kDevice}};
  EXPECT_TRUE(is_covered(rules, "/etc", PathAccess::kRead));
  EXPECT_TRUE(is_covered(rules, "/etc/timepool/keys", PathAccess::kRead));
  EXPECT_FALSE(is_covered(rules, "/etc/timepool", PathAccess::kWrite));
  EXPECT_FALSE(is_covered(rules, "/etcetera", PathAccess::kRead));
  EXPECT_FALSE(is_covered(rules, "/etc/../root", PathAccess::kRead));
  EXPECT_TRUE(is_covered(rules, "/var/log/timepool", PathAccess::kWrite));
  EXPECT_TRUE(is_covered(rules, "/var/log", PathAccess::kRead));
  EXPECT_TRUE(is_covered(rules, "/dev/pps0", PathAccess::kDevice));
  EXPECT_FALSE(is_covered(rules, "/dev/pps0", PathAccess::kWrite));
  EXPECT_FALSE(is_covered({}, "/etc", PathAccess::kRead));
}

class Seccomp : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!can_filter_system_calls()) GTEST_SKIP() << "a build for a sanitizer";
  }
};

TEST_F(Seccomp, what_no_daemon_needs_is_as_unknown_as_in_an_older_kernel) {
  EXPECT_EXIT(
      {
        Checks checks;
        checks.expect(filter_system_calls({}).ok());
        checks.expect(::getpid() > 0);
        checks.expect(refused(static_cast<int>(::syscall(SYS_sync)), ENOSYS));
        checks.expect(refused(::socket(AF_PACKET, SOCK_RAW, 0), ENOSYS));
        checks.expect(::socket(AF_INET, SOCK_DGRAM, 0) >= 0);
        checks.expect(refused(::ioctl(0, TIOCSTI, "x"), ENOSYS));
        timex status{};
        checks.expect(refused(::clock_adjtime(CLOCK_REALTIME, &status), ENOSYS));
        checks.expect(refused(::shmget(IPC_PRIVATE, 4096, 0600), ENOSYS));
        const rlimit64 limit{};
        checks.expect(refused(::setrlimit64(RLIMIT_NOFILE, &limit), ENOSYS));
        // Itself may be less urgent, nobody else.
        checks.expect(::setpriority(PRIO_PROCESS, 0, 19) == 0);
        checks.expect(refused(::setpriority(PRIO_PROCESS, 1, 19), ENOSYS));
        checks.expect(refused(::setpriority(PRIO_USER, 0, 19), ENOSYS));
        checks.end();
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(Seccomp, the_clock_and_shared_memory_are_for_those_who_need_them) {
  EXPECT_EXIT(
      {
        Checks checks;
        checks.expect(filter_system_calls({SystemCalls::kClock, SystemCalls::kSharedMemory}).ok());
        // Only read.
        timex status{};
        checks.expect(::clock_adjtime(CLOCK_REALTIME, &status) >= 0);
        const int memory = ::shmget(IPC_PRIVATE, 4096, 0600);
        checks.expect(memory >= 0 && ::shmctl(memory, IPC_RMID, nullptr) == 0);
        checks.end();
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(Seccomp, threads_from_before_and_after_are_filtered) {
  EXPECT_EXIT(
      {
        Checks checks;
        std::atomic<bool> filtered{false};
        bool early = false;
        std::thread before([&] {
          while (!filtered) std::this_thread::yield();
          early = refused(static_cast<int>(::syscall(SYS_sync)), ENOSYS);
        });
        checks.expect(filter_system_calls({}).ok());
        filtered = true;
        before.join();
        checks.expect(early);
        bool late = false;
        std::thread after([&] { late = refused(static_cast<int>(::syscall(SYS_sync)), ENOSYS); });
        after.join();
        checks.expect(late);
        checks.end();
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(Seccomp, to_start_a_program_or_trace_a_process_ends_it) {
  const auto killed = ::testing::KilledBySignal(SIGSYS);
  EXPECT_EXIT(
      {
        if (!filter_system_calls({}).ok()) std::_Exit(1);
        start_true();
        std::_Exit(2);
      },
      killed, "");
  EXPECT_EXIT(
      {
        if (!filter_system_calls({}).ok()) std::_Exit(1);
        ::syscall(SYS_ptrace, 0, 0, 0, 0);
        std::_Exit(2);
      },
      killed, "");
  EXPECT_EXIT(
      {
        if (!filter_system_calls({}).ok()) std::_Exit(1);
        // As the C library forks: without CLONE_THREAD.
        std::_Exit(::fork() < 0 && errno == ENOSYS ? 0 : 2);
      },
      ::testing::ExitedWithCode(0), "");
}

class PrivilegesDropped : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to have something to drop";
    if (!account_of("nobody").ok()) GTEST_SKIP() << "needs the user nobody";
  }
};

TEST_F(PrivilegesDropped, another_user_with_one_capability_and_no_way_back) {
  EXPECT_EXIT(
      {
        Checks checks;
        checks.expect(drop_privileges({"nobody", {CAP_SYS_TIME}}).ok());
        const Account nobody = account_of("nobody").value();
        checks.expect(::getuid() == nobody.user && ::geteuid() == nobody.user);
        checks.expect(::getgid() == nobody.group && ::getegid() == nobody.group);
        checks.expect(effective_capabilities().value() == 1ULL << CAP_SYS_TIME);
        checks.expect(::prctl(PR_CAPBSET_READ, CAP_SYS_TIME, 0, 0, 0) == 1);
        checks.expect(::prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) == 0);
        checks.expect(::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
        checks.expect(refused(::setuid(0), EPERM));
        checks.expect(refused(::open("/etc/shadow", O_RDONLY), EACCES));
        checks.end();
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(PrivilegesDropped, without_a_user_the_capabilities_go_all_the_same) {
  EXPECT_EXIT(
      {
        Checks checks;
        checks.expect(drop_privileges({"", {}}).ok());
        checks.expect(::geteuid() == 0);
        checks.expect(effective_capabilities().value() == 0);
        checks.expect(refused(::setuid(1), EPERM));
        checks.end();
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(Privileges, an_unknown_user_is_named) {
  const Result<void> dropped = drop_privileges({"no-such-user-here", {}});
  ASSERT_FALSE(dropped.ok());
  EXPECT_EQ(dropped.error().text(), "user no-such-user-here: there is none");
}

}  // namespace
}  // namespace timepool::sys

// The drivers at real shared memory and a real socket, each of this process alone.
#include "refclock/driver.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "refclock/testing.h"
#include "sys/temporary_directory.h"

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;
using testing::ShmTime;
using testing::WideSock;

// A unit that no other test uses at the same time.
unsigned private_unit() {
  return 100'000U + static_cast<unsigned>(::getpid());
}
key_t key_of(unsigned unit) {
  return static_cast<key_t>(0x4e545030U + unit);
}

class ShmDriver : public ::testing::Test {
 protected:
  ~ShmDriver() override {
    if (id_ >= 0) ::shmctl(id_, IPC_RMID, nullptr);
  }
  ShmTime* make(std::size_t size, int mode) {
    id_ = ::shmget(key_of(private_unit()), size, IPC_CREAT | IPC_EXCL | mode);
    return id_ < 0 ? nullptr : static_cast<ShmTime*>(::shmat(id_, nullptr, 0));
  }
  static ShmOptions options(unsigned permissions = 0600) {
    ShmOptions out;
    out.unit = private_unit();
    out.permissions = permissions;
    return out;
  }
  static Look look(Driver& driver) {
    Looks looks;
    driver.poll(looks);
    EXPECT_EQ(looks.size(), 1U);
    return looks[0];
  }
  int id_ = -1;
};

TEST_F(ShmDriver, reads_what_another_program_writes) {
  ShmTime* segment = make(sizeof(ShmTime), 0600);
  ASSERT_NE(segment, nullptr);
  auto driver = open_shm(options());
  ASSERT_TRUE(driver.ok()) << driver.error().text();
  EXPECT_EQ((*driver)->fd(), -1);
  EXPECT_EQ(look(**driver).reason, RefclockReason::kNothingNew);
  *segment = ShmTime{};
  const Look got = look(**driver);
  ASSERT_EQ(got.reason, RefclockReason::kAccepted);
  EXPECT_EQ(got.reading.offset, Duration::milliseconds(-250));
  EXPECT_EQ(look(**driver).reason, RefclockReason::kNothingNew);
  ::shmdt(segment);
}

TEST_F(ShmDriver, makes_the_segment_where_there_is_none) {
  ASSERT_TRUE(open_shm(options(0640)).ok());
  id_ = ::shmget(key_of(private_unit()), 0, 0);
  ASSERT_GE(id_, 0);
  shmid_ds info{};
  ASSERT_EQ(::shmctl(id_, IPC_STAT, &info), 0);
  EXPECT_EQ(info.shm_perm.mode & 0777U, 0640U);
  EXPECT_EQ(info.shm_segsz, sizeof(ShmTime));
  EXPECT_EQ(info.shm_nattch, 0U);
}

TEST_F(ShmDriver, refuses_a_segment_that_more_may_write_than_allowed) {
  ::shmdt(make(sizeof(ShmTime), 0666));
  const auto refused = open_shm(options(0600));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
  EXPECT_NE(refused.error().detail.find("0666"), std::string::npos) << refused.error().text();
  EXPECT_NE(refused.error().detail.find("0600"), std::string::npos) << refused.error().text();
  EXPECT_TRUE(open_shm(options(0666)).ok());
}

TEST_F(ShmDriver, refuses_a_segment_of_another_user_unless_permitted) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a segment away";
  ::shmdt(make(sizeof(ShmTime), 0600));
  shmid_ds info{};
  ASSERT_EQ(::shmctl(id_, IPC_STAT, &info), 0);
  info.shm_perm.uid = 12345;
  ASSERT_EQ(::shmctl(id_, IPC_SET, &info), 0);
  const auto refused = open_shm(options());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kDenied);
  EXPECT_NE(refused.error().detail.find("12345"), std::string::npos) << refused.error().text();
  ShmOptions permitted = options();
  permitted.owner = 12345;
  EXPECT_TRUE(open_shm(permitted).ok());
}

TEST_F(ShmDriver, refuses_a_segment_of_another_size) {
  ::shmdt(make(64, 0600));
  const auto refused = open_shm(options());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
}

class SockDriver : public ::testing::Test {
 protected:
  SockDriver() { options_.path = directory_ / "clock.sock"; }
  void send(const void* data, std::size_t size) const {
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, options_.path.c_str(), sizeof to.sun_path - 1);
    EXPECT_EQ(::sendto(fd, data, size, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(size));
    ::close(fd);
  }
  const sys::TemporaryDirectory temporary_;
  const std::filesystem::path directory_ = temporary_.path();
  SockOptions options_;
};

TEST_F(SockDriver, takes_datagrams_and_counts_each_that_is_none) {
  auto driver = open_sock(options_);
  ASSERT_TRUE(driver.ok()) << driver.error().text();
  Looks looks;
  (*driver)->poll(looks);
  ASSERT_EQ(looks.size(), 1U);
  EXPECT_EQ(looks[0].reason, RefclockReason::kNothingNew);

  const WideSock good;
  WideSock bad;
  bad.magic = 1;
  const std::array<std::byte, 400> long_one{};
  send(&good, sizeof good);
  send(&bad, sizeof bad);
  send(long_one.data(), long_one.size());
  send(long_one.data(), 0);
  pollfd ready{(*driver)->fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&ready, 1, 0), 1);
  looks.clear();
  (*driver)->poll(looks);
  ASSERT_EQ(looks.size(), 4U);
  EXPECT_EQ(looks[0].reason, RefclockReason::kAccepted);
  EXPECT_EQ(looks[1].reason, RefclockReason::kWrongMagic);
  EXPECT_EQ(looks[2].reason, RefclockReason::kWrongSize);
  EXPECT_EQ(looks[3].reason, RefclockReason::kWrongSize);
}

TEST_F(SockDriver, a_flood_is_taken_in_parts) {
  auto driver = open_sock(options_);
  ASSERT_TRUE(driver.ok());
  const int sent = 10;  // the kernel queues no more than net.unix.max_dgram_qlen
  const WideSock good;
  for (int i = 0; i < sent; ++i) send(&good, sizeof good);
  Looks looks;
  (*driver)->poll(looks);
  EXPECT_LE(looks.size(), kMaxReadings);
  EXPECT_EQ(looks.size(), static_cast<std::size_t>(sent));
}

TEST_F(SockDriver, the_file_has_the_mode_and_goes_with_the_driver) {
  options_.mode = 0660;
  struct stat info{};
  {
    auto driver = open_sock(options_);
    ASSERT_TRUE(driver.ok());
    ASSERT_EQ(::lstat(options_.path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0660U);
  }
  EXPECT_NE(::lstat(options_.path.c_str(), &info), 0);
}

TEST_F(SockDriver, takes_over_a_stale_file_but_neither_a_live_one_nor_another_kind) {
  const int stale = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, options_.path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(stale, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto live = open_sock(options_);
  ASSERT_FALSE(live.ok());
  EXPECT_EQ(live.error().code, ErrorCode::kExists);
  ::close(stale);
  ASSERT_TRUE(open_sock(options_).ok());

  options_.path = directory_ / "file";
  ASSERT_GE(::close(::open(options_.path.c_str(), O_CREAT | O_WRONLY, 0600)), 0);
  EXPECT_EQ(open_sock(options_).error().code, ErrorCode::kExists);
  EXPECT_TRUE(std::filesystem::exists(options_.path));
}

TEST(PpsDriver, says_which_device_it_cannot_open) {
  PpsOptions options;
  options.device = "/nowhere/pps9";
  const auto refused = open_pps(options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kNotFound);
  EXPECT_NE(refused.error().operation.find("/nowhere/pps9"), std::string::npos);
}

TEST(PpsDriver, refuses_a_device_that_is_none) {
  PpsOptions options;
  options.device = "/dev/null";
  EXPECT_FALSE(open_pps(options).ok());
}

TEST(PhcDriver, says_which_device_it_cannot_open_and_refuses_what_is_none) {
  PhcOptions options;
  options.device = "/nowhere/ptp9";
  EXPECT_EQ(open_phc(options).error().code, ErrorCode::kNotFound);
  options.device = "/dev/null";
  EXPECT_FALSE(open_phc(options).ok());
}

}  // namespace
}  // namespace timepool::refclock

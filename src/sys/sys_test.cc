#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "sys/clock.h"
#include "sys/fd.h"
#include "sys/file.h"
#include "sys/log.h"
#include "sys/own_addresses.h"
#include "sys/process.h"
#include "sys/random.h"
#include "sys/signal_flag.h"
#include "sys/temporary_directory.h"

namespace timepool::sys {
namespace {

TEST(File, an_atomic_write_replaces_the_whole_and_leaves_nothing_else) {
  const TemporaryDirectory temporary;
  const std::string& directory = temporary.path();
  const std::string path = directory + "/a/b/file";
  ASSERT_TRUE(make_directories(directory + "/a/b").ok());
  ASSERT_TRUE(write_file_atomic(path, "one", 0600).ok());
  ASSERT_TRUE(write_file_atomic(path, "two", 0640).ok());
  EXPECT_EQ(read_file(path, 100).value(), "two");
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0640u);
  EXPECT_EQ(::unlink(path.c_str()), 0);
  EXPECT_EQ(::rmdir((directory + "/a/b").c_str()), 0) << "a temporary file was left";
}

TEST(File, errors_name_the_path) {
  const TemporaryDirectory temporary;
  const std::string& directory = temporary.path();
  EXPECT_EQ(read_file(directory + "/none", 10).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(write_file_atomic(directory + "/big", std::string(11, 'x')).ok());
  const auto big = read_file(directory + "/big", 10);
  ASSERT_FALSE(big.ok());
  EXPECT_EQ(big.error().code, ErrorCode::kExhausted);
  EXPECT_NE(big.error().text().find(directory + "/big"), std::string::npos);
  EXPECT_FALSE(read_file("/dev/zero", 1 << 20).ok());
  EXPECT_FALSE(write_file_atomic(directory + "/none/file", "x").ok());
  EXPECT_EQ(make_directories(directory + "/big").error().code, ErrorCode::kExists);
}

TEST(Fd, moves_and_closes_once) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Fd reader(ends[0]);
  Fd writer(ends[1]);
  Fd moved = std::move(writer);
  EXPECT_FALSE(writer.valid());  // NOLINT: the state after a move is defined
  moved.reset();
  char byte = 0;
  EXPECT_EQ(::read(reader.number(), &byte, 1), 0) << "the writing end is still open";
}

TEST(Clock, the_two_clocks_are_sampled_together) {
  const ClockSample sample = sample_clocks();
  EXPECT_LT((mono_now() - sample.mono).abs(), Duration::seconds(5));
  EXPECT_LT((unix_now() - sample.unix_time).abs(), Duration::seconds(5));
  const int precision = measure_precision();
  EXPECT_LE(precision, -10);
  EXPECT_GE(precision, -30);
}

TEST(Random, fills_every_byte) {
  std::array<std::byte, 64> bytes{};
  fill_random(bytes);
  std::size_t zeros = 0;
  for (const std::byte b : bytes) zeros += b == std::byte{0} ? 1 : 0;
  EXPECT_LT(zeros, 16u);
  EXPECT_NE(random_u64(), random_u64());
}

TEST(SignalFlag, a_signal_is_taken_once) {
  ASSERT_TRUE(catch_signal(SIGUSR2).ok());
  EXPECT_FALSE(take_signal(SIGUSR2));
  ::raise(SIGUSR2);
  EXPECT_TRUE(signal_pending(SIGUSR2));
  EXPECT_TRUE(take_signal(SIGUSR2));
  EXPECT_FALSE(take_signal(SIGUSR2));
}

TEST(Logger, writes_one_line_without_control_characters) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  Logger logger("prog", LogLevel::kInfo, writer.number());
  logger.debug("not {}", "seen");
  logger.warning("from {}", "a\nb\x1b[1m");
  std::array<char, 256> buffer{};
  const ssize_t count = ::read(reader.number(), buffer.data(), buffer.size());
  const std::string line(buffer.data(), static_cast<std::size_t>(count));
  EXPECT_TRUE(line.ends_with("from a\\x0ab\\x1b[1m\n")) << line;
}

TEST(LogLimit, lets_a_burst_through_and_counts_the_rest) {
  LogLimit limit(2, Duration::seconds(10));
  const MonoTime start = MonoTime::from_ns(1'000'000'000);
  EXPECT_TRUE(limit.allow(start));
  EXPECT_TRUE(limit.allow(start));
  EXPECT_FALSE(limit.allow(start + Duration::seconds(9)));
  EXPECT_FALSE(limit.allow(start + Duration::seconds(9)));
  EXPECT_TRUE(limit.allow(start + Duration::seconds(10)));
  EXPECT_EQ(limit.suppressed(), 2u);
}

TEST(Process, reports_output_and_exit_status) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  ProcessOptions options;
  options.argv = {"sh", "-c", "echo $TIMEPOOL_TEST; exit 3"};
  options.environment = {"TIMEPOOL_TEST=hello"};
  options.output_fd = writer.number();
  Result<Process> process = Process::start(options);
  ASSERT_TRUE(process.ok()) << process.error().text();
  writer.reset();
  std::array<char, 64> buffer{};
  const ssize_t count = ::read(reader.number(), buffer.data(), buffer.size());
  EXPECT_EQ(std::string(buffer.data(), static_cast<std::size_t>(count)), "hello\n");
  EXPECT_EQ(describe_exit(process->wait()), "exit status 3");
}

TEST(Process, an_unknown_program_is_an_error_at_once) {
  ProcessOptions options;
  options.argv = {"/no/such/program"};
  const auto process = Process::start(options);
  ASSERT_FALSE(process.ok());
  EXPECT_EQ(process.error().code, ErrorCode::kNotFound);
}

TEST(Process, is_killed_with_its_owner) {
  ProcessOptions options;
  options.argv = {"sleep", "600"};
  pid_t pid = 0;
  {
    Result<Process> process = Process::start(options);
    ASSERT_TRUE(process.ok());
    pid = process->pid();
    EXPECT_FALSE(process->poll_exit().has_value());
  }
  EXPECT_EQ(::kill(pid, 0), -1);
}

TEST(OwnAddresses, hold_the_loopback_address_once) {
  const auto addresses = own_addresses();
  ASSERT_TRUE(addresses.ok());
  EXPECT_EQ(std::count(addresses->begin(), addresses->end(), parse_ip("127.0.0.1").value()), 1);
  EXPECT_TRUE(std::is_sorted(addresses->begin(), addresses->end()));
}

}  // namespace
}  // namespace timepool::sys

#include "certificates/hook.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "sys/clock.h"
#include "sys/temporary_directory.h"

namespace timepool::certificates {
namespace {

constexpr Duration kTimeout = Duration::seconds(20);

class HookTest : public testing::Test {
 protected:
  std::string program(const std::string& body) const {
    const std::string path = directory_ + "/hook";
    std::ofstream(path) << "#!/bin/sh\necho \"$@\" >> " << directory_ << "/log\n" << body << "\n";
    ::chmod(path.c_str(), 0755);
    return path;
  }
  std::string log() const {
    std::stringstream out;
    out << std::ifstream(directory_ + "/log").rdbuf();
    return out.str();
  }

  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
};

acme::Challenge challenge(const std::string& name, const std::string& token = "tok") {
  return {acme::ChallengeType::kHttp01, {"dns", name}, token, token + ".thumb"};
}

TEST_F(HookTest, is_told_of_each_challenge_and_what_became_of_it) {
  const auto hook = Hook::start(program(""), kTimeout);
  ASSERT_TRUE(hook.ok()) << hook.error().text();
  ASSERT_TRUE((*hook)->present({challenge("a.test"), challenge("b.test")}).ok());
  (*hook)->withdraw(Proved::kYes);
  ASSERT_TRUE((*hook)->present({challenge("a.test")}).ok());
  (*hook)->withdraw(Proved::kNo);
  EXPECT_EQ(log(),
            "begin http-01 a.test tok tok.thumb\nbegin http-01 b.test tok tok.thumb\n"
            "done http-01 a.test tok tok.thumb\ndone http-01 b.test tok tok.thumb\n"
            "begin http-01 a.test tok tok.thumb\nfailed http-01 a.test tok tok.thumb\n");
}

TEST_F(HookTest, those_that_were_begun_are_ended_when_one_fails) {
  const auto hook = Hook::start(program("test \"$1 $3\" != \"begin b.test\""), kTimeout);
  ASSERT_TRUE(hook.ok());
  const auto presented =
      (*hook)->present({challenge("a.test"), challenge("b.test"), challenge("c.test")});
  ASSERT_FALSE(presented.ok());
  EXPECT_NE(presented.error().text().find("exit status 1"), std::string::npos);
  EXPECT_EQ(log(),
            "begin http-01 a.test tok tok.thumb\nbegin http-01 b.test tok tok.thumb\n"
            "failed http-01 a.test tok tok.thumb\n");
}

TEST_F(HookTest, one_that_hangs_is_ended) {
  const auto hook = Hook::start(program("sleep 60"), Duration::milliseconds(200));
  ASSERT_TRUE(hook.ok());
  const auto presented = (*hook)->present({challenge("a.test")});
  ASSERT_FALSE(presented.ok());
  EXPECT_NE(presented.error().text().find("longer than hook_timeout"), std::string::npos);
}

TEST_F(HookTest, gets_no_words_that_are_no_challenge) {
  const auto hook = Hook::start(program(""), kTimeout);
  ASSERT_TRUE(hook.ok());
  for (const char* token : {"../../etc", "a b", "$(reboot)", "", "a\nb"}) {
    EXPECT_FALSE((*hook)->present({challenge("a.test", token)}).ok()) << token;
  }
  EXPECT_FALSE((*hook)->present({challenge("-rf /")}).ok());
  EXPECT_EQ(log(), "");
}

TEST_F(HookTest, one_that_was_cut_off_is_told_that_it_failed) {
  const auto hook = Hook::start(program("test $1 != begin || sleep 60"), Duration::seconds(1));
  ASSERT_TRUE(hook.ok());
  ASSERT_FALSE((*hook)->present({challenge("a.test")}).ok());
  EXPECT_EQ(log(), "begin http-01 a.test tok tok.thumb\nfailed http-01 a.test tok tok.thumb\n");
}

TEST_F(HookTest, after_the_end_nothing_is_begun) {
  const auto hook = Hook::start(program(""), kTimeout);
  ASSERT_TRUE(hook.ok());
  (*hook)->end();
  EXPECT_FALSE((*hook)->present({challenge("a.test")}).ok());
  EXPECT_EQ(log(), "");
}

TEST_F(HookTest, what_was_begun_is_told_as_failed_after_the_end_too) {
  const auto hook = Hook::start(program(""), kTimeout);
  ASSERT_TRUE(hook.ok());
  ASSERT_TRUE((*hook)->present({challenge("a.test"), challenge("b.test")}).ok());
  (*hook)->end();
  (*hook)->withdraw(Proved::kNo);
  EXPECT_EQ(log(),
            "begin http-01 a.test tok tok.thumb\nbegin http-01 b.test tok tok.thumb\n"
            "failed http-01 a.test tok tok.thumb\nfailed http-01 b.test tok tok.thumb\n");
}

TEST_F(HookTest, the_end_cuts_off_what_is_being_begun) {
  const auto hook = Hook::start(program("test $1 != begin || sleep 60"), Duration::seconds(60));
  ASSERT_TRUE(hook.ok());
  std::thread keeper(
      [&] { EXPECT_FALSE((*hook)->present({challenge("a.test"), challenge("b.test")}).ok()); });
  const MonoTime until = sys::mono_now() + kTimeout;
  while (log().empty() && sys::mono_now() < until) std::this_thread::yield();
  const MonoTime before = sys::mono_now();
  (*hook)->end();
  keeper.join();
  EXPECT_LT(sys::mono_now() - before, Hook::kFarewell);
  EXPECT_EQ(log(), "begin http-01 a.test tok tok.thumb\nfailed http-01 a.test tok tok.thumb\n");
}

TEST_F(HookTest, the_end_is_not_waited_for_longer_than_hook_timeout_whatever_was_begun) {
  const auto hook = Hook::start(program("test $1 != failed || sleep 60"), Duration::seconds(1));
  ASSERT_TRUE(hook.ok());
  ASSERT_TRUE((*hook)->present({challenge("a.test"), challenge("b.test")}).ok());
  const MonoTime before = sys::mono_now();
  (*hook)->end();
  (*hook)->withdraw(Proved::kNo);
  EXPECT_LT(sys::mono_now() - before, Duration::seconds(4));
}

TEST_F(HookTest, a_program_that_can_t_be_executed_is_an_error) {
  EXPECT_FALSE(Hook::start(directory_ + "/none", kTimeout).ok());
  std::ofstream(directory_ + "/plain") << "text";
  EXPECT_FALSE(Hook::start(directory_ + "/plain", kTimeout).ok());
}

}  // namespace
}  // namespace timepool::certificates

#include "ntpd/acme_worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "certificates/certificate_directory.h"
#include "sys/stream_socket.h"
#include "sys/temporary_directory.h"

namespace timepool::ntpd {
namespace {

using certificates::Proved;

class CountingPresenter final : public certificates::Presenter {
 public:
  Result<void> present(const std::vector<acme::Challenge>& challenges) override {
    presented += challenges.size();
    return {};
  }
  void withdraw(Proved /*proved*/) override { ++withdrawn; }

  std::atomic<std::size_t> presented{0};
  std::atomic<std::size_t> withdrawn{0};
};

class AcmeWorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    worker_.emplace(logger_, presenter_, [this] { ++changes_; });
  }
  void TearDown() override { worker_.reset(); }

  // Nobody listens at port 1: it is tried for seconds.
  certificates::KeeperSettings settings(const std::string& name = "a.example.test") const {
    certificates::KeeperSettings out;
    out.path = directory_ + "/acme";
    out.authorities.emplace_back().directory = "https://localhost:1/dir";
    out.names = {name};
    return out;
  }
  // Each attempt fails at once: the account's key can't be read.
  void spoil_account() const {
    const certificates::CertificateDirectory store(directory_ + "/acme");
    ASSERT_TRUE(store.open().ok());
    std::filesystem::create_directory(store.account_path("https://localhost:1/dir"));
  }

  // Asks for reports all the time, as a main thread may.
  template <class Condition>
  AcmeWorker::Report wait_for(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (;;) {
      AcmeWorker::Report out = worker_->report();
      if (condition(out) || std::chrono::steady_clock::now() >= until) return out;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
  sys::Logger logger_{"acme_worker_test", sys::LogLevel::kError};
  CountingPresenter presenter_;
  std::atomic<int> changes_{0};
  std::optional<AcmeWorker> worker_;
};

TEST_F(AcmeWorkerTest, A11_does_nothing_until_the_clock_is_plausible) {
  spoil_account();
  worker_->configure(settings());
  auto report = wait_for([](const auto& it) {
    return it.keeper && it.keeper->plan.step == acme::Step::kWaitForClock;
  });
  ASSERT_TRUE(report.keeper);
  EXPECT_EQ(report.keeper->plan.step, acme::Step::kWaitForClock);
  EXPECT_EQ(report.failed, 0U);
  worker_->set_clock_plausible(true);
  report = wait_for([](const auto& it) { return it.failed == 1; });
  EXPECT_EQ(report.failed, 1U);
  EXPECT_TRUE(report.clock_plausible);
  EXPECT_EQ(changes_, 0);
}

TEST_F(AcmeWorkerTest, other_settings_take_the_place_of_those_before_and_what_was_counted_stays) {
  spoil_account();
  worker_->set_clock_plausible(true);
  worker_->configure(settings());
  EXPECT_EQ(wait_for([](const auto& it) { return it.failed == 1; }).failed, 1U);
  worker_->pause();
  const auto paused = wait_for([](const auto& it) { return !it.keeper; });
  EXPECT_FALSE(paused.keeper);
  EXPECT_EQ(paused.failed, 1U);
  EXPECT_FALSE(worker_->request());
  // Its state says that it failed: it waits, but for whom a person asks.
  worker_->configure(settings("b.example.test"));
  wait_for([](const auto& it) { return it.keeper && it.keeper->plan.step == acme::Step::kWait; });
  EXPECT_TRUE(worker_->request());
  const auto report = wait_for([](const auto& it) { return it.failed == 2; });
  EXPECT_EQ(report.failed, 2U);
  EXPECT_EQ(report.keeper->state.authorities.at(0).failures, 2U);
}

TEST_F(AcmeWorkerTest, A12_looks_at_challenges_of_its_own_one_at_a_time) {
  certificates::SelfCheckSettings check;
  check.names = {"localhost"};
  check.http_port = 1;
  EXPECT_FALSE(worker_->check(check));
  // At once, as soon as there is something to begin with.
  worker_->configure(settings());
  ASSERT_TRUE(worker_->check(check));
  const auto report = wait_for([](const auto& it) { return it.check.done == 1; });
  EXPECT_FALSE(report.check.running);
  ASSERT_EQ(report.check.seen.size(), 1U);
  EXPECT_EQ(report.check.seen[0].seen, certificates::Seen::kUnreachable);
  EXPECT_EQ(presenter_.presented, 1U);
  EXPECT_EQ(presenter_.withdrawn, 1U);
}

TEST_F(AcmeWorkerTest, A2_A11_an_account_is_not_changed_before_the_clock_is_plausible) {
  using enum AcmeWorker::AccountChange;
  const std::string directory = "https://localhost:1/dir";
  EXPECT_EQ(worker_->change_account(kNewKey, directory).error().code, ErrorCode::kUnavailable);
  spoil_account();
  worker_->configure(settings());
  wait_for([](const auto& it) { return it.keeper.has_value(); });
  EXPECT_FALSE(worker_->change_account(kNewKey, directory).ok());
  worker_->set_clock_plausible(true);
  ASSERT_TRUE(worker_->change_account(kNewKey, directory).ok());
  const auto report = wait_for([](const auto& it) { return it.account.done == 1; });
  EXPECT_FALSE(report.account.running);
  EXPECT_EQ(report.account.directory, directory);
  EXPECT_NE(report.account.fault.find("there is none"), std::string::npos) << report.account.fault;
  // One that nobody set up is nobody's to end.
  ASSERT_TRUE(worker_->change_account(kDeactivate, "https://other.test/dir").ok());
  const auto other = wait_for([](const auto& it) { return it.account.done == 2; });
  EXPECT_NE(other.account.fault.find("no such authority"), std::string::npos);
}

TEST_F(AcmeWorkerTest, A12_the_end_does_not_wait_for_a_look_at_challenges) {
  const sys::Fd silent = sys::listen_stream({IpAddress::v4(0x7f000001), 0}, "listen").value();
  worker_->configure(settings());
  wait_for([](const auto& it) { return it.keeper.has_value(); });
  certificates::SelfCheckSettings check;
  check.names = {"localhost"};
  check.http_port = sys::local_endpoint(silent.number()).value().port;
  check.timeout = Duration::seconds(60);
  ASSERT_TRUE(worker_->check(check));
  wait_for([this](const auto&) { return presenter_.presented == 1; });
  const auto before = std::chrono::steady_clock::now();
  worker_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_EQ(presenter_.withdrawn, 1U);
}

TEST_F(AcmeWorkerTest, a_store_that_cant_be_opened_is_told) {
  std::ofstream(directory_ + "/acme") << "a file";
  worker_->configure(settings());
  const auto report = wait_for([](const auto& it) { return !it.fault.empty(); });
  EXPECT_NE(report.fault.find(directory_), std::string::npos) << report.fault;
  EXPECT_FALSE(worker_->request());
  EXPECT_FALSE(worker_->check({}));
}

TEST_F(AcmeWorkerTest, other_settings_or_the_end_do_not_wait_for_an_authority) {
  const auto busy = [](const auto& it) { return it.keeper && !it.keeper->busy.empty(); };
  worker_->set_clock_plausible(true);
  worker_->configure(settings());
  EXPECT_FALSE(wait_for(busy).keeper->busy.empty());
  const auto before = std::chrono::steady_clock::now();
  worker_->pause();
  EXPECT_FALSE(wait_for([](const auto& it) { return !it.keeper; }).keeper);
  worker_->configure(settings());
  EXPECT_FALSE(wait_for(busy).keeper->busy.empty());
  worker_.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

}  // namespace
}  // namespace timepool::ntpd

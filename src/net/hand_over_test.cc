#include "net/hand_over.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "net/take_over.h"
#include "sys/clock.h"
#include "sys/temporary_directory.h"

namespace timepool::net {
namespace {
namespace json = boost::json;

// The old process is this thread with its reactor, the new one another thread.
class HandingOver : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = directory_ + "/socket";
    ControlOptions options;
    options.path = path_;
    control_ = std::move(ControlServer::create(reactor_, options)).value();
    for (const char* address : {"127.0.0.1", "127.0.0.2"}) {
      const Endpoint local{parse_ip(address).value(), 0, 0};
      sockets_.push_back(std::move(sys::UdpSocket::bind(local, {})).value());
    }
  }

  void offer(Duration limit = HandOver::kPhaseLimit) {
    HandOverSteps steps;
    steps.descriptors = [this] {
      std::vector<int> out;
      for (const sys::UdpSocket& socket : sockets_) out.push_back(socket.fd());
      return out;
    };
    steps.release = [this] {
      happened_ += "release ";
      json::object state;
      state["answer"] = 42;
      return state;
    };
    steps.stop = [this] { happened_ += "stop "; };
    steps.resume = [this] { happened_ += "resume "; };
    steps.announce = [this](pid_t) { happened_ += "announce "; };
    steps.leave = [this](pid_t successor) {
      happened_ += "leave ";
      EXPECT_EQ(successor, ::getpid());
      left_ = true;
    };
    hand_over_ = std::make_unique<HandOver>(reactor_, *control_, logger_, std::move(steps), limit);
  }
  // Runs the old process until the new one's work is done, and a moment longer.
  template <class Work>
  void run_beside(Work work) {
    std::atomic<bool> done{false};
    std::thread other([&] {
      work();
      done = true;
    });
    while (!done) reactor_.run_once(Duration::milliseconds(2));
    other.join();
    for (int i = 0; i < 5; ++i) reactor_.run_once(Duration::milliseconds(2));
  }

  Reactor reactor_;
  sys::Logger logger_{"net_test", sys::LogLevel::kError};
  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
  std::string path_;
  std::unique_ptr<ControlServer> control_;
  std::vector<sys::UdpSocket> sockets_;
  std::unique_ptr<HandOver> hand_over_;
  std::string happened_;
  bool left_ = false;
};

TEST_F(HandingOver, goes_phase_by_phase) {
  offer();
  run_beside([this] {
    InheritedSockets inherited;
    auto begun = TakeOver::begin(path_, inherited);
    ASSERT_TRUE(begun.ok() && begun->has_value());
    TakeOver& taking = **begun;
    EXPECT_EQ(taking.process(), ::getpid());
    EXPECT_EQ(inherited.size(), 2u);
    EXPECT_TRUE(taking.take_listener().valid());
    const auto state = taking.release();
    ASSERT_TRUE(state.ok());
    EXPECT_EQ(state->at("answer").as_int64(), 42);
    EXPECT_TRUE(taking.finish().ok());
    EXPECT_EQ(inherited.take(sockets_[0].local(), {}).size(), 1u);
  });
  EXPECT_EQ(happened_, "release stop announce leave ");
  control_.reset();
  EXPECT_EQ(::access(path_.c_str(), F_OK), 0) << "the file is the successor's";
}

TEST_F(HandingOver, a_successor_that_goes_away_is_forgotten) {
  offer();
  run_beside([this] {
    InheritedSockets inherited;
    auto begun = TakeOver::begin(path_, inherited);
    ASSERT_TRUE(begun.ok() && begun->has_value());
  });
  EXPECT_EQ(happened_, "") << "nothing was given up";
  run_beside([this] {
    InheritedSockets inherited;
    auto begun = TakeOver::begin(path_, inherited);
    ASSERT_TRUE(begun.ok() && begun->has_value());
    EXPECT_TRUE((*begun)->release().ok());
  });
  EXPECT_EQ(happened_, "release resume ");
}

// Both would serve otherwise.
TEST_F(HandingOver, a_successor_that_is_too_slow_is_told_that_it_is_not_in_charge) {
  offer(Duration::milliseconds(20));
  run_beside([this] {
    InheritedSockets inherited;
    auto begun = TakeOver::begin(path_, inherited);
    ASSERT_TRUE(begun.ok() && begun->has_value());
    EXPECT_TRUE((*begun)->release().ok());
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    const Result<void> finished = (*begun)->finish();
    ASSERT_FALSE(finished.ok());
    EXPECT_NE(finished.error().text().find("was given up"), std::string::npos)
        << finished.error().text();
  });
  EXPECT_EQ(happened_, "release resume ");
  EXPECT_FALSE(left_);
}

TEST_F(HandingOver, nobody_there_is_no_error_and_one_that_does_not_know_how_is) {
  InheritedSockets inherited;
  const auto nobody = TakeOver::begin(directory_ + "/absent", inherited);
  ASSERT_TRUE(nobody.ok());
  EXPECT_FALSE(nobody->has_value());
  run_beside([&] {
    const auto unknown = TakeOver::begin(path_, inherited);
    ASSERT_FALSE(unknown.ok());
    EXPECT_NE(unknown.error().text().find("unknown command \"take-over\""), std::string::npos);
  });
}

}  // namespace
}  // namespace timepool::net

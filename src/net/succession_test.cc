#include "net/succession.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "sys/clock.h"
#include "sys/temporary_directory.h"
#include "sys/udp_socket.h"

namespace timepool::net {
namespace {
namespace json = boost::json;

// The old process is this thread with its reactor, the new one another thread.
class SuccessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = directory_ + "/socket";
    ControlOptions options;
    options.path = path_;
    control_ = std::move(ControlServer::create(reactor_, options)).value();
    socket_ = std::make_unique<sys::UdpSocket>(
        std::move(sys::UdpSocket::bind({parse_ip("127.0.0.1").value(), 0, 0}, {})).value());
    Succession::Steps steps;
    steps.descriptors = [this] { return std::vector<int>{socket_->fd()}; };
    steps.release = [this] {
      EXPECT_TRUE(old_.released());
      happened_ += "release ";
      return json::object{{"answer", 42}};
    };
    steps.stop = [this] { happened_ += "stop "; };
    steps.resume = [this] {
      EXPECT_FALSE(old_.released());
      happened_ += "resume ";
    };
    old_.offer(*control_, std::move(steps));
  }

  // Runs the old process until `next` is done and a moment longer, or until it is to leave.
  template <class F>
  void run(F next) {
    std::thread other([&] { next(); });
    Timer timer;
    const MonoTime end = sys::mono_now() + Duration::seconds(2);
    timer = reactor_.at(end, [&] { reactor_.stop(); });
    reactor_.run();
    other.join();
  }

  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
  std::string path_;
  sys::Logger logger_{"test", sys::LogLevel::kError};
  Reactor reactor_;
  Succession old_{reactor_, logger_, "x-", Succession::Owned::kSockets};
  std::unique_ptr<ControlServer> control_;
  std::unique_ptr<sys::UdpSocket> socket_;
  std::string happened_;
};

TEST_F(SuccessionTest, gives_way_to_the_next_and_says_so) {
  ASSERT_TRUE(old_.must_hold("reload").ok());
  run([this] {
    Reactor reactor;
    Succession next(reactor, logger_, "x-", Succession::Owned::kSockets);
    ASSERT_TRUE(next.inherit(Succession::Begin::kTakeOver, path_, "").ok());
    EXPECT_TRUE(next.takes_over());
    EXPECT_EQ(next.inherited().size(), 1U);
    EXPECT_TRUE(next.take_listener());
    const auto state = next.release_predecessor();
    ASSERT_TRUE(state.ok());
    EXPECT_EQ(state->at("answer"), 42);
    next.keep_owners();
    EXPECT_TRUE(next.finish().ok());
  });
  EXPECT_EQ(happened_, "release stop ");
  EXPECT_TRUE(old_.left());
}

TEST_F(SuccessionTest, goes_on_when_the_next_one_fails_half_way) {
  run([this] {
    Reactor reactor;
    Succession next(reactor, logger_, "x-", Succession::Owned::kSockets);
    ASSERT_TRUE(next.inherit(Succession::Begin::kTakeOver, path_, "").ok());
    ASSERT_TRUE(next.release_predecessor().ok());
  });
  EXPECT_EQ(happened_, "release resume ");
  EXPECT_FALSE(old_.left());
  EXPECT_TRUE(old_.must_hold("reload").ok());
}

TEST_F(SuccessionTest, nobody_before_means_a_start_alone_and_other_users_none) {
  Reactor reactor;
  Succession alone(reactor, logger_, "x-", Succession::Owned::kControlFile);
  ASSERT_TRUE(alone.inherit(Succession::Begin::kTakeOver, directory_ + "/none", "").ok());
  EXPECT_FALSE(alone.takes_over());
  EXPECT_FALSE(alone.take_listener());
  EXPECT_TRUE(alone.release_predecessor().ok());
  EXPECT_TRUE(alone.finish().ok());
  EXPECT_FALSE(alone.inherit(Succession::Begin::kTakeOver, "", "").ok());
  run([this] {
    Reactor own;
    Succession next(own, logger_, "x-", Succession::Owned::kControlFile);
    const auto refused = next.inherit(Succession::Begin::kTakeOver, path_, "daemon");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().operation, "[sandbox] user");
  });
  EXPECT_EQ(happened_, "");
}

}  // namespace
}  // namespace timepool::net

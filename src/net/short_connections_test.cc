#include "net/short_connections.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "sys/clock.h"
#include "sys/stream_socket.h"
#include "sys/udp_socket.h"

namespace timepool::net {
namespace {

constexpr std::size_t kLong = 8 << 20;  // more than the kernel takes for a peer that does not read

// "a" is answered by "A", "." by a full stop and the end, "L" by kLong octets and the end.
class Letters final : public ShortConnections::Dialogue {
 public:
  bool take(Bytes octets, std::string& out) override {
    for (const std::byte it : octets) {
      const char letter = static_cast<char>(it);
      if (letter == 'L') {
        out.append(kLong, 'l');
        return false;
      }
      if (letter == '.') {
        out += '.';
        return false;
      }
      out += static_cast<char>(letter - 'a' + 'A');
    }
    return true;
  }
};

class ShortConnectionsTest : public ::testing::Test {
 protected:
  void start(ShortConnections::Limits limits) {
    connections_.emplace(reactor_, limits, [this]() -> std::unique_ptr<Letters> {
      return refuses_ ? nullptr : std::make_unique<Letters>();
    });
    sys::Fd listener = sys::listen_stream({IpAddress::v4(0x7f000001), 0, 0}, "listen").value();
    at_ = sys::local_endpoint(listener.number()).value();
    connections_->start(std::move(listener));
  }

  sys::Fd connect() {
    sockaddr_storage address{};
    const socklen_t length = sys::to_sockaddr(at_, address);
    sys::Fd out(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(out.number(), reinterpret_cast<sockaddr*>(&address), length), 0);
    run(3);
    return out;
  }

  void run(int times) {
    for (int i = 0; i < times; ++i) reactor_.run_once(Duration::milliseconds(5));
  }

  void send(const sys::Fd& to, std::string_view text) {
    ASSERT_EQ(::send(to.number(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    run(3);
  }

  // What has come; ends with "|" where the connection was ended.
  std::string received(const sys::Fd& at) {
    std::string out;
    std::vector<char> room(64 << 10);
    for (const MonoTime until = sys::mono_now() + Duration::seconds(10); sys::mono_now() < until;) {
      const ssize_t count = ::recv(at.number(), room.data(), room.size(), MSG_DONTWAIT);
      if (count == 0) return out + "|";
      if (count > 0) out.append(room.data(), static_cast<std::size_t>(count));
      if (count < 0 && idle_ > 2) return out;
      idle_ = count < 0 ? idle_ + 1 : 0;
      run(1);
    }
    return out;
  }

  Reactor reactor_;
  bool refuses_ = false;
  int idle_ = 0;
  Endpoint at_;
  std::optional<ShortConnections> connections_;
};

TEST_F(ShortConnectionsTest, a_dialogue_goes_on_until_it_says_the_last) {
  start({});
  const sys::Fd client = connect();
  send(client, "ab");
  EXPECT_EQ(received(client), "AB");
  EXPECT_EQ(connections_->open(), 1u);
  send(client, "c.d");
  EXPECT_EQ(received(client), "C.|");
  EXPECT_EQ(connections_->open(), 0u);
}

TEST_F(ShortConnectionsTest, a_long_answer_waits_for_its_reader_and_comes_whole) {
  start({});
  const sys::Fd client = connect();
  send(client, "L");
  EXPECT_EQ(connections_->open(), 1u);
  const std::string got = received(client);
  EXPECT_EQ(got.size(), kLong + 1);
  EXPECT_EQ(got.back(), '|');
}

TEST_F(ShortConnectionsTest, one_too_many_ends_the_oldest) {
  start({2, Duration::seconds(10)});
  const sys::Fd first = connect();
  const sys::Fd second = connect();
  const sys::Fd third = connect();
  EXPECT_EQ(connections_->open(), 2u);
  EXPECT_EQ(received(first), "|");
  send(second, "b");
  EXPECT_EQ(received(second), "B");
  send(third, "c");
  EXPECT_EQ(received(third), "C");
}

TEST_F(ShortConnectionsTest, one_that_lasts_too_long_is_ended_whatever_it_says) {
  start({8, Duration::milliseconds(60)});
  const sys::Fd silent = connect();
  const sys::Fd talking = connect();
  for (const MonoTime until = sys::mono_now() + Duration::milliseconds(90);
       sys::mono_now() < until && connections_->open() > 0;) {
    static_cast<void>(::send(talking.number(), "a", 1, MSG_NOSIGNAL));
    run(1);
  }
  EXPECT_EQ(connections_->open(), 0u);
  EXPECT_EQ(received(silent), "|");
}

TEST_F(ShortConnectionsTest, one_that_is_refused_or_left_is_forgotten) {
  start({});
  refuses_ = true;
  EXPECT_EQ(received(connect()), "|");
  EXPECT_EQ(connections_->open(), 0u);
  refuses_ = false;
  connect().reset();
  run(3);
  EXPECT_EQ(connections_->open(), 0u);
}

}  // namespace
}  // namespace timepool::net

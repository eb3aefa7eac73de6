#include "monitord/time_request.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <thread>

#include "sys/clock.h"

namespace timepool::monitord {
namespace {

constexpr Duration kTimeout = Duration::milliseconds(40);

class TimeRequestTest : public ::testing::Test {
 protected:
  // What came of a request that was answered by so much rubbish and then rightly, all of it there
  // when the reactor has its first turn after the request's time is over.
  TimeRequest::End end_after(int rubbish) {
    sys::UdpSocket server = sys::UdpSocket::bind({parse_ip("127.0.0.1").value(), 0}, {}).value();
    TimeRequest::End out;
    bool over = false;
    request_.start(server.local(), kTimeout, query_, random_, [&](const TimeRequest::End& end) {
      out = end;
      over = true;
    });
    pollfd waiting{server.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&waiting, 1, 2000), 1);
    std::array<std::byte, 512> room;
    const auto asked = server.receive(room);
    EXPECT_TRUE(asked.ok() && *asked && (*asked)->length >= kHeader);
    const Endpoint client = (*asked)->from;
    for (int i = 0; i < rubbish; ++i) {
      EXPECT_TRUE(server.send_to(Bytes(room).first(1), client, {}).ok());
    }
    EXPECT_TRUE(server.send_to(answer_to(Bytes(room).first(kHeader)), client, {}).ok());
    std::this_thread::sleep_for(std::chrono::nanoseconds((kTimeout * 2).ns()));
    for (int i = 0; i < 3 && !over; ++i) reactor_.run_once(Duration());
    EXPECT_TRUE(over);
    return out;
  }

  net::Reactor reactor_;
  ntp::RandomStream random_{{1, 2}};
  ntp::Query query_{exchange_config(-20, Duration::seconds(1))};
  TimeRequest request_{reactor_};

 private:
  static constexpr std::size_t kHeader = 48;

  // RFC 5905 7.3: stratum 1, the request's transmit timestamp as origin, and twice as ours.
  static std::vector<std::byte> answer_to(Bytes request) {
    std::vector<std::byte> out(kHeader);
    out[0] = std::byte{0x24};
    out[1] = std::byte{1};
    for (const std::size_t at : {16U, 24U, 32U, 40U}) {
      std::copy_n(request.begin() + 40, 8, out.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return out;
  }
};

TEST_F(TimeRequestTest, an_answer_among_rubbish_is_found) {
  EXPECT_TRUE(end_after(10).answer.has_value());
}

TEST_F(TimeRequestTest, a_server_that_floods_us_gets_no_more_time_than_others) {
  const TimeRequest::End end = end_after(100);
  EXPECT_FALSE(end.answer.has_value());
  EXPECT_FALSE(end.error.has_value());
}

}  // namespace
}  // namespace timepool::monitord

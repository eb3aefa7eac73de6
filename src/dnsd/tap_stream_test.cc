#include "dnsd/tap_stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <thread>

#include "dnsd/frame_stream.h"
#include "net/unix_socket.h"
#include "sys/clock.h"
#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

class TapStreamTest : public ::testing::Test {
 protected:
  void listen() { listener_ = std::move(net::listen_unix(path_, 0600).value()); }
  void turn(Duration later = {}) {
    now_ = now_ + later;
    stream_.turn(now_);
  }
  void accept() {
    peer_ = sys::Fd(::accept4(listener_.number(), nullptr, nullptr, SOCK_NONBLOCK));
    ASSERT_TRUE(peer_);
  }
  std::string read() {
    std::string out;
    std::array<char, 65536> buffer;
    for (;;) {
      const ssize_t count = ::recv(peer_.number(), buffer.data(), buffer.size(), 0);
      if (count <= 0) return out;
      out.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }
  void say(std::string_view text) {
    ASSERT_EQ(::send(peer_.number(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  // Connected, and the other end has said that it takes dnstap.
  void shake_hands() {
    turn();
    accept();
    EXPECT_EQ(read(), control_frame(StreamControl::kReady));
    say(control_frame(StreamControl::kAccept));
    turn();
    EXPECT_EQ(read(), control_frame(StreamControl::kStart));
    EXPECT_EQ(stream_.problem(), "");
  }

  sys::TemporaryDirectory temporary_;
  std::string path_ = temporary_.path() + "/tap.sock";
  MonoTime now_ = MonoTime::from_ns(1'000'000'000'000);
  sys::Fd listener_;
  sys::Fd peer_;
  TapStream stream_{path_};
};

TEST_F(TapStreamTest, shakes_hands_sends_and_says_goodbye) {
  listen();
  ASSERT_TRUE(stream_.put("one"));
  turn();
  accept();
  EXPECT_EQ(read(), control_frame(StreamControl::kReady));
  turn();
  EXPECT_EQ(read(), "") << "nothing before it is accepted";
  const std::string yes = control_frame(StreamControl::kAccept);
  say(yes.substr(0, 7));
  turn();
  say(yes.substr(7));
  turn();
  EXPECT_EQ(read(), control_frame(StreamControl::kStart) + "one");
  EXPECT_EQ(stream_.sent(), 1U);
  ASSERT_TRUE(stream_.put("two"));
  std::string rest;
  std::thread other([&] {
    for (int i = 0; i < 1000 && rest.find(control_frame(StreamControl::kStop)) == rest.npos; ++i) {
      rest += read();
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    say(control_frame(StreamControl::kFinish));
  });
  stream_.close(Duration::seconds(10));
  other.join();
  EXPECT_EQ(rest, "two" + control_frame(StreamControl::kStop));
  EXPECT_EQ(stream_.sent(), 2U);
  EXPECT_EQ(stream_.lost(), 0U);
}

TEST_F(TapStreamTest, what_is_put_before_anyone_listens_is_sent_when_somebody_does) {
  ASSERT_TRUE(stream_.put("early"));
  turn();
  EXPECT_NE(stream_.problem(), "");
  listen();
  turn(TapStream::kRetry - Duration::milliseconds(1));
  EXPECT_LT(::accept4(listener_.number(), nullptr, nullptr, SOCK_NONBLOCK), 0);
  turn(Duration::milliseconds(1));
  accept();
  say(control_frame(StreamControl::kAccept));
  turn();
  EXPECT_EQ(read(),
            control_frame(StreamControl::kReady) + control_frame(StreamControl::kStart) + "early");
}

TEST_F(TapStreamTest, a_reader_that_is_too_slow_costs_a_bounded_queue) {
  listen();
  shake_hands();
  const std::string frame(10'000, 'x');
  std::uint64_t taken = 0;
  std::uint64_t refused = 0;
  for (int i = 0; i < 1000; ++i) {
    ++(stream_.put(frame) ? taken : refused);
    turn();
    ASSERT_LE(stream_.queued(), TapStream::kMaxQueue);
  }
  EXPECT_GT(refused, 100U);
  EXPECT_GT(stream_.queued(), TapStream::kMaxQueue - frame.size());
  // It reads again: everything that found a place arrives, once.
  std::size_t got = 0;
  for (int i = 0; i < 1000 && stream_.queued() > 0; ++i) {
    got += read().size();
    turn();
  }
  got += read().size();
  EXPECT_EQ(got, taken * frame.size());
  EXPECT_EQ(stream_.sent(), taken);
  EXPECT_EQ(stream_.lost(), 0U);
}

TEST_F(TapStreamTest, a_program_that_goes_is_looked_for_again_and_each_query_ends_once) {
  listen();
  shake_hands();
  const std::string frame(50'000, 'x');
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(stream_.put(frame));
  turn();
  peer_.reset();
  turn();
  EXPECT_EQ(stream_.problem(), "it closed the connection");
  EXPECT_GT(stream_.lost(), 0U);
  turn(TapStream::kRetry);
  accept();
  say(control_frame(StreamControl::kAccept));
  for (int i = 0; i < 1000 && stream_.queued() > 0; ++i) {
    turn();
    read();
  }
  EXPECT_EQ(stream_.sent() + stream_.lost(), 20U);
}

TEST_F(TapStreamTest, who_does_not_answer_or_answers_rubbish_is_left) {
  listen();
  turn();
  accept();
  turn(TapStream::kPatience);
  EXPECT_EQ(stream_.problem(), "it does not answer");
  for (const char* rubbish : {"HTTP/1.1 400 Bad Request", "\0\0\0\0\xff\xff\xff\xff"}) {
    turn(TapStream::kRetry);
    accept();
    say(std::string_view(rubbish, 8));
    turn();
    EXPECT_NE(stream_.problem(), "it does not answer");
    EXPECT_NE(stream_.problem(), "");
  }
  // FINISH before the end.
  turn(TapStream::kRetry);
  accept();
  say(control_frame(StreamControl::kFinish));
  turn();
  EXPECT_EQ(stream_.problem(), "a control frame that was not due");
}

TEST_F(TapStreamTest, nobody_is_waited_for_at_the_end) {
  ASSERT_TRUE(stream_.put("lost"));
  const MonoTime start = sys::mono_now();
  stream_.close(Duration::seconds(20));
  EXPECT_LT(sys::mono_now() - start, Duration::seconds(5));
  EXPECT_EQ(stream_.lost(), 1U);
}

}  // namespace
}  // namespace timepool::dnsd

#include "net/reactor.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "net/published.h"
#include "sys/clock.h"

namespace timepool::net {
namespace {

MonoTime in_ms(int ms) {
  return sys::mono_now() + Duration::milliseconds(ms);
}

void run_for(Reactor& reactor, int ms) {
  const MonoTime end = in_ms(ms);
  while (sys::mono_now() < end) reactor.run_once(Duration::milliseconds(5));
}

TEST(Reactor, calls_timers_in_the_order_of_their_deadlines) {
  Reactor reactor;
  std::string order;
  const MonoTime base = sys::mono_now();
  const Timer c = reactor.at(base + Duration::milliseconds(20), [&] { order += 'c'; });
  const Timer a = reactor.at(base + Duration::milliseconds(5), [&] { order += 'a'; });
  const Timer b = reactor.at(base + Duration::milliseconds(5), [&] { order += 'b'; });
  Timer cancelled = reactor.at(base + Duration::milliseconds(1), [&] { order += 'x'; });
  cancelled.cancel();
  EXPECT_TRUE(c.pending());
  run_for(reactor, 40);
  EXPECT_EQ(order, "abc");
  EXPECT_FALSE(c.pending());
}

TEST(Reactor, never_calls_a_timer_before_its_deadline) {
  Reactor reactor;
  const MonoTime deadline = in_ms(7);
  MonoTime called;
  const Timer timer = reactor.at(deadline, [&] { called = sys::mono_now(); });
  run_for(reactor, 25);
  EXPECT_GE(called, deadline);
}

TEST(Reactor, a_timer_may_set_itself_again_without_starving_the_loop) {
  Reactor reactor;
  int count = 0;
  Timer timer;
  std::function<void()> again = [&] {
    ++count;
    timer = reactor.at(sys::mono_now(), again);
  };
  timer = reactor.at(sys::mono_now(), again);
  reactor.run_once(Duration());
  reactor.run_once(Duration());
  EXPECT_EQ(count, 2);
}

TEST(Reactor, tells_when_a_descriptor_is_ready) {
  Reactor reactor;
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const sys::Fd one(ends[0]);
  const sys::Fd two(ends[1]);
  int calls = 0;
  Watch watch = reactor.watch(one.number(), POLLIN, [&](short ready) {
    EXPECT_NE(ready & POLLIN, 0);
    ++calls;
    char byte = 0;
    EXPECT_EQ(::recv(one.number(), &byte, 1, 0), 1);
  });
  reactor.run_once(Duration());
  EXPECT_EQ(calls, 0);
  ASSERT_EQ(::send(two.number(), "x", 1, 0), 1);
  reactor.run_once(Duration());
  EXPECT_EQ(calls, 1);
  watch.stop();
  ASSERT_EQ(::send(two.number(), "x", 1, 0), 1);
  reactor.run_once(Duration());
  EXPECT_EQ(calls, 1);
}

TEST(Reactor, a_callback_may_end_another_watch_and_its_own) {
  Reactor reactor;
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
  const sys::Fd one(ends[0]);
  const sys::Fd two(ends[1]);
  ASSERT_EQ(::send(one.number(), "x", 1, 0), 1);
  ASSERT_EQ(::send(two.number(), "x", 1, 0), 1);
  int calls = 0;
  Watch first;
  Watch second;
  const auto end_both = [&](short) {
    ++calls;
    first.stop();
    second.stop();
  };
  first = reactor.watch(one.number(), POLLIN, end_both);
  second = reactor.watch(two.number(), POLLIN, end_both);
  reactor.run_once(Duration());
  EXPECT_EQ(calls, 1);
}

TEST(Reactor, a_signal_interrupts_the_wait) {
  Reactor reactor;
  int calls = 0;
  ASSERT_TRUE(reactor.on_signal(SIGUSR1, [&] { ++calls; }).ok());
  const pthread_t self = ::pthread_self();
  const MonoTime start = sys::mono_now();
  std::thread sender([self] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ::pthread_kill(self, SIGUSR1);
  });
  while (calls == 0 && sys::mono_now() - start < Duration::seconds(10)) {
    reactor.run_once(Duration::seconds(5));
  }
  sender.join();
  EXPECT_EQ(calls, 1);
  EXPECT_LT(sys::mono_now() - start, Duration::seconds(4));
}

TEST(Reactor, other_threads_post_into_it) {
  Reactor reactor;
  ASSERT_TRUE(reactor.enable_post().ok());
  int sum = 0;
  std::thread poster([&] {
    for (int i = 1; i <= 10; ++i) reactor.post([&sum, i] { sum += i; });
    reactor.post([&] { reactor.stop(); });
  });
  reactor.run();
  poster.join();
  EXPECT_EQ(sum, 55);
}

TEST(Published, readers_see_whole_values_and_old_ones_are_freed) {
  struct Pair {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
  };
  Published<Pair> published(std::make_unique<Pair>());
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> reads{0};
  std::atomic<bool> torn{false};
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      Published<Pair>::Reader reader(published);
      while (!stop) {
        const Pair& pair = reader.acquire();
        if (pair.a != pair.b) torn = true;
        ++reads;
      }
    });
  }
  std::uint64_t published_count = 0;
  while (published_count < 20'000 || reads < 1000) {
    ++published_count;
    auto next = std::make_unique<Pair>();
    next->a = next->b = published_count;
    published.publish(std::move(next));
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_FALSE(torn);
  EXPECT_EQ(published.current().a, published_count);
  published.publish(std::make_unique<Pair>());
  EXPECT_EQ(published.retired(), 0u) << "nobody holds the old values";
}

}  // namespace
}  // namespace timepool::net

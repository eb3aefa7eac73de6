#include "sim/world.h"

#include <gtest/gtest.h>

#include "sim/network.h"

namespace timepool::sim {
namespace {

TEST(World, runs_actions_in_the_order_of_their_times_and_of_asking) {
  World world(1);
  std::string order;
  world.after(Duration::seconds(2), [&] { order += 'c'; });
  world.after(Duration::seconds(1), [&] { order += 'a'; });
  world.after(Duration::seconds(1), [&] { order += 'b'; });
  world.run_until(world.start() + Duration::seconds(5));
  EXPECT_EQ(order, "abc");
  EXPECT_EQ(world.elapsed(), Duration::seconds(5));
}

TEST(World, time_never_starts_at_zero) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    World world(seed);
    EXPECT_GT(world.now(), UnixTime::from_seconds(1'500'000'000));
    EXPECT_NE(world.now().ns() % 1'000'000'000, 0);
  }
}

TEST(World, each_part_draws_from_a_stream_of_its_own) {
  World world(1);
  EXPECT_EQ(world.random("a").next(), world.random("a").next());
  EXPECT_NE(world.random("a").next(), world.random("b").next());
  EXPECT_NE(world.random("a").next(), World(2).random("a").next());
}

TEST(Trace, differs_by_time_kind_and_content) {
  const auto hash_of = [](std::int64_t when, std::string_view what, std::uint64_t number) {
    Trace trace;
    trace.add(UnixTime::from_ns(when), what, number);
    return trace.hash();
  };
  EXPECT_EQ(hash_of(1, "a", 1), hash_of(1, "a", 1));
  EXPECT_NE(hash_of(1, "a", 1), hash_of(2, "a", 1));
  EXPECT_NE(hash_of(1, "a", 1), hash_of(1, "b", 1));
  EXPECT_NE(hash_of(1, "a", 1), hash_of(1, "a", 2));
}

class Counter final : public Node {
 public:
  explicit Counter(World& world) : world_(world) {}
  void handle_datagram(const Datagram&) override {
    ++count;
    last = world_.elapsed();
  }
  int count = 0;
  Duration last;

 private:
  World& world_;
};

class NetworkTest : public testing::Test {
 protected:
  NetworkTest() {
    network_.attach(server_, node_);
    network_.attach(client_, node_);
  }
  void send(const IpAddress& from, const IpAddress& to, int count = 1) {
    for (int i = 0; i < count; ++i) network_.send({0, 0, {from, 1, 0}, {to, 2, 0}, {}});
    world_.run_until(world_.now() + Duration::seconds(10));
  }
  World world_{3};
  Network network_{world_};
  Counter node_{world_};
  IpAddress server_ = IpAddress::v4(0xc0000201);
  IpAddress client_ = IpAddress::v4(0xc6336401);
};

TEST_F(NetworkTest, delay_and_asymmetry_shape_each_way) {
  LinkConfig link;
  link.delay = Duration::milliseconds(50);
  link.jitter = {};
  link.asymmetry = Duration::milliseconds(20);
  network_.link(server_, link);
  send(client_, server_);
  EXPECT_EQ(node_.last, Duration::milliseconds(60));
  const Duration before = world_.elapsed();
  send(server_, client_);
  EXPECT_EQ(node_.last - before, Duration::milliseconds(40));
}

TEST_F(NetworkTest, loses_and_copies_about_as_often_as_told) {
  LinkConfig link;
  link.loss = 0.2;
  network_.link(server_, link);
  send(client_, server_, 2000);
  EXPECT_NEAR(node_.count, 1600, 100);
  node_.count = 0;
  link.loss = 0;
  link.duplicate = 0.1;
  network_.link(server_, link);
  send(client_, server_, 2000);
  EXPECT_NEAR(node_.count, 2200, 80);
}

TEST_F(NetworkTest, nothing_passes_a_partition) {
  LinkConfig link;
  link.partitions = {{Duration::seconds(5), Duration::seconds(15)}};
  network_.link(server_, link);
  send(client_, server_);
  EXPECT_EQ(node_.count, 1);
  send(client_, server_);  // at 10 s
  EXPECT_EQ(node_.count, 1);
  send(client_, server_);  // at 20 s
  EXPECT_EQ(node_.count, 2);
}

TEST_F(NetworkTest, without_a_link_nothing_arrives) {
  send(client_, server_);
  EXPECT_EQ(node_.count, 0);
}

}  // namespace
}  // namespace timepool::sim

#include "ntp/session_saver.h"

#include <gtest/gtest.h>

#include <deque>
#include <set>
#include <utility>

#include "nts/testing_server.h"

namespace timepool::ntp {
namespace {

const UnixTime kClock = UnixTime::from_seconds(1'790'000'000);

// A disk in memory, which can be made to fail.
class Disk final : public SessionStore {
 public:
  bool write(const nts::SavedSessions& saved) override {
    if (!writable) return false;
    bytes = nts::format_sessions(saved);
    return true;
  }
  bool remove() override {
    if (!removable) return false;
    bytes.clear();
    return true;
  }
  nts::SavedSessions content() const {
    return bytes.empty() ? nts::SavedSessions{} : nts::parse_sessions(bytes).value();
  }
  std::size_t cookies() const {
    const nts::SavedSessions saved = content();
    return saved.sessions.empty() ? 0 : saved.sessions.front().keys.cookies.size();
  }

  std::vector<std::byte> bytes;
  bool writable = true;
  bool removable = true;
};

// One NTS source and its server.
class SessionSaverTest : public ::testing::Test {
 protected:
  SessionSaverTest() { start(); }

  // The program begins, with what is on the disk.
  void start() {
    sources_.emplace(SourceSetConfig{});
    saver_ = {};
    sources_->set_aeads(aeads_);
    if (!disk_.bytes.empty()) sources_->set_sessions(disk_.content(), at(now_), kClock);
    SourceConfig config;
    config.name = "192.0.2.1";
    config.authenticated = true;
    config.nts.required = true;
    config.poll = {6, 6, false};
    ASSERT_TRUE(sources_->add(config, at(now_)).ok());
  }

  static MonoTime at(std::int64_t seconds) {
    return MonoTime::from_ns(1) + Duration::seconds(seconds);
  }

  // Runs for so long; each request is answered when `answers`.
  void run(std::int64_t seconds, bool answers = true) {
    for (const std::int64_t end = now_ + seconds; now_ < end; ++now_) step(answers);
  }

  void step(bool answers) {
    Outbox out;
    const LocalTime local{at(now_), kClock + Duration::seconds(now_)};
    sources_->handle_timer(local, random_, out);
    const auto lost = saver_.before(out, *sources_, disk_, at(now_), local.raw);
    for (const SendAction& send : out.sends) {
      if (std::find(lost.begin(), lost.end(), send.association) != lost.end()) continue;
      check(send.bytes());
      if (answers) late_.emplace_back(now_ + delay_, send);
    }
    answer_due(local);
    for (const EstablishAction& action : out.establishes) {
      ++establishments_;
      EstablishmentResult result;
      result.established = true;
      result.keys = server_.establish();
      result.server = {action.server.address, 123, 0};
      sources_->handle_establishment(action.id, result, at(now_));
    }
  }

  // No cookie that is sent is on the disk, and none is sent twice.
  void check(Bytes request) {
    const auto packet = wire::ntp::parse_packet(request);
    ASSERT_TRUE(packet.ok());
    const auto* field = packet->field(wire::ntp::field_type::kNtsCookie);
    ASSERT_NE(field, nullptr);
    const nts::Cookie cookie(field->body.begin(), field->body.end());
    ++sent_;
    EXPECT_TRUE(seen_.insert(cookie).second) << "sent twice";
    for (const nts::SavedSession& session : disk_.content().sessions) {
      for (const nts::Cookie& kept : session.keys.cookies) EXPECT_NE(kept, cookie);
    }
  }

  void answer_due(LocalTime local) {
    while (!late_.empty() && late_.front().first <= now_) {
      answer(late_.front().second, local);
      late_.pop_front();
    }
  }

  void answer(const SendAction& send, LocalTime local) {
    const auto request = wire::ntp::parse_packet(send.bytes());
    wire::ntp::Header header;
    header.mode = wire::ntp::Mode::kServer;
    header.stratum = 2;
    header.origin = request->header.transmit;
    header.receive = to_ntp(local.raw);
    header.transmit = header.receive;
    std::vector<std::byte> plain(wire::ntp::kHeaderSize);
    ByteWriter writer(plain);
    wire::ntp::write_header(header, writer);
    const auto reply = server_.answer(send.bytes(), plain);
    Outbox out;
    sources_->handle_datagram(send.association, {local, local.raw}, reply, random_, out);
    static_cast<void>(saver_.before(out, *sources_, disk_, local.mono, local.raw));
  }

  nts::fake::TestAeadMaker aeads_;
  nts::fake::TestServer server_{7};
  RandomStream random_{{1, 2}};
  Disk disk_;
  std::optional<SourceSet> sources_;
  SessionSaver saver_;
  std::int64_t now_ = 0;
  std::int64_t delay_ = 0;  // seconds until a request is answered
  std::deque<std::pair<std::int64_t, SendAction>> late_;
  std::set<nts::Cookie> seen_;
  int sent_ = 0;
  int establishments_ = 0;
};

TEST_F(SessionSaverTest, NC10_writes_seldom_while_answers_come) {
  run(8 * 3600);
  EXPECT_GT(sent_, 400);
  EXPECT_EQ(disk_.cookies(), SessionSaver::kKept);
  EXPECT_LE(saver_.writes(), 12U) << "at the establishment, and once an hour";
}

TEST_F(SessionSaverTest, NC10_a_crash_at_any_moment_reuses_nothing_and_needs_no_keys) {
  run(10);
  for (int i = 0; i < 200; ++i) {
    start();
    run(1 + i * 7 % 150);
  }
  EXPECT_GT(sent_, 200);
  EXPECT_EQ(establishments_, 1);
}

TEST_F(SessionSaverTest, NC10_a_late_answer_is_on_the_disk_within_seconds) {
  run(10);
  delay_ = 2;
  for (int i = 0; i < 20; ++i) {
    start();
    run(7);
    EXPECT_EQ(disk_.cookies(), SessionSaver::kKept) << "run " << i;
    late_.clear();
  }
  EXPECT_EQ(establishments_, 1);
}

TEST_F(SessionSaverTest, NC10_crashes_while_nobody_answers_cost_a_cookie_each) {
  run(600);
  run(1200, false);
  for (int i = 0; i < 5; ++i) {
    start();
    run(70, false);
  }
  EXPECT_EQ(disk_.cookies(), 0U);
}

TEST_F(SessionSaverTest, NC10_a_disk_that_is_full_is_cleared) {
  run(600);
  disk_.writable = false;
  run(1200, false);
  EXPECT_TRUE(disk_.bytes.empty());
}

TEST_F(SessionSaverTest, NC10_a_disk_that_takes_nothing_costs_what_is_on_it) {
  run(600);
  disk_.writable = false;
  disk_.removable = false;
  const std::size_t kept = disk_.cookies();
  run(3600, false);
  start();
  run(600);
  EXPECT_EQ(disk_.cookies(), kept) << "and none of them was sent";
  EXPECT_GE(establishments_, 2);
}

TEST_F(SessionSaverTest, the_end_of_a_run_writes_all_that_is_left) {
  run(600);
  saver_.end(*sources_, disk_, at(now_), kClock);
  EXPECT_EQ(disk_.cookies(), nts::kMaxCookies);
  start();
  run(600);
  EXPECT_EQ(establishments_, 1);
  EXPECT_EQ(disk_.cookies(), SessionSaver::kKept);
}

TEST_F(SessionSaverTest, KEC7_an_attempt_is_written_down_before_it_is_made) {
  Outbox out;
  sources_->handle_timer({at(0), kClock}, random_, out);
  ASSERT_EQ(out.establishes.size(), 1U);
  static_cast<void>(saver_.before(out, *sources_, disk_, at(0), kClock));
  ASSERT_EQ(disk_.content().retries.size(), 1U);
  EXPECT_EQ(disk_.content().retries.front().attempts, 1U);
}

}  // namespace
}  // namespace timepool::ntp

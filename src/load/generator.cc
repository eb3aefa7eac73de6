#include "load/generator.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <vector>

#include "base/check.h"
#include "load/load_socket.h"
#include "load/nts_traffic.h"
#include "sys/clock.h"
#include "sys/fd.h"

namespace timepool::load {
namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kReplyRoom = 2048;
// A reply that a full buffer lost would be counted against the server.
constexpr int kReceiveBuffer = 8 << 20;

// One request's place: its token while it is in flight.
struct Slot {
  std::uint64_t token = 0;
  std::uint64_t memory = 0;  // see RemembersAnswers
  MonoTime sent;
  bool busy = false;
  std::uint8_t generation = 0;
};

// The buffers of one recvmmsg or sendmmsg call, made once and used for every socket in turn.
struct Batch {
  std::array<mmsghdr, kBatch> headers{};
  std::array<iovec, kBatch> vectors{};
  std::array<std::array<std::byte, kReplyRoom>, kBatch> buffers{};

  Batch() {
    for (std::size_t i = 0; i < kBatch; ++i) {
      vectors[i] = {buffers[i].data(), kReplyRoom};
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }
  Bytes datagram(std::size_t i) const { return Bytes(buffers[i]).first(headers[i].msg_len); }
};

struct Lane {
  sys::Fd socket;
  std::vector<Slot> slots;
  std::vector<std::uint16_t> idle;  // slots that may send
};

// The `index`th of `count` addresses, spread evenly over `prefix`: the first host of each part.
IpAddress source_of(const Prefix& prefix, std::size_t index, std::size_t count) {
  // Of IPv6 only 32 bits after the prefix vary.
  const int free_bits = std::min(prefix.base().bits() - prefix.length(), 32);
  const std::uint64_t room = std::uint64_t{1} << free_bits;
  const std::uint64_t part = std::max<std::uint64_t>(room / count, 1);
  const std::uint64_t host = (index * part + std::min<std::uint64_t>(part - 1, 1)) % room;
  const Bytes base = prefix.base().bytes();
  std::array<std::byte, 16> bytes{};
  std::copy(base.begin(), base.end(), bytes.begin());
  // The bits right behind the prefix.
  const int shift = prefix.base().bits() - prefix.length() - free_bits;
  for (int bit = 0; bit < free_bits; ++bit) {
    if ((host >> bit & 1) == 0) continue;
    const int position = prefix.base().bits() - 1 - shift - bit;
    bytes[static_cast<std::size_t>(position / 8)] |= static_cast<std::byte>(0x80 >> position % 8);
  }
  return IpAddress::from_bytes(Bytes(bytes).first(base.size()));
}

template <class Traffic>
class Loop {
 public:
  Loop(const LoadOptions& options, const Traffic& traffic) : options_(options), traffic_(traffic) {}

  Result<void> open() {
    TRY(pin_to_cpu(options_.cpu));
    const auto lanes = static_cast<std::size_t>(options_.sockets);
    const auto inflight = static_cast<std::size_t>(options_.inflight);
    for (std::size_t i = 0; i < lanes; ++i) {
      std::optional<IpAddress> source;
      if (options_.sources) source = source_of(*options_.sources, i, lanes);
      Lane lane{TRY(connected_socket(options_.target, kReceiveBuffer, source)), {}, {}};
      const std::size_t slots = inflight / lanes + (i < inflight % lanes ? 1 : 0);
      lane.slots.resize(slots);
      for (std::size_t slot = slots; slot > 0; --slot) {
        lane.idle.push_back(static_cast<std::uint16_t>(slot - 1));
      }
      polls_.push_back({lane.socket.number(), POLLIN, 0});
      lanes_.push_back(std::move(lane));
    }
    return {};
  }

  Result<LoadReport> run() {
    started_ = sys::mono_now();
    last_answer_ = started_;
    MonoTime next_sweep = started_ + options_.timeout;
    while (true) {
      const MonoTime now = sys::mono_now();
      const bool sending = report_.sent < options_.count && now - started_ < options_.duration;
      if (!sending && in_flight_ == 0) break;
      bool moved = false;
      std::uint64_t allowed = sending ? allowance(now) : 0;
      for (std::size_t i = 0; i < lanes_.size(); ++i) {
        Lane& lane = lanes_[(first_lane_ + i) % lanes_.size()];
        moved |= TRY(receive(lane));
        const std::size_t sent = allowed > 0 ? TRY(send(lane, allowed)) : 0;
        allowed -= sent;
        moved |= sent > 0;
      }
      ++first_lane_;
      if (now >= next_sweep) {
        sweep(now);
        next_sweep = now + options_.timeout / 8;
      }
      // At a rate there is always another request soon.
      if (!moved && (options_.rate == 0 || !sending)) {
        const int wait_ms = static_cast<int>(options_.timeout.ns() / 8 / 1'000'000) + 1;
        ::poll(polls_.data(), polls_.size(), wait_ms);
      }
    }
    report_.elapsed = last_answer_ - started_;
    return report_;
  }

 private:
  std::uint64_t fresh_token(Slot& slot, std::uint16_t index) {
    slot.generation = static_cast<std::uint8_t>((slot.generation + 1) & 0x3f);
    return ++serial_ << 16 | static_cast<std::uint64_t>(slot.generation) << kSlotBits | index;
  }

  // How many requests may be sent at `now`.
  std::uint64_t allowance(MonoTime now) {
    const std::uint64_t left = options_.count - report_.sent;
    if (options_.rate == 0) return left;
    const double so_far = (now - started_).to_seconds() * static_cast<double>(options_.rate);
    const std::uint64_t due = static_cast<std::uint64_t>(so_far) - forfeited_;
    const std::uint64_t owed = due - std::min(due, report_.sent);
    if (owed > LoadOptions::kMaxBacklog) forfeited_ += owed - LoadOptions::kMaxBacklog;
    return std::min({owed, LoadOptions::kMaxBacklog, left});
  }

  // Sends what the idle slots and `allowed` allow, up to one batch; how many went out.
  Result<std::size_t> send(Lane& lane, std::uint64_t allowed) {
    const std::size_t want =
        std::min({kBatch, lane.idle.size(), static_cast<std::size_t>(allowed), lane_share()});
    if (want == 0) return std::size_t{0};
    const MonoTime now = sys::mono_now();
    for (std::size_t i = 0; i < want; ++i) {
      const std::uint16_t index = lane.idle[lane.idle.size() - 1 - i];
      Slot& slot = lane.slots[index];
      slot.token = fresh_token(slot, index);
      slot.sent = now;
      out_.vectors[i].iov_len = write(slot, out_.buffers[i]);
    }
    const int sent = ::sendmmsg(lane.socket.number(), out_.headers.data(),
                                static_cast<unsigned>(want), MSG_DONTWAIT);
    if (sent < 0) return send_failed(errno);
    for (int i = 0; i < sent; ++i) {
      lane.slots[lane.idle.back()].busy = true;
      lane.idle.pop_back();
    }
    report_.sent += static_cast<std::uint64_t>(sent);
    in_flight_ += static_cast<std::uint64_t>(sent);
    report_.sending = now - started_;
    return static_cast<std::size_t>(sent);
  }

  // At a rate the sockets take turns.
  std::size_t lane_share() const { return options_.rate == 0 ? kBatch : 4; }

  std::size_t write(Slot& slot, MutableBytes buffer) {
    if constexpr (RemembersAnswers<Traffic>) {
      return traffic_.write(slot.token, slot.memory, buffer);
    } else {
      return traffic_.write(slot.token, buffer);
    }
  }

  Judgement judge(Slot& slot, Bytes reply) {
    if constexpr (RemembersAnswers<Traffic>) {
      return traffic_.judge(slot.token, reply, slot.memory);
    } else {
      return traffic_.judge(slot.token, reply);
    }
  }

  // A full queue is waited out; a port where nothing listens is an error at once.
  Result<std::size_t> send_failed(int error) const {
    if (error == EAGAIN || error == ENOBUFS || error == EINTR) return std::size_t{0};
    return fail(system_error(error, "send to " + format(options_.target)));
  }

  Result<bool> receive(Lane& lane) {
    for (iovec& vector : in_.vectors) vector.iov_len = kReplyRoom;
    const int got =
        ::recvmmsg(lane.socket.number(), in_.headers.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (got < 0) {
      if (errno == EAGAIN || errno == EINTR) return false;
      return fail(system_error(errno, "receive from " + format(options_.target)));
    }
    const MonoTime now = sys::mono_now();
    for (int i = 0; i < got; ++i) take(lane, in_.datagram(static_cast<std::size_t>(i)), now);
    return got > 0;
  }

  void take(Lane& lane, Bytes reply, MonoTime now) {
    const std::optional<std::uint64_t> token = traffic_.read_token(reply);
    if (!token) {
      ++report_.invalid;
      return;
    }
    const std::size_t index = *token & (kMaxSlots - 1);
    if (index >= lane.slots.size() || !lane.slots[index].busy ||
        !traffic_.same_token(lane.slots[index].token, *token)) {
      ++report_.unmatched;
      return;
    }
    Slot& slot = lane.slots[index];
    switch (judge(slot, reply)) {
      case Judgement::kInvalid:
        ++report_.invalid;
        break;
      case Judgement::kRefused:
        ++report_.refused;
        break;
      case Judgement::kInterleaved:
        ++report_.interleaved;
        count_answer(slot, now);
        break;
      case Judgement::kProven:
        ++report_.proven;
        count_answer(slot, now);
        break;
      case Judgement::kAnswer:
        count_answer(slot, now);
        break;
    }
    release(lane, static_cast<std::uint16_t>(index));
  }

  void count_answer(const Slot& slot, MonoTime now) {
    ++report_.answered;
    report_.latency.record(now - slot.sent);
    last_answer_ = now;
  }

  void release(Lane& lane, std::uint16_t index) {
    lane.slots[index].busy = false;
    lane.idle.push_back(index);
    --in_flight_;
  }

  // Gives up on what has waited longer than the timeout.
  void sweep(MonoTime now) {
    for (Lane& lane : lanes_) {
      for (std::size_t i = 0; i < lane.slots.size(); ++i) {
        if (!lane.slots[i].busy || now - lane.slots[i].sent < options_.timeout) continue;
        ++report_.lost;
        release(lane, static_cast<std::uint16_t>(i));
      }
    }
  }

  const LoadOptions& options_;
  const Traffic& traffic_;
  std::vector<Lane> lanes_;
  std::vector<pollfd> polls_;
  Batch in_;
  Batch out_;
  LoadReport report_;
  std::uint64_t in_flight_ = 0;
  std::uint64_t serial_ = 0;
  std::uint64_t forfeited_ = 0;  // by pauses of this program
  std::size_t first_lane_ = 0;   // the sockets take turns at being the first
  MonoTime started_;
  MonoTime last_answer_;
};

template <class Traffic>
Result<LoadReport> run_loop(const LoadOptions& options, const Traffic& traffic) {
  TRY(check_options(options));
  // On the heap: its two batches are 256 KiB.
  const auto loop = std::make_unique<Loop<Traffic>>(options, traffic);
  TRY(loop->open());
  return loop->run();
}

}  // namespace

Result<void> check_options(const LoadOptions& options) {
  const auto bad = [](const char* detail) {
    return fail(Error{ErrorCode::kInvalid, "load generator", detail});
  };
  if (options.count < 1 || options.count > LoadOptions::kMaxCount) {
    return bad("the count must be 1 to 100000000");
  }
  if (options.duration <= Duration() || options.duration > Duration::seconds(3600)) {
    return bad("the duration must be above 0 and at most 1h");
  }
  if (options.timeout <= Duration() || options.timeout > Duration::seconds(10)) {
    return bad("the timeout must be above 0 and at most 10s");
  }
  if (options.sockets < 1 || options.sockets > LoadOptions::kMaxSockets) {
    return bad("the sockets must be 1 to 256");
  }
  const int room = options.sockets * static_cast<int>(kMaxSlots);
  if (options.inflight < options.sockets || options.inflight > room) {
    return bad("the requests in flight must be at least one and at most 1024 for each socket");
  }
  if (options.rate > LoadOptions::kMaxRate) {
    return bad("the rate must be 0 to 10000000");
  }
  if (options.sources) {
    if (options.sources->base().family() != options.target.address.family()) {
      return bad("the sources must be of the target's address family");
    }
    TRY(check_target(options.sources->base(), options.allow_private));
  }
  return check_target(options.target.address, options.allow_private);
}

double LoadReport::rate() const {
  return elapsed > Duration() ? static_cast<double>(answered) / elapsed.to_seconds() : 0;
}

double LoadReport::offered() const {
  return sending > Duration() ? static_cast<double>(sent) / sending.to_seconds() : 0;
}

double LoadReport::lost_fraction() const {
  return sent > 0 ? static_cast<double>(lost) / static_cast<double>(sent) : 0;
}

Result<LoadReport> run(const LoadOptions& options, const NtpTraffic& traffic) {
  return run_loop(options, traffic);
}

Result<LoadReport> run(const LoadOptions& options, const NtsTraffic& traffic) {
  TRY(check_options(options));
  CHECK(traffic.slots() >= options.slots());
  return run_loop(options, traffic);
}

Result<LoadReport> run(const LoadOptions& options, const DnsTraffic& traffic) {
  return run_loop(options, traffic);
}

Result<LoadReport> run(const LoadOptions& options, const EchoTraffic& traffic) {
  return run_loop(options, traffic);
}

}  // namespace timepool::load

#include "net/udp_worker.h"

#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/check.h"
#include "sys/port_steering.h"
#include "sys/signal_flag.h"

namespace timepool::net {
namespace {

Error named(Error error, const std::string& setting) {
  error.operation = setting + ": " + error.operation;
  return error;
}

// One that was inherited may be another user's, and the system lets only sockets of one user share
// a port. Where it can't be made ours, bind() tells.
Result<void> share(sys::UdpSocket& socket) {
  if (::fchown(socket.fd(), ::geteuid(), static_cast<gid_t>(-1)) < 0) errno = 0;
  return socket.allow_reuse_port();
}

// Sockets of all workers for one address, at least `count`. The first is bound alone, so that an
// address in use is noticed even when the other program shares its port; then it lets our own
// others join.
Result<std::vector<sys::UdpSocket>> bind_address(Endpoint address, const UdpServerOptions& options,
                                                 std::size_t count) {
  sys::UdpOptions socket_options;
  socket_options.packet_info = true;
  socket_options.interface_info = options.interface_info;
  socket_options.rx_timestamps = options.rx_timestamps;
  socket_options.tx_timestamps_on_demand = options.exact_departures && options.threads > 0;
  socket_options.receive_buffer = options.receive_buffer;
  socket_options.interface = options.interface;
  std::vector<sys::UdpSocket> out;
  if (options.inherited != nullptr) out = options.inherited->take(address, socket_options);
  if (out.empty()) out.push_back(TRY(sys::UdpSocket::bind(address, socket_options)));
  for (sys::UdpSocket& socket : out) {
    if (out.size() >= count && !options.share_port) break;
    const Result<void> shared = share(socket);
    // For those that may join later only, it is worth no failure now: they tell.
    if (!shared.ok() && out.size() < count) return fail(Error(shared.error()));
  }
  socket_options.reuse_port = true;
  address.port = out.front().local().port;
  while (out.size() < count) {
    out.push_back(TRY(sys::UdpSocket::bind(address, socket_options)));
  }
  // Where the system can't, it spreads the clients as it likes.
  if (options.steer_by_prefix && out.size() > 1 && out.size() <= kMaxWorkers) {
    (void)sys::steer_by_source_prefix(out.front().fd(), address.address.family(),
                                      static_cast<unsigned>(out.size()));
  }
  return out;
}

}  // namespace

Result<BoundWorkers> bind_workers(const UdpServerOptions& options) {
  CHECK(options.threads <= kMaxWorkers);
  const std::size_t count = options.threads == 0 ? 1 : options.threads;
  std::vector<std::vector<sys::UdpSocket>> sockets(count);
  BoundWorkers out;
  for (const Endpoint& address : options.listen) {
    Result<std::vector<sys::UdpSocket>> bound = bind_address(address, options, count);
    if (!bound.ok()) return fail(named(std::move(bound).error(), options.setting));
    out.addresses.push_back(bound->front().local());
    for (std::size_t i = 0; i < bound->size(); ++i) {
      out.descriptors.push_back((*bound)[i].fd());
      sockets[i % count].push_back(std::move((*bound)[i]));
    }
  }
  if (options.inherited != nullptr) out.surplus = options.inherited->take_rest();
  out.workers.reserve(count);
  for (auto& own : sockets) {
    out.workers.push_back(std::make_unique<UdpWorker>(
        std::move(own), options.exact_departures && options.threads > 0));
  }
  return out;
}

void prepare_worker_thread(unsigned index, bool pin) {
  sys::block_all_signals();
  ::pthread_setname_np(::pthread_self(), ("udp " + std::to_string(index)).c_str());
  if (!pin) return;
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) < 0) return;
  const int count = CPU_COUNT(&allowed);
  int wanted = static_cast<int>(index) % (count > 0 ? count : 1);
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || wanted-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    // Refused by a container perhaps; then it runs unpinned.
    ::sched_setaffinity(0, sizeof one, &one);
    return;
  }
}

Result<sys::Fd> make_stop_event() {
  sys::Fd out(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!out) return fail(system_error(errno, "eventfd"));
  return out;
}

void signal_stop_event(const sys::Fd& event) {
  const std::uint64_t one = 1;
  const ssize_t written = ::write(event.number(), &one, sizeof one);
  CHECK(written == sizeof one);
}

}  // namespace timepool::net

#include "certificates/conversation_runner.h"

#include <chrono>

#include "net/http_message.h"
#include "sys/clock.h"

namespace timepool::certificates {
namespace {

// From one request of a conversation to the next, and no longer: weeks lie between conversations,
// and the machine may have another address by then.
constexpr Duration kKeep = Duration::seconds(5);

acme::Reply reply_of(net::HttpResponse response) {
  acme::Reply out;
  out.status = response.status;
  out.nonce = response.headers.value("Replay-Nonce");
  out.location = response.headers.value("Location");
  out.retry_after = response.headers.value("Retry-After");
  out.date = response.headers.value("Date");
  for (const net::HttpFields::Field& field : response.headers.all()) {
    if (net::equal_ignoring_case(field.name, "Link") && out.links.size() < acme::kMaxLinks) {
      out.links.push_back(field.value);
    }
  }
  out.body = std::move(response.body);
  return out;
}

net::HttpFetch fetch_of(acme::Request request, const HttpsOptions& options) {
  net::HttpFetch out;
  out.url = std::move(request.url);
  out.method = name_of(request.method);
  out.headers.set("User-Agent", options.user_agent);
  if (!request.accept.empty()) out.headers.set("Accept", request.accept);
  if (request.method == acme::Request::Method::kPost) {
    out.headers.set("Content-Type", acme::kJoseType);
  }
  out.body = std::move(request.body);
  out.connect_timeout = options.connect_timeout;
  out.total_timeout = options.total_timeout;
  out.keep = kKeep;
  out.max_body = acme::kMaxReplyBody;
  out.ca_file = options.ca_file;
  return out;
}

}  // namespace

void ConversationRunner::send(acme::Conversation& machine, const HttpsOptions& options) {
  auto request = machine.take_request();
  if (!request) return;
  logger_.debug("acme: {}: {} {}", machine.step(), name_of(request->method), request->url);
  auto response = http_.fetch(fetch_of(std::move(*request), options));
  const MonoTime now = sys::mono_now();
  if (cancelled()) return;
  if (!response.ok()) return machine.handle_no_reply(now, response.error().text());
  logger_.debug("acme: {}: status {}", machine.step(), response->status);
  machine.handle_reply(now, reply_of(std::move(response).value()));
}

void ConversationRunner::wait_until(MonoTime until) {
  std::unique_lock lock(mutex_);
  const Duration left = until - sys::mono_now();
  ended_.wait_for(lock, std::chrono::nanoseconds(left.ns()), [this] { return cancelled_; });
}

void ConversationRunner::carry(acme::Conversation& machine, const HttpsOptions& options,
                               const std::function<void()>& present) {
  while (!cancelled()) {
    switch (machine.want(sys::mono_now())) {
      case acme::Want::kRequest:
        send(machine, options);
        break;
      case acme::Want::kWait:
        wait_until(machine.wait_until());
        break;
      case acme::Want::kPresent:
        present();
        break;
      case acme::Want::kReply:
      case acme::Want::kNothing:
        return;
    }
  }
}

void ConversationRunner::run(acme::Conversation& machine, const HttpsOptions& options) {
  carry(machine, options, [] { CHECK(false); });
}

void ConversationRunner::run(acme::Issuance& machine, const HttpsOptions& options,
                             Presenter& presenter) {
  carry(machine, options, [&] {
    const Result<void> presented = presenter.present(machine.challenges());
    if (cancelled()) return;
    if (!presented.ok()) return machine.handle_not_presented(presented.error().text());
    machine.handle_presented(sys::mono_now());
  });
  if (machine.challenges().empty()) return;
  presenter.withdraw(machine.over() && machine.succeeded() ? Proved::kYes : Proved::kNo);
}

void ConversationRunner::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  ended_.notify_all();
  http_.cancel();
}

bool ConversationRunner::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

}  // namespace timepool::certificates

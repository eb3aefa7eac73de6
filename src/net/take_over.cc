#include "net/take_over.h"

#include <cstdlib>

namespace timepool::net {
namespace json = boost::json;
namespace {

// Sockets taken at the most: 64 workers with one each at 256 addresses, and the listener.
constexpr std::size_t kMaxTaken = 64 * 256 + 1;
constexpr Duration kAnswerLimit = Duration::seconds(10);

std::size_t number_of(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  const bool usable = value != nullptr && value->is_int64() && value->get_int64() > 0;
  return usable ? static_cast<std::size_t>(value->get_int64()) : 0;
}

Error damaged(const char* what) {
  return {ErrorCode::kInvalid, "take over", std::string("the daemon's answer has no ") + what};
}

}  // namespace

Result<std::optional<TakeOver>> TakeOver::begin(const std::string& path,
                                                InheritedSockets& sockets) {
  Result<ControlClient> client = ControlClient::open(path);
  if (!client.ok()) {
    const ErrorCode code = client.error().code;
    if (code == ErrorCode::kNotFound || code == ErrorCode::kUnavailable) {
      return std::optional<TakeOver>();
    }
    return fail(std::move(client).error());
  }
  TakeOver out(std::move(client).value());
  const ControlClient::Answer answer = TRY(out.ask("begin"));
  out.process_ = static_cast<pid_t>(number_of(answer.object, "pid"));
  if (const json::value* version = answer.object.if_contains("version")) {
    if (version->is_string()) out.version_ = std::string(version->get_string());
  }
  if (const json::value* environment = answer.object.if_contains("environment")) {
    if (environment->is_object()) out.environment_ = environment->get_object();
  }
  const std::size_t count = number_of(answer.object, "descriptors");
  if (count == 0 || count > kMaxTaken) return fail(damaged("usable number of descriptors"));
  TRY(out.receive_all(count, sockets));
  return std::optional<TakeOver>(std::move(out));
}

Result<void> TakeOver::receive_all(std::size_t count, InheritedSockets& sockets) {
  std::size_t received = 0;
  while (received < count) {
    json::object request;
    request["first"] = received;
    ControlClient::Answer answer = TRY(ask("descriptors", std::move(request)));
    if (answer.descriptors.empty() ||
        answer.descriptors.size() != number_of(answer.object, "count")) {
      return fail(Error{ErrorCode::kExhausted, "take over",
                        "not all descriptors came: is the limit of open files too low?"});
    }
    for (sys::Fd& fd : answer.descriptors) {
      if (received == 0) {
        listener_ = std::move(fd);
      } else {
        sockets.add(std::move(fd), received);
      }
      ++received;
    }
  }
  return {};
}

Result<json::object> TakeOver::release() {
  ControlClient::Answer answer = TRY(ask("release"));
  const json::value* state = answer.object.if_contains("state");
  if (state == nullptr || !state->is_object()) return fail(damaged("state"));
  return state->get_object();
}

Result<void> TakeOver::finish() {
  TRY(ask("stop"));
  const Result<ControlClient::Answer> confirmed = ask("confirm");
  // One that hangs may wake up and go on: only its end makes the sockets ours without its word.
  if (!confirmed.ok() && !client_.ended()) return fail(confirmed.error());
  for (const auto& [name, value] : environment_) {
    if (value.is_string()) ::setenv(name.data(), value.get_string().c_str(), 0);
  }
  return {};
}

Result<ControlClient::Answer> TakeOver::ask(const char* phase, json::object request) {
  request["command"] = "take-over";
  request["phase"] = phase;
  return client_.request(request, kAnswerLimit);
}

}  // namespace timepool::net
